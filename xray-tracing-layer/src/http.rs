//! HTTP: the trace header on its way in and out, and a layer for servers.
//!
//! [`XrayHttpLayer`] (feature `tower`) goes around an axum router, a tonic server, or any other service of `http`'s
//! requests. Whoever makes or serves requests by a library that has no integration here needs [`inject`] and
//! [`extract`], and nothing else.

#[cfg(feature = "tower")]
mod grpc;
mod headers;
#[cfg(feature = "tower")]
mod server;

pub use headers::{TRACEPARENT, X_AMZN_TRACE_ID, extract, inject, inject_header};
#[cfg(feature = "tower")]
pub use server::{XrayHttpBody, XrayHttpFuture, XrayHttpLayer, XrayHttpService};
