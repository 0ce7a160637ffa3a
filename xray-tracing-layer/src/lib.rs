//! A `tracing-subscriber` layer that turns spans into AWS X-Ray segments and subsegments.
//!
//! ```no_run
//! use tracing_subscriber::{EnvFilter, fmt, prelude::*};
//!
//! tracing_subscriber::registry()
//!     .with(xray_tracing_layer::layer())
//!     .with(fmt::layer().with_filter(EnvFilter::from_default_env()))
//!     .init();
//! ```
//!
//! From there on, a span without a parent is a **segment**, and the spans inside it are its **subsegments**. When the
//! outermost span has closed, its document is in the kernel, on the way to the X-Ray daemon: there is nothing to flush.
//! The layer has [a filter of its own](default_filter), so that `RUST_LOG` decides about logs and not about traces.
//!
//! The [`guide`] has a chapter for each topic:
//!
//! - In a program: [fields](guide::fields), [configuration](guide::configuration), [threads](guide::threads),
//!   [sampling](guide::sampling), [logs](guide::logs), [testing](guide::testing).
//! - With other libraries: [HTTP](guide::http), [AWS](guide::aws), [databases](guide::databases),
//!   [Lambda](guide::lambda).
//! - In production: [deployment](guide::deployment), [troubleshooting](guide::troubleshooting),
//!   [performance](guide::performance).
//!
//! # Where to begin
//!
//! | for | see |
//! |---|---|
//! | a layer with defaults, or one with settings | [`layer()`], [`builder()`] and [`Builder`] |
//! | data that no field of a span declares | [`XraySpanExt`] |
//! | the trace header of the current span | [`current_trace_header`] |
//! | spans that are left out, renamed or completed at their close | [`DropRule`], [`ClosingSpan`] |
//! | a query of a library that describes none | [`query()`] |
//! | counts and diagnoses | [`Handle`], [`Stats`], [`Diagnostic`] |
//! | ids, headers, samplers, documents by hand | [`sdk`], which is the crate `xray-sdk` |
//!
//! # Features
//!
//! Only `processor-clock` is on by default. The guide has
//! [what each one costs](guide::configuration#features-and-what-they-cost).
//!
//! | feature | adds |
//! |---|---|
//! | `axum` | `XrayHttpLayer` for axum: each request is a segment, named by its route |
//! | `tower-server` | `XrayHttpLayer` for hyper, tonic and other tower servers |
//! | `tower-client` | `XrayHttpClientLayer` for tower clients |
//! | `reqwest-middleware` | `XrayMiddleware` for reqwest |
//! | `http` | `http::inject` and `http::extract`: the trace header in HTTP headers; headers as data of a span |
//! | `aws-sdk` | `XrayInterceptor` for the AWS SDK; needs Rust 1.94.1 |
//! | `async-graphql` | `XrayGraphqlExtension` for async-graphql: a subsegment for each operation |
//! | `lambda` | `lambda::InvocationLayer` for a `lambda_runtime::Runtime`; `lambda_runtime::run` needs no feature |
//! | `lambda-events` | `lambda_events::link_senders`: links a batch of SQS, SNS or EventBridge to its senders |
//! | `fmt` | `fmt::with_trace_id`: the trace id on log lines |
//! | `central-sampling` | `sdk::sampling::CentralSampler`: the sampling rules of the AWS account |
//! | `plugins`, `plugin-*` | `Builder::plugins`: EC2, ECS, EKS, Elastic Beanstalk, Lambda |
//! | `testing` | `Builder::install_for_test` and `for_tests`: a program's assertions on its own traces |
//! | `processor-clock` | the processor's counter as the clock of spans; on by default |
//! | `queued-emitter` | `Builder::queued`: a thread that sends, for hundreds of root spans a second and more |
//!
//! # Versions
//!
//! Rust 1.91 suffices, 1.94.1 for `aws-sdk`. A raised Rust version, or a raised version of reqwest, axum or
//! lambda_runtime, is a minor version of this crate before its 1.0.
//!
//! # Platforms
//!
//! Linux, macOS and Windows. Not `wasm32-unknown-unknown`: there the standard library has no sockets, no threads and no
//! clock, and `getrandom`, behind `rand`, has no source of randomness without a JavaScript host, so that it does not
//! compile.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod fields;
mod handle;
mod integrations;
mod layer;
mod lifecycle;
mod settings;
mod span_ext;
mod state;

#[cfg(any(doc, doctest))]
pub mod guide;

#[cfg(feature = "http")]
#[doc(inline)]
pub use integrations::http;
#[cfg(feature = "lambda")]
#[doc(inline)]
pub use integrations::lambda;
#[cfg(feature = "lambda-events")]
#[doc(inline)]
pub use integrations::lambda_events;
#[cfg(feature = "fmt")]
#[doc(inline)]
pub use integrations::log as fmt;

#[cfg(feature = "testing")]
pub use builder::TestTraces;
pub use builder::{BuildError, Builder, builder, layer};
pub use handle::diagnostic::{Diagnostic, NotSampledBy};
pub use handle::layer_handle::Handle;
#[cfg(feature = "tower-client")]
#[doc(inline)]
pub use http::XrayHttpClientLayer;
#[cfg(feature = "tower-server")]
#[doc(inline)]
pub use http::XrayHttpLayer;
#[cfg(feature = "reqwest-middleware")]
#[doc(inline)]
pub use http::XrayMiddleware;
#[cfg(feature = "aws-sdk")]
#[doc(inline)]
pub use integrations::aws_sdk::XrayInterceptor;
#[cfg(feature = "async-graphql")]
#[doc(inline)]
pub use integrations::graphql::XrayGraphqlExtension;
pub use integrations::query::{Query, query};
pub use layer::default_filter::{DefaultFilter, default_filter};
#[doc(hidden)]
pub use layer::filter_mode::{FilterMode, WithDefaultFilter, WithFilter, WithoutFilter};
pub use layer::filtered::FilteredLayer;
pub use layer::xray_layer::XrayLayer;
pub use settings::config::ContextMissing;
pub use settings::drop_rule::DropRule;
pub use span_ext::{XraySpanExt, current_trace_header};
pub use state::closing_span::ClosingSpan;
pub use state::stats::Stats;

pub use xray_sdk as sdk;
#[cfg(feature = "queued-emitter")]
pub use xray_sdk::{QueueGuard, QueuedEmitter};

#[cfg(test)]
mod tests;
