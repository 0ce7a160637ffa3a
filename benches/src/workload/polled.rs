//! The job of an async service: spans around futures, which are entered from the outermost to the innermost at each poll.
//!
//! The executor does nothing but poll, so that what is counted is the spans'.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use tracing::{Instrument, info_span};

/// Does [`Job::Polled`](super::jobs::Job::Polled).
#[inline(never)]
pub(super) fn request(pending: u32) {
    let root = info_span!("GET /orders", otel.kind = "server");
    let mut request = pin!(async { order(pending).instrument(info_span!("order")).await }.instrument(root));
    let mut context = Context::from_waker(Waker::noop());
    while request.as_mut().poll(&mut context).is_pending() {}
}

async fn order(pending: u32) {
    for order in 0..3 {
        Pending(pending).instrument(info_span!("load", kind = "order", order)).await;
    }
}

/// Is pending so many times.
struct Pending(u32);

impl Future for Pending {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        match self.0.checked_sub(1) {
            Some(left) => {
                self.0 = left;
                Poll::Pending
            }
            None => Poll::Ready(()),
        }
    }
}
