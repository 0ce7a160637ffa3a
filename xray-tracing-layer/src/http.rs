//! HTTP: the trace header on its way in and out, layers for servers and clients.
//!
//! [`XrayHttpLayer`] (feature `tower`) goes around an axum router, a tonic server, or any other service of `http`'s
//! requests; [`XrayHttpClientLayer`] (feature `tower-client`) around a client of that kind; [`XrayMiddleware`] (feature
//! `reqwest-middleware`) into a reqwest client. Whoever makes or serves requests by a library that has no integration
//! here needs [`inject`] and [`extract`], and nothing else.

mod headers;

#[cfg(any(feature = "tower", feature = "tower-client"))]
mod grpc;

#[cfg(any(feature = "tower", feature = "tower-client"))]
mod exchange;

#[cfg(any(feature = "tower", feature = "tower-client"))]
mod body;
#[cfg(any(feature = "tower", feature = "tower-client"))]
mod future;

#[cfg(feature = "tower")]
mod server;

#[cfg(any(feature = "tower-client", feature = "reqwest-middleware"))]
mod call;

#[cfg(feature = "tower-client")]
mod client;

#[cfg(feature = "reqwest-middleware")]
mod reqwest;

#[cfg(any(feature = "tower", feature = "tower-client"))]
pub use body::XrayHttpBody;
#[cfg(feature = "tower-client")]
pub use client::{XrayHttpClientLayer, XrayHttpClientService};
#[cfg(any(feature = "tower", feature = "tower-client"))]
pub use future::XrayHttpFuture;
pub use headers::{TRACEPARENT, X_AMZN_TRACE_ID, extract, inject, inject_header};
#[cfg(feature = "reqwest-middleware")]
pub use reqwest::XrayMiddleware;
#[cfg(feature = "tower")]
pub use server::{XrayHttpLayer, XrayHttpService};
