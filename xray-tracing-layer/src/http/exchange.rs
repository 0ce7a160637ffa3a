//! A request and its answer, as long as they last: the span, and what has to be noted in it on the way. Future and
//! body hand it on, whichever of them is last lets the span go.

use std::any::Any;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};

#[cfg(feature = "tower")]
use ::http::Method;
use ::http::header::CONTENT_LENGTH;
use ::http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body::Body;
use tracing::Span;
use xray_sdk::TraceHeader;
use xray_sdk::document::Exception;

use super::grpc::GrpcStatus;
use super::headers::X_AMZN_TRACE_ID;
use crate::outcome::{note_error, note_panic, put_error};
use crate::span_ext::{XraySpanExt, update};

#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) span: Span,
    /// The caller's header, if it wants to know whether the trace is sampled.
    asked: Option<TraceHeader>,
    is_grpc: bool,
    /// Whether it is over with the answer's headers, whatever becomes of the body.
    ends_with_head: bool,
    /// Whether the answer ends with its headers, whatever they say of a length.
    has_no_body: bool,
    /// The length of the answer's body, if it is known beforehand.
    length: Option<u64>,
    /// Bytes of it that were taken so far.
    sent: u64,
}

impl Exchange {
    /// A request that is served here.
    #[cfg(feature = "tower")]
    pub(super) fn served(span: Span, method: &Method, asked: Option<TraceHeader>, is_grpc: bool) -> Self {
        let has_no_body = method == Method::HEAD;
        Self { span, asked, is_grpc, ends_with_head: false, has_no_body, length: None, sent: 0 }
    }

    /// A request to somebody else. Whoever gets the answer may read it late, or never.
    #[cfg(feature = "tower-client")]
    pub(super) fn called(span: Span, is_grpc: bool) -> Self {
        let ends_with_head = !is_grpc;
        Self { span, asked: None, is_grpc, ends_with_head, has_no_body: false, length: None, sent: 0 }
    }

    /// Whether nothing of the body will be noted.
    pub(super) fn is_over(&self) -> bool {
        self.ends_with_head
    }

    /// Polls what runs in the span. A panic is noted there, and given back.
    pub(super) fn poll<R>(&self, poll: impl FnOnce() -> R) -> Result<R, Box<dyn Any + Send>> {
        let _entered = self.span.enter();
        // Only looked at on its way: it goes on in the caller, which polls nothing any more.
        let polled = catch_unwind(AssertUnwindSafe(poll));
        polled.inspect_err(|panic| note_panic(&self.span, &**panic))
    }

    /// The handler has answered.
    pub(super) fn answer<B: Body>(&mut self, response: &mut Response<B>) {
        let status = response.status();
        self.span.record("http.response.status_code", status.as_u16());
        self.has_no_body |= is_without_body(status);
        let declared =
            response.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        self.length = declared.or_else(|| response.body().size_hint().exact());
        if let Some(length) = self.length {
            self.span.record("http.response.body.size", length);
        }
        self.trailers(response.headers());
        // By now the decision is final.
        let answer =
            self.asked.take().and_then(|asked| Some(asked.to_response(self.span.trace_header()?.sampled())));
        if let Some(Ok(value)) = answer.map(|answer| HeaderValue::try_from(answer.to_string())) {
            response.headers_mut().insert(X_AMZN_TRACE_ID, value);
        }
    }

    /// Some of the body was taken.
    pub(super) fn passed(&mut self, bytes: usize) {
        self.sent += bytes as u64;
    }

    /// Looks for gRPC's status, also where the headers are the only trailers there are.
    pub(super) fn trailers(&self, headers: &HeaderMap) {
        let Some(status) = self.is_grpc.then(|| GrpcStatus::of(headers)).flatten() else { return };
        self.span.record("rpc.grpc.status_code", status.code);
        if !status.is_ok() {
            self.span.record("error.type", status.name());
            if !status.message.is_empty() {
                self.span.record("error.message", &*status.message);
            }
        }
    }

    /// The service has failed to answer.
    pub(super) fn fail<E: Display + 'static>(self, err: &E) {
        note_error(&self.span, err, err);
    }

    /// The body was taken whole.
    pub(super) fn end(self) {
        if self.length.is_none() && !self.ends_with_head {
            self.span.record("http.response.body.size", self.sent);
        }
    }

    /// The body has failed half-way.
    pub(super) fn break_off<E: Display + 'static>(self, err: &E) {
        update(&self.span, |body| {
            body.set_error();
            put_error(body, err, err);
        });
        self.end();
    }

    /// Whoever wanted the answer wants it no more.
    pub(super) fn abandon(self, before: &str) {
        update(&self.span, |body| {
            body.set_error();
            body.add_exception(&Exception::new("Cancelled", format!("dropped before {before}")));
        });
    }

    /// The body is dropped.
    pub(super) fn let_go(self, is_at_end: bool) {
        let whole = is_at_end || self.has_no_body || self.length.is_some_and(|length| self.sent >= length);
        if whole {
            self.end();
        } else {
            self.abandon("the end of the body");
        }
    }
}

/// Of these statuses HTTP says that nothing follows the headers (RFC 9110, 6.4.1).
fn is_without_body(status: StatusCode) -> bool {
    status.is_informational() || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}
