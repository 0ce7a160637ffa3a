//! A request and its answer, as long as they last: the span, and what has to be noted in it on the way. Whoever is
//! last to hold it lets the span go. Servers and clients both have one; where they differ is said at the place.

use ::http::header::CONTENT_LENGTH;
use ::http::{HeaderMap, HeaderValue, StatusCode};
use tracing::Span;
use xray_sdk::TraceHeader;

use super::grpc::{GrpcStatus, is_grpc};
use super::headers::X_AMZN_TRACE_ID;
use crate::span_ext::{XraySpanExt, update};

#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) span: Span,
    /// Whether we are who asks.
    pub(super) is_client: bool,
    pub(super) is_grpc: bool,
    /// The caller's header, if it wants to know whether the trace is sampled.
    pub(super) requested: Option<TraceHeader>,
    /// Whether the answer ends with its headers, whatever they say of a length.
    pub(super) has_no_body: bool,
    /// The length of the answer's body, if it is known beforehand.
    pub(super) length: Option<u64>,
}

impl Exchange {
    /// What a client begins.
    #[cfg(any(feature = "tower-client", feature = "reqwest-middleware"))]
    pub(super) fn call(span: Span, is_grpc: bool) -> Self {
        Self { span, is_client: true, is_grpc, requested: None, has_no_body: false, length: None }
    }

    /// The head of the answer is there. `exact` is the length of its body, if that knows it.
    pub(super) fn respond(&mut self, status: StatusCode, headers: &mut HeaderMap, exact: Option<u64>) {
        self.span.record("http.response.status_code", status.as_u16());
        self.has_no_body |= is_without_body(status);
        let declared = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        self.length = declared.or(exact);
        if let Some(length) = self.length {
            self.span.record("http.response.body.size", length);
        }
        let has_status = self.trailers(headers);
        if self.is_client {
            // Whoever is no gRPC server, a proxy for instance, sends no status behind the body.
            self.is_grpc &= !has_status && is_grpc(headers);
        }
        // By now the decision is final.
        let respond = self
            .requested
            .take()
            .and_then(|requested| Some(requested.to_response(self.span.trace_header()?.sampled())));
        if let Some(Ok(value)) = respond.map(|respond| HeaderValue::try_from(respond.to_string())) {
            headers.insert(X_AMZN_TRACE_ID, value);
        }
    }

    /// Looks for gRPC's status, also where the headers are the only trailers there are.
    pub(super) fn trailers(&self, headers: &HeaderMap) -> bool {
        let Some(status) = self.is_grpc.then(|| GrpcStatus::of(headers)).flatten() else { return false };
        self.span.record("rpc.grpc.status_code", status.code);
        if !status.is_ok() {
            self.span.record("error.type", status.name());
            if !status.message.is_empty() {
                self.span.record("error.message", &*status.message);
            }
        }
        true
    }

    /// Whoever wanted the answer wants it no more.
    pub(super) fn abandon(self, before: &str) {
        update(&self.span, |body| body.cancel(before));
    }
}

/// Of these statuses HTTP says that nothing follows the headers (RFC 9110, 6.4.1).
fn is_without_body(status: StatusCode) -> bool {
    status.is_informational() || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}
