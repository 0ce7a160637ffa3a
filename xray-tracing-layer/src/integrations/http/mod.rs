//! HTTP: the trace header in requests, and layers for servers and clients.
//!
//! | | feature | around |
//! |---|---|---|
//! | [`XrayHttpLayer`] | `tower-server` | an axum router, a tonic server, any other service of `http`'s requests |
//! | [`XrayHttpClientLayer`] | `tower-client` | `hyper_util`'s client, tonic's `Channel`, any other service of the kind |
//! | [`XrayMiddleware`] | `reqwest-middleware` | a reqwest client |
//! | [`inject`], [`extract`], [`carry`] | `http` | |
//!
//! For a library without an integration here, the functions are enough. ureq, for instance, has a `HeaderMap`
//! on each request, and tonic's interceptors have one in the metadata.

mod baggage;
#[cfg(any(feature = "tower-server", feature = "tower-client"))]
mod body;
#[cfg(feature = "tower-client")]
mod client;
#[cfg(any(feature = "tower-client", feature = "reqwest-middleware"))]
mod client_span;
#[cfg(any(feature = "tower-server", feature = "tower-client", feature = "reqwest-middleware"))]
mod exchange;
#[cfg(any(feature = "tower-server", feature = "tower-client"))]
mod future;
#[cfg(any(feature = "tower-server", feature = "tower-client", feature = "reqwest-middleware"))]
mod grpc;
mod headers;
mod pass_on;
mod recorded_headers;
#[cfg(feature = "reqwest-middleware")]
mod reqwest;
#[cfg(feature = "tower-server")]
mod server;

#[cfg(feature = "reqwest-middleware")]
pub use self::reqwest::XrayMiddleware;
#[cfg(any(feature = "tower-server", feature = "tower-client"))]
pub use body::XrayHttpBody;
#[cfg(feature = "tower-client")]
#[doc(hidden)]
pub use client::{Boxed, ClientError, Typed};
#[cfg(feature = "tower-client")]
pub use client::{XrayHttpClientLayer, XrayHttpClientService};
#[cfg(any(feature = "tower-server", feature = "tower-client"))]
pub use future::XrayHttpFuture;
pub use headers::{TRACEPARENT, X_AMZN_TRACE_ID, extract, inject, inject_header};
pub use pass_on::carry;
pub use recorded_headers::{record_request_headers, record_response_headers};
#[cfg(feature = "tower-server")]
pub use server::{RequestHead, XrayHttpLayer, XrayHttpService};
