//! An exchange: a request with its response, the span, and what is recorded in it on the way.
//!
//! The last owner closes the span. Servers and clients use the same type.

use ::http::header::CONTENT_LENGTH;
use ::http::{HeaderMap, StatusCode};
use tracing::{Span, record_all};
use xray_sdk::TraceHeader;

use super::grpc::{GrpcStatus, is_grpc};
use super::headers::{X_AMZN_TRACE_ID, value_of};
use super::recorded_headers::record_response_headers;
#[cfg(feature = "tower-server")]
use crate::layer::find::end;
use crate::layer::find::update;
use crate::span_ext::XraySpanExt;

#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) span: Span,
    /// Set if this side is the client.
    pub(super) is_client: bool,
    pub(super) is_grpc: bool,
    /// The caller's header, if the caller requests the sampling decision.
    pub(super) requested: Option<Box<TraceHeader>>,
    /// Set if the response has no body, whatever its headers say of a length.
    pub(super) has_no_body: bool,
    /// The length of the body, if it is known beforehand.
    pub(super) length: Option<u64>,
}

impl Exchange {
    /// Creates a client's exchange.
    #[cfg(any(feature = "tower-client", feature = "reqwest-middleware"))]
    pub(super) fn call(span: Span, is_grpc: bool) -> Self {
        Self { span, is_client: true, is_grpc, requested: None, has_no_body: false, length: None }
    }

    /// Records the head of the response. `exact` is the length of its body, if known.
    pub(super) fn respond(&mut self, status: StatusCode, headers: &mut HeaderMap, exact: Option<u64>) {
        self.has_no_body |= is_without_body(status);
        let declared = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        self.length = declared.or(exact);
        // Together, so that layers are called once. An absent length is not recorded.
        record_all!(
            self.span,
            http.response.status_code = status.as_u16(),
            http.response.body.size = self.length,
        );
        record_response_headers(&self.span, headers);
        let has_status = self.trailers(headers);
        if self.is_client {
            // A server other than gRPC, such as a proxy, sends no status after the body.
            self.is_grpc = self.is_grpc && !has_status && is_grpc(headers);
        }
        // The decision is final by now.
        let respond = self
            .requested
            .take()
            .and_then(|requested| Some(requested.to_response(self.span.trace_header()?.sampled())));
        if let Some(value) = respond.and_then(|respond| value_of(&respond)) {
            headers.insert(X_AMZN_TRACE_ID, value);
        }
    }

    /// Records gRPC's status, also if the headers are the only trailers.
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

    /// Records that the exchange was cancelled.
    pub(super) fn abandon(self, before: &str) {
        update(&self.span, |body| body.cancel(before));
    }
}

/// A server's request is over with its exchange, whatever holds the span beside it.
#[cfg(feature = "tower-server")]
impl Drop for Exchange {
    fn drop(&mut self) {
        if !self.is_client {
            end(std::mem::replace(&mut self.span, Span::none()));
        }
    }
}

/// Returns whether a status means that nothing follows the headers (RFC 9110, 6.4.1).
fn is_without_body(status: StatusCode) -> bool {
    status.is_informational() || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}
