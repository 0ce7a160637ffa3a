//! What a span may allocate: in steady state nothing beyond what the registry does, be it sampled or not.
//!
//! A binary of its own, since it counts every allocation of its threads.

#![allow(missing_docs, reason = "tests are named by what they claim")]
#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]
#![allow(clippy::print_stdout, reason = "the numbers are what one comes here for")]

use std::sync::{Arc, Barrier, Mutex};

use tracing::{Dispatch, Span, info_span};
use tracing_subscriber::prelude::*;
use tracing_subscriber::{Layer, Registry, registry};
use xray_sdk::sampling::{Always, Never, Sampler};
use xray_sdk::{EmitError, Emitter, Packet};

/// A layer that does nothing.
struct Idle;

impl<S: tracing::Subscriber> Layer<S> for Idle {}

/// Takes packets and forgets them.
struct Nowhere;

impl Emitter for Nowhere {
    fn emit(&self, _: &Packet) -> Result<(), EmitError> {
        Ok(())
    }
}

fn xray(sampler: impl Sampler) -> Dispatch {
    let builder = xray_tracing_layer::builder().service_name("shop").emitter(Nowhere).sampler(sampler);
    Dispatch::new(registry().with(builder.build::<Registry>().unwrap()))
}

fn xray_without_filter(sampler: impl Sampler) -> Dispatch {
    let builder = xray_tracing_layer::builder().service_name("shop").emitter(Nowhere).sampler(sampler);
    Dispatch::new(registry().with(builder.without_filter().build::<Registry>().unwrap()))
}

/// The registry, with a layer that does nothing behind the same filter.
fn idle() -> Dispatch {
    Dispatch::new(registry().with(Idle.with_filter(xray_tracing_layer::default_filter())))
}

fn registry_alone() -> Dispatch {
    Dispatch::new(registry())
}

const ROUNDS: u64 = 1_000;

/// Allocations of [`ROUNDS`] runs, after as many to warm up.
fn allocations(dispatch: &Dispatch, run: impl Fn()) -> u64 {
    allocations_of(ROUNDS, dispatch, run)
}

/// Allocations of so many runs, after as many to warm up.
fn allocations_of(rounds: u64, dispatch: &Dispatch, run: impl Fn()) -> u64 {
    tracing::dispatcher::with_default(dispatch, || {
        for _ in 0..rounds {
            run();
        }
        allocation_counter::measure(|| {
            for _ in 0..rounds {
                run();
            }
        })
        .count_total
    })
}

fn child() {
    info_span!("child", kind = "big", order = 7).in_scope(|| ());
}

fn request() {
    let root = info_span!(
        "GET /orders",
        http.request.method = "GET",
        url.path = "/orders",
        http.response.status_code = 200
    );
    let _in = root.enter();
    info_span!("load", order = 7, kind = "big")
        .in_scope(|| info_span!("cache", annotation.hit = false).in_scope(|| ()));
    info_span!("query", db.system = "postgresql", db.query.text = "select 1", otel.kind = "client")
        .in_scope(|| ());
    info_span!("render", bytes = 512_u64).in_scope(|| ());
    root.record("http.response.status_code", 503);
}

#[test]
fn the_counter_counts_and_the_spans_are_recorded() {
    let (layer, handle) = xray_tracing_layer::builder()
        .service_name("shop")
        .emitter(Nowhere)
        .sampler(Always)
        .build_with_handle::<Registry>()
        .unwrap();
    let dispatch = Dispatch::new(registry().with(layer));
    let counted = allocations(&dispatch, || {
        request();
        drop(Box::new(1));
    });
    assert!(counted >= ROUNDS, "{counted}");
    assert_eq!(handle.stats().closed, 2 * 5 * ROUNDS);
}

#[track_caller]
fn assert_no_more(what: &str, ours: u64, theirs: u64, spans: u64) {
    let extra = ours as f64 - theirs as f64;
    println!(
        "{what}: {} per span beyond the registry's ({ours} and {theirs} allocations for {spans} spans)",
        extra / spans as f64
    );
    // A table or a pool may still grow once or twice.
    assert!(ours <= theirs + spans / 100, "{what}: {ours} allocations, {theirs} without, for {spans} spans");
}

#[test]
fn a_sampled_child_allocates_nothing_of_its_own() {
    let (sampled, idle) = (xray(Always), idle());
    let measure = |dispatch: &Dispatch| {
        tracing::dispatcher::with_default(dispatch, || {
            let _root = info_span!("root").entered();
            allocations(dispatch, child)
        })
    };
    assert_no_more("a child", measure(&sampled), measure(&idle), ROUNDS);
}

#[test]
fn a_sampled_request_allocates_nothing_of_its_own() {
    assert_no_more(
        "a request",
        allocations(&xray(Always), request),
        allocations(&idle(), request),
        5 * ROUNDS,
    );
}

/// More children than there is room for, of two traces that are open at once.
fn wide() {
    let roots = [info_span!("root"), info_span!(parent: None, "root")];
    for order in 0..800 {
        for root in &roots {
            info_span!(parent: root, "child", annotation.kind = "big", order, weight = 0.5, hot = true)
                .in_scope(|| ());
        }
    }
}

#[test]
fn a_wide_trace_allocates_nothing_of_its_own() {
    let (ours, theirs) = (allocations_of(4, &xray(Always), wide), allocations_of(4, &idle(), wide));
    assert_no_more("a wide trace", ours, theirs, 4 * 2 * 801);
}

#[test]
fn without_its_filter_it_allocates_nothing_of_its_own_either() {
    let ours = allocations(&xray_without_filter(Always), request);
    assert_no_more("a request, without filter", ours, allocations(&registry_alone(), request), 5 * ROUNDS);
}

