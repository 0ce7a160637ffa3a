//! The future of a request, polled in its span: a server's handler, or a client's call.
//!
//! The span ends with a response, an error or a panic, or when the future is dropped. A response passes the span to its
//! body, if there is more to come.

use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ::http::Response;
use http_body::Body;
use pin_project_lite::pin_project;
use tracing::Span;

use super::body::XrayHttpBody;
use super::exchange::Exchange;

pin_project! {
    /// The future of a traced service's response.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct XrayHttpFuture<F, E> {
        #[pin]
        inner: Option<F>,
        // Present until the future is ready.
        exchange: Option<Exchange>,
        fail: fn(&Span, &E),
    }

    impl<F, E> PinnedDrop for XrayHttpFuture<F, E> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(exchange) = this.exchange.take() {
                // Whatever the work holds is dropped in its span.
                exchange.span.in_scope(|| this.inner.set(None));
                exchange.abandon("the answer");
            }
        }
    }
}

impl<F, E> XrayHttpFuture<F, E> {
    /// Creates the future. `fail` records an error of the work in the span.
    pub(super) fn new(inner: F, exchange: Exchange, fail: fn(&Span, &E)) -> Self {
        Self { inner: Some(inner), exchange: Some(exchange), fail }
    }
}

impl<F, R, E> Future for XrayHttpFuture<F, E>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body,
{
    type Output = Result<Response<XrayHttpBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        // Without an exchange, the future was polled after it was ready.
        let Some(exchange) = this.exchange.as_ref() else { return Poll::Pending };
        let polled = exchange.poll(|| {
            let result = match this.inner.as_mut().as_pin_mut() {
                Some(inner) => ready!(inner.poll(cx)),
                None => return Poll::Pending,
            };
            this.inner.set(None);
            Poll::Ready(result)
        });
        let result = match polled {
            Ok(polled) => ready!(polled),
            Err(panic) => {
                exchange.span.in_scope(|| this.inner.set(None));
                *this.exchange = None;
                resume_unwind(panic)
            }
        };
        let Some(mut exchange) = this.exchange.take() else { return Poll::Pending };
        Poll::Ready(match result {
            Ok(mut response) => {
                let (status, exact) = (response.status(), response.body().size_hint().exact());
                exchange.respond(status, response.headers_mut(), exact);
                Ok(response.map(|body| XrayHttpBody::new(body, exchange)))
            }
            Err(err) => {
                (this.fail)(&exchange.span, &err);
                Err(err)
            }
        })
    }
}
