//! The jobs, as an application instrumented with `tracing` does them. The rivals that have an interface of their
//! own say the same in their words, beside their setup. Nothing is measured here.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use tracing::Dispatch;
use tracing::dispatcher::{get_default, with_default};
use tracing::field::Empty;
use tracing::{Span, debug_span, error, info_span};

use super::exchange::exchange;
use super::polled;

/// What is done, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// A root with method, URL and a status recorded later; four children with a string and an integer, of which one is
    /// negative; one of them with an error event.
    Request,
    /// A root with so many children one after the other, each with a string and an integer.
    Children(u32),
    /// A root with so many children one after the other, each with an annotation and an integer, a float and a flag.
    Kinds(u32),
    /// A root with so many children that the layer's filter rejects, and another layer wants.
    Rejected(u32),
    /// Spans within spans, so many levels below the root.
    Chain(u32),
    /// So many roots, each with a child that outlives it and is entered and closed on another thread.
    Late(u32),
    /// An async root with a child and three grandchildren in that, one after the other, each of which is pending so many times.
    Polled(u32),
    /// A request through the integrations for HTTP, with one call.
    Exchange,
}

impl Job {
    /// Spans that it opens.
    #[must_use]
    pub fn spans(self) -> u32 {
        match self {
            Self::Request | Self::Polled(_) => 5,
            Self::Children(count) | Self::Kinds(count) | Self::Rejected(count) | Self::Chain(count) => {
                1 + count
            }
            Self::Late(count) => 2 * count,
            Self::Exchange => 2,
        }
    }

    /// Does it, for whichever subscriber is this thread's.
    pub fn with_tracing(self) {
        match self {
            Self::Request => request(),
            Self::Children(count) => children(count),
            Self::Kinds(count) => kinds(count),
            Self::Rejected(count) => rejected(count),
            Self::Chain(depth) => chain(depth),
            Self::Late(count) => late(count),
            Self::Polled(pending) => polled::request(pending),
            Self::Exchange => exchange(),
        }
    }
}

/// 40 bytes, as URLs of services are long.
pub(crate) const URL: &str = "https://shop.example/orders/1234567/item";

// `otel.kind` is there for the sake of opentelemetry-aws, which sends nothing of a root that is not a server's.

#[inline(never)]
fn request() {
    let root = info_span!(
        "GET /orders",
        otel.kind = "server",
        http.request.method = "GET",
        url.full = URL,
        http.response.status_code = Empty
    );
    let _in_root = root.enter();
    for order in -1..3 {
        let _in_child = info_span!("load", kind = "order", order).entered();
        if order == 1 {
            error!("no luck");
        }
    }
    root.record("http.response.status_code", 200);
}

#[inline(never)]
fn children(count: u32) {
    let _in_root = info_span!("GET /orders", otel.kind = "server").entered();
    for order in 0..count {
        let _in_child = info_span!("load", kind = "order", order).entered();
    }
}

#[inline(never)]
fn kinds(count: u32) {
    let _in_root = info_span!("GET /orders", otel.kind = "server").entered();
    for order in 0..count {
        let weight = f64::from(order) * 0.25 + 0.1;
        let _in_child =
            info_span!("load", annotation.kind = "order", order, weight, express = order % 2 == 0).entered();
    }
}

#[inline(never)]
fn rejected(count: u32) {
    let _in_root = info_span!("GET /orders", otel.kind = "server").entered();
    for order in 0..count {
        let _in_child = debug_span!("load", kind = "order", order).entered();
    }
}

#[inline(never)]
fn chain(depth: u32) {
    let _in_root = info_span!("GET /orders", otel.kind = "server").entered();
    descend(depth);
}

fn descend(left: u32) {
    if left > 0 {
        let _in_child = info_span!("load", kind = "order", left).entered();
        descend(left - 1);
    }
}

#[inline(never)]
fn late(count: u32) {
    let open: Vec<Span> = (0..count)
        .map(|order| {
            let in_root = info_span!("GET /orders", otel.kind = "server").entered();
            let child = info_span!("load", kind = "order", order);
            drop(in_root);
            child
        })
        .collect();
    static ELSEWHERE: OnceLock<Sender<Elsewhere>> = OnceLock::new();
    // One thread for all jobs, so that what it keeps is there from the second time on.
    let elsewhere = ELSEWHERE.get_or_init(|| {
        let (sender, jobs) = channel::<Elsewhere>();
        let work = move || jobs.into_iter().for_each(Elsewhere::close);
        // A machine without threads has nothing to measure here.
        drop(thread::Builder::new().spawn(work));
        sender
    });
    let (done, is_done) = channel();
    // The registry closes a parent by the subscriber of the thread that closes its last child.
    let subscriber = get_default(Dispatch::clone);
    let is_measured = IS_MEASURED.load(Relaxed);
    if elsewhere.send(Elsewhere { open, subscriber, is_measured, done }).is_ok() {
        let _ = is_done.recv();
    }
}

/// Whether jobs run to be measured, and not to warm up.
pub(crate) static IS_MEASURED: AtomicBool = AtomicBool::new(false);

/// The part of [`Job::Late`] on the other thread.
struct Elsewhere {
    open: Vec<Span>,
    subscriber: Dispatch,
    is_measured: bool,
    done: Sender<()>,
}

impl Elsewhere {
    fn close(self) {
        let Self { open, subscriber, is_measured, done } = self;
        with_default(
            &subscriber,
            || if is_measured { measured_run_elsewhere(open) } else { close_all(open) },
        );
        let _ = done.send(());
    }
}

/// Callgrind collects by this name, on each thread for itself.
#[inline(never)]
fn measured_run_elsewhere(open: Vec<Span>) {
    close_all(open);
}

#[inline(never)]
fn close_all(open: Vec<Span>) {
    for span in open {
        span.in_scope(|| ());
    }
}