#[test]
fn an_unsampled_span_allocates_no_more_than_the_registry_alone() {
    let theirs = allocations(&registry_alone(), request);
    let ours = allocations(&xray(Never), request);
    assert_no_more("an unsampled request", ours, theirs, 5 * ROUNDS);
    let ours = allocations(&xray_without_filter(Never), request);
    assert_no_more("an unsampled request, without filter", ours, theirs, 5 * ROUNDS);
}

#[test]
fn spans_that_open_here_and_close_there_allocate_nothing_either() {
    let sampled = across_threads(&xray(Always));
    let idle = across_threads(&idle());
    assert_no_more("spans across threads", sampled, idle, ROUNDS * BATCH);
    let unsampled = across_threads(&xray(Never));
    assert_no_more("unsampled spans across threads", unsampled, idle, ROUNDS * BATCH);
}

/// Requests that are under way at once.
const BATCH: u64 = 50;

/// Allocations of both threads, while one opens batches of roots and children and the other closes them.
fn across_threads(dispatch: &Dispatch) -> u64 {
    let handover = Arc::new(Mutex::new(Vec::<(Span, Span)>::with_capacity(BATCH as usize)));
    let barrier = Arc::new(Barrier::new(2));
    let side = |open: bool| {
        let (handover, barrier, dispatch) = (Arc::clone(&handover), Arc::clone(&barrier), dispatch.clone());
        move || {
            let round = || {
                if open {
                    for _ in 0..BATCH / 2 {
                        let root = info_span!("root", order = 7);
                        let child = info_span!(parent: &root, "child", kind = "big");
                        handover.lock().unwrap().push((root, child));
                    }
                }
                barrier.wait();
                if !open {
                    handover.lock().unwrap().drain(..).for_each(drop);
                }
                barrier.wait();
            };
            allocations(&dispatch, round)
        }
    };
    std::thread::scope(|scope| {
        let (opening, closing) = (scope.spawn(side(true)), scope.spawn(side(false)));
        opening.join().unwrap() + closing.join().unwrap()
    })
}

/// Bytes that `burst` leaves in this thread's pools, once ordinary requests ran again.
fn left_behind(burst: impl FnOnce()) -> i64 {
    tracing::dispatcher::with_default(&xray(Always), || {
        (0..ROUNDS).for_each(|_| request());
        let during = allocation_counter::measure(burst).bytes_current;
        let after = allocation_counter::measure(|| (0..ROUNDS).for_each(|_| request())).bytes_current;
        println!("{during} bytes left by a burst, {after} since");
        during + after
    })
}

/// What a thread may keep: a document or two, and some records of ordinary size.
const KEPT: i64 = 512 << 10;

#[test]
fn a_burst_of_large_spans_leaves_no_megabytes_behind() {
    let text = "x".repeat(10_000);
    let left = left_behind(|| {
        let open: Vec<Span> =
            (0..100).map(|_| info_span!("large", a = text, b = text, c = text, d = text)).collect();
        drop(open);
    });
    assert!(left < KEPT, "{left} bytes");
}

#[test]
fn a_megabyte_in_a_field_leaves_no_megabytes_behind() {
    let text = "a&".repeat(1 << 19);
    for (field, span) in [
        ("log groups", &(|| info_span!("large", aws.log.group.names = text)) as &dyn Fn() -> Span),
        ("any", &|| info_span!("large", any = text)),
        ("error", &|| info_span!("large", error = text)),
        ("url", &|| info_span!("large", url.full = text)),
        ("statement", &|| info_span!("large", db.query.text = text)),
        ("name", &|| info_span!("large", xray.name = text, otel.name = %text)),
        ("annotation", &|| info_span!("large", annotation.a = text, annotation.b = ?text)),
        ("header", &|| info_span!("large", xray.trace_header = text)),
    ] {
        let left = left_behind(|| drop(span()));
        assert!(left < KEPT, "{field}: {left} bytes");
    }
}

/// A request through the layer for servers, beyond the service that it goes around.
#[cfg(feature = "tower-server")]
#[test]
fn the_layer_for_servers_allocates_nothing_for_a_request() {
    use std::convert::Infallible;
    use std::future::{Future, Ready, ready};
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use tower_layer::Layer as _;
    use tower_service::Service;
    use xray_tracing_layer::XrayHttpLayer;

    struct Hello;

    impl<'a> Service<http::Request<&'a ()>> for Hello {
        type Response = http::Response<String>;
        type Error = Infallible;
        type Future = Ready<Result<http::Response<String>, Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: http::Request<&'a ()>) -> Self::Future {
            ready(Ok(http::Response::new(String::new())))
        }
    }

    type Headers = &'static [(&'static str, &'static str)];
    let exchange = |wrapped: bool, headers: Headers| {
        let mut request = http::Request::new(&());
        for (name, value) in headers {
            request.headers_mut().insert(*name, http::HeaderValue::from_static(value));
        }
        let cx = &mut Context::from_waker(Waker::noop());
        if wrapped {
            assert!(pin!(XrayHttpLayer::new().layer(Hello).call(request)).poll(cx).is_ready());
        } else {
            assert!(pin!(Hello.call(request)).poll(cx).is_ready());
        }
    };
    let beyond = |dispatch: &Dispatch, headers: Headers| {
        let with = allocations(dispatch, || exchange(true, headers));
        with - allocations(dispatch, || exchange(false, headers))
    };
    let headers: Headers = &[
        ("host", "shop.example"),
        ("user-agent", "curl/8"),
        ("x-amzn-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"),
        ("x-forwarded-for", "203.0.113.9"),
    ];
    assert_eq!(beyond(&Dispatch::none(), headers), 0, "nobody wants the span");
    let sampled = xray(Always);
    assert_eq!(beyond(&sampled, headers), 0, "everything is a part of the request");
}
