//! The future of a request: its span opens at the first poll, and is entered whenever the rest of the chain is polled.
//!
//! ```text
//!  unsent ──poll──► the span opens, its header is added ► running: polled in the span ──► status, length, or error
//!                                                           └─ dropped before: cancelled
//! ```

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ::http::Extensions;
use ::reqwest::{Request, Response};
use reqwest_middleware::{Error as Failure, Next, Result};
use tracing::Span;

use crate::integrations::http::client_span::{Target, send_header_of};
use crate::integrations::http::exchange::Exchange;
use crate::span_ext::XraySpanExt;

/// The future that reqwest-middleware asks for.
pub(super) type BoxFuture<'a> = Pin<Box<dyn Future<Output = Result<Response>> + Send + 'a>>;

/// The call of a middleware.
pub(super) struct Call<'a> {
    /// Present until the first poll.
    unsent: Option<Unsent<'a>>,
    /// Present from then on until the response.
    running: Option<Running<'a>>,
}

/// The arguments of a middleware.
struct Unsent<'a> {
    request: Request,
    extensions: &'a mut Extensions,
    next: Next<'a>,
    header_only: bool,
}

/// A request that is on its way.
struct Running<'a> {
    /// The rest of the chain.
    inner: Option<BoxFuture<'a>>,
    /// Absent if the middleware opens no span.
    exchange: Option<Exchange>,
}

impl<'a> Call<'a> {
    pub(super) fn new(
        request: Request,
        extensions: &'a mut Extensions,
        next: Next<'a>,
        header_only: bool,
    ) -> Self {
        Self { unsent: Some(Unsent { request, extensions, next, header_only }), running: None }
    }
}

impl Future for Call<'_> {
    type Output = Result<Response>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(unsent) = self.unsent.take() {
            self.running = Some(unsent.send());
        }
        let place = DropOnPanic(&mut self.running);
        // Without one, the future was polled after it was ready.
        let Some(running) = place.0.as_mut() else { return Poll::Pending };
        let polled = running.poll(cx);
        if polled.is_ready() {
            *place.0 = None;
        }
        // No look at whether the thread panics: a destructor may poll the future while another panic unwinds the thread.
        std::mem::forget(place);
        polled
    }
}

/// A guard that drops a request whose poll panics while the thread unwinds, so that the request does not count as
/// cancelled. A poll that returns forgets the guard.
struct DropOnPanic<'p, 'a>(&'p mut Option<Running<'a>>);

impl Drop for DropOnPanic<'_, '_> {
    fn drop(&mut self) {
        *self.0 = None;
    }
}

impl<'a> Unsent<'a> {
    fn send(mut self) -> Running<'a> {
        let exchange = if self.header_only {
            send_header_of(&Span::current(), self.request.headers_mut());
            None
        } else {
            Some(begin(&mut self.request))
        };
        let mut running = Running { inner: None, exchange };
        running.inner = Some(self.next.run(self.request, self.extensions));
        running
    }
}

impl Running<'_> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Response>> {
        let Some(inner) = &mut self.inner else { return Poll::Pending };
        let Some(exchange) = &self.exchange else { return inner.as_mut().poll(cx) };
        let mut result = {
            let _entered = exchange.span.enter();
            let result = ready!(inner.as_mut().poll(cx));
            // Whatever the work holds is dropped in its span.
            self.inner = None;
            result
        };
        if let Some(mut exchange) = self.exchange.take() {
            match &mut result {
                Ok(response) => {
                    let (status, exact) = (response.status(), response.content_length());
                    exchange.respond(status, response.headers_mut(), exact);
                }
                Err(err) => note_failure(&exchange.span, err),
            }
        }
        Poll::Ready(result)
    }
}

/// Records a request that is dropped before its response as cancelled.
impl Drop for Running<'_> {
    fn drop(&mut self) {
        let Some(exchange) = self.exchange.take() else { return };
        exchange.span.in_scope(|| self.inner = None);
        // The layer records a panic when the span closes.
        if !std::thread::panicking() {
            exchange.abandon("the answer");
        }
    }
}

fn begin(request: &mut Request) -> Exchange {
    // Taken out, to be written while method and URL are read.
    let mut headers = std::mem::take(request.headers_mut());
    let url = request.url();
    let target =
        Target { url: &|| url.as_str().into(), host: url.host_str(), port: url.port(), path: url.path() };
    let exchange = Exchange::begin_client(request.method(), &target, &mut headers);
    *request.headers_mut() = headers;
    exchange
}

/// Records why a request failed. The layer takes the URL's query out of the message, wherever it stands.
fn note_failure(span: &Span, failure: &Failure) {
    match failure {
        Failure::Middleware(err) => span.record_error(&**err),
        Failure::Reqwest(err) => span.record_error(err),
    }
}
