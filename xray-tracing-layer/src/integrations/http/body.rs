//! The body of a response, polled in the span of its request.
//!
//! The span closes at the end of the stream, at an error, or when the body is dropped. Servers drop a body as
//! soon as they have what they need, so a drop counts as cancelled only if something is missing. A client's
//! body is not recorded, except for gRPC, whose status comes last.

use std::any::Any;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::exchange::Exchange;
use crate::integrations::errors::{note_error, note_panic, put_error};
use crate::layer::find::update;

pin_project! {
    /// The body of a traced service's response.
    #[derive(Debug)]
    pub struct XrayHttpBody<B>
    where
        B: Body,
    {
        #[pin]
        inner: Option<B>,
        // Present until the body is at its end.
        exchange: Option<Exchange>,
        // Bytes that were read so far.
        passed: u64,
    }

    impl<B> PinnedDrop for XrayHttpBody<B>
    where
        B: Body,
    {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(exchange) = this.exchange.take() {
                let is_at_end = this.inner.as_ref().as_pin_ref().is_none_or(|inner| inner.is_end_stream());
                exchange.span.in_scope(|| this.inner.set(None));
                exchange.drop_body(is_at_end, *this.passed);
            }
        }
    }
}

impl<B: Body> XrayHttpBody<B> {
    pub(super) fn new(inner: B, exchange: Exchange) -> Self {
        if exchange.is_over() {
            return Self { inner: Some(inner), exchange: None, passed: 0 };
        }
        if inner.is_end_stream() {
            exchange.end(0);
            return Self { inner: Some(inner), exchange: None, passed: 0 };
        }
        Self { inner: Some(inner), exchange: Some(exchange), passed: 0 }
    }
}

impl<B> Body for XrayHttpBody<B>
where
    B: Body,
    B::Error: Display + 'static,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let Some(mut inner) = this.inner.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        let Some(exchange) = this.exchange else { return inner.poll_frame(cx) };
        let frame = match exchange.poll(|| inner.as_mut().poll_frame(cx)) {
            Ok(polled) => ready!(polled),
            Err(panic) => {
                exchange.span.in_scope(|| this.inner.set(None));
                *this.exchange = None;
                resume_unwind(panic)
            }
        };
        let is_over = match &frame {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    *this.passed += data.remaining() as u64;
                }
                if let Some(trailers) = frame.trailers_ref() {
                    exchange.trailers(trailers);
                }
                // Nothing may follow trailers, and the reader may not poll again.
                frame.is_trailers() || inner.is_end_stream()
            }
            Some(Err(_)) | None => true,
        };
        if is_over && let Some(exchange) = this.exchange.take() {
            // Whatever the body holds is dropped in its span.
            exchange.span.in_scope(|| this.inner.set(None));
            match &frame {
                Some(Err(err)) => exchange.break_off(err, *this.passed),
                _ => exchange.end(*this.passed),
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Exchange {
    /// Polls in the span. A panic is recorded and returned.
    pub(super) fn poll<R>(&self, poll: impl FnOnce() -> R) -> Result<R, Box<dyn Any + Send>> {
        let _entered = self.span.enter();
        // The panic is only observed; the caller resumes it and polls no more.
        let polled = catch_unwind(AssertUnwindSafe(poll));
        polled.inspect_err(|panic| note_panic(&self.span, &**panic))
    }

    /// Returns whether the exchange ended with the head of the response. A client may keep the body unread for as
    /// long as it likes, which would keep the trace open.
    fn is_over(&self) -> bool {
        self.is_client && !self.is_grpc
    }

    /// Ends the exchange: the body was read completely.
    fn end(self, passed: u64) {
        if self.length.is_none() {
            self.span.record("http.response.body.size", passed);
        }
    }

    /// Ends the exchange with an error of the body: mostly a client that hung up.
    fn break_off<E: Display + 'static>(self, err: &E, passed: u64) {
        if self.is_client {
            note_error(&self.span, err, err);
        } else {
            update(&self.span, |body| {
                body.unredacted().set_error();
                put_error(body, err, err);
            });
        }
        self.end(passed);
    }

    /// Ends the exchange: the body is dropped.
    fn drop_body(self, is_at_end: bool, passed: u64) {
        let whole = is_at_end || self.has_no_body || self.length.is_some_and(|length| passed >= length);
        if whole {
            self.end(passed);
        } else {
            self.abandon("the end of the body");
        }
    }
}
