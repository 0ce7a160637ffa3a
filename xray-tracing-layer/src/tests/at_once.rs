//! Services of tower that answer at once, and their answers.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use ::http::{Request, Response};
use tower_service::Service;

/// A service that answers by a function.
#[derive(Clone)]
pub(super) struct AtOnce<F>(pub(super) F);

impl<R, B, F: FnMut(Request<R>) -> Response<B>> Service<Request<R>> for AtOnce<F> {
    type Response = Response<B>;
    type Error = Infallible;
    type Future = Ready<Result<Response<B>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<R>) -> Self::Future {
        ready(Ok(self.0(request)))
    }
}

/// Returns the answer of a service that is ready at once.
pub(super) fn answer<S, R, B>(service: &mut S, request: Request<R>) -> Response<B>
where
    S: Service<Request<R>, Response = Response<B>>,
{
    let future = pin!(service.call(request));
    let Poll::Ready(Ok(response)) = future.poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("pending")
    };
    response
}

/// Answers with the headers of the request.
#[cfg(feature = "tower-client")]
pub(super) fn mirror(request: Request<()>) -> Response<String> {
    let mut response = Response::new(String::new());
    *response.headers_mut() = request.into_parts().0.headers;
    response
}
