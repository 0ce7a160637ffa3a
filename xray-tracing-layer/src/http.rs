//! HTTP: the trace header on its way in and out. Whoever makes or serves requests by a library that has no
//! integration here needs these two functions, and nothing else.

#[cfg(feature = "tower")]
#[cfg_attr(not(test), expect(dead_code, reason = "the layers that read it follow"))]
mod grpc;
mod headers;

pub use headers::{TRACEPARENT, X_AMZN_TRACE_ID, extract, inject, inject_header};
