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
//! The rooms of the code, each importing only from those below it:
//!
//! ```text
//!  builder                 settings and the environment, frozen into a layer
//!  integrations, handle    other libraries; what a program keeps of its layer
//!  span_ext                methods on `tracing::Span`
//!  layer                   the callbacks, and the default filter
//!  lifecycle               open, update, close: what each callback does
//!  state                   records, their table, clock, counters
//!  fields                  names and values to bytes
//!  settings                frozen values
//!  xray_sdk                documents, sampling, the daemon
//! ```

mod builder;
mod fields;
mod handle;
mod integrations;
mod layer;
mod lifecycle;
mod settings;
mod span_ext;
mod state;

#[cfg(feature = "http")]
pub use integrations::http;
#[cfg(feature = "lambda")]
pub use integrations::lambda;
#[cfg(feature = "fmt")]
pub use integrations::log as fmt;

pub use builder::{BuildError, Builder, builder, layer};
pub use handle::diagnostics::Diagnostic;
pub use handle::layer_handle::Handle;
#[cfg(feature = "tower-client")]
pub use http::XrayHttpClientLayer;
#[cfg(feature = "tower-server")]
pub use http::XrayHttpLayer;
#[cfg(feature = "reqwest-middleware")]
pub use http::XrayMiddleware;
#[cfg(feature = "aws-sdk")]
pub use integrations::aws_sdk::XrayInterceptor;
pub use layer::default_filter::{DefaultFilter, default_filter};
pub use layer::filter_mode::{FilterMode, WithDefaultFilter, WithFilter, WithoutFilter};
pub use layer::xray_layer::XrayLayer;
pub use lifecycle::on_close::ClosingSpan;
pub use settings::config::ContextMissing;
pub use span_ext::{XraySpanExt, current_trace_header};
pub use state::stats::Stats;

pub use xray_sdk as sdk;
#[cfg(feature = "queued-emitter")]
pub use xray_sdk::{QueueGuard, QueuedEmitter};

#[cfg(test)]
mod tests;
