//! A `tracing-subscriber` layer that turns spans into AWS X-Ray segments and subsegments, and hands them to the
//! X-Ray daemon over UDP.
//!
//! ```no_run
//! use tracing_subscriber::prelude::*;
//!
//! tracing_subscriber::registry()
//!     .with(xray_tracing_layer::layer()) // brings its own filter: RUST_LOG is for logs
//!     .with(tracing_subscriber::fmt::layer().with_filter(tracing_subscriber::EnvFilter::from_default_env()))
//!     .init();
//! ```
//!
//! From there on, a span without a parent is a segment, and the spans inside it are its subsegments. When the
//! last handle of the outermost span is gone, its document is already in the kernel: there is nothing to flush.
//!
//! To read the code, follow a span as it falls; each room only looks down:
//!
//! ```text
//!  layer     the callbacks
//!    open    what it becomes, and in which trace      ◄─ plan (its callsite, compiled), slot (field names),
//!                                                        question (what the sampler is asked)
//!    quiet   nothing, inside of a span that is not recorded
//!    update  fields and events on the way             ◄─ visit (value to bytes)
//!    close   into the parent's document, or away      ─► xray_sdk::document, Emitter
//!    leave   away, before a frozen Lambda would close it
//!    call    opened and closed at once: a call that a library tells of in an event
//!  core      what the layer owns: table of records, clock, counters
//! ```

mod answer;
mod clock;
mod config;
mod function;
mod given;
mod kept;
mod plan;
mod record;
mod slot;
mod sql;
mod stats;
mod table;
mod url;
mod users;
mod value;
mod visit;
mod whereabouts;

mod call;
mod close;
mod closing;
mod core;
mod layer;
mod leave;
mod open;
mod question;
mod quiet;
mod update;

mod attach;
mod behind;
mod builder;
mod diagnostics;
mod env;
mod failure;
mod filter;
mod handle;
#[cfg(any(feature = "lambda", feature = "tower", feature = "tower-client"))]
mod outcome;
#[cfg(feature = "queued-emitter")]
mod queued;
mod span_ext;

#[cfg(feature = "aws-sdk")]
mod aws;
#[cfg(feature = "fmt")]
pub mod fmt;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "lambda")]
pub mod lambda;

pub use attach::{Attach, WithDefaultFilter, WithFilter, WithoutFilter};
#[cfg(feature = "aws-sdk")]
pub use aws::XrayInterceptor;
pub use builder::{BuildError, Builder, builder, layer};
pub use closing::ClosingSpan;
pub use config::ContextMissing;
pub use diagnostics::Diagnostic;
pub use filter::{DefaultFilter, default_filter};
pub use handle::Handle;
#[cfg(feature = "tower-client")]
pub use http::XrayHttpClientLayer;
#[cfg(feature = "tower")]
pub use http::XrayHttpLayer;
#[cfg(feature = "reqwest-middleware")]
pub use http::XrayMiddleware;
pub use layer::XrayLayer;
pub use span_ext::{XraySpanExt, current_trace_header};
pub use stats::Stats;

pub use xray_sdk as sdk;
#[cfg(feature = "queued-emitter")]
pub use xray_sdk::{QueueGuard, QueuedEmitter};

#[cfg(test)]
mod tests;
