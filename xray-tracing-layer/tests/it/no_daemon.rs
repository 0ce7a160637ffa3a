//! A daemon that is not there, comes back, or has no address: nothing blocks, and every span is accounted for.

use std::error::Error;
use std::time::Duration;

use tracing::info_span;
use xray_sdk::local::Collector;

use crate::support::{MemoryRig, assert_law, builder_for};

#[test]
fn without_a_daemon_nothing_blocks_and_every_span_is_accounted_for() {
    let address = {
        let gone = Collector::start().unwrap();
        gone.daemon_address()
    };
    let rig = MemoryRig::with(|_| {
        xray_tracing_layer::builder()
            .service_name("shop")
            .daemon_address(&address)
            .sampler(xray_sdk::sampling::Always)
    });
    rig.run(|| {
        for _ in 0..100 {
            let _root = info_span!("root").entered();
            info_span!("child").in_scope(|| ());
        }
    });
    let stats = rig.handle.stats();
    assert_law(&stats);
    assert_eq!((stats.closed, stats.folded), (200, 100));
    assert_eq!(stats.lost_with_parent, stats.dropped, "a child went with each lost root");
    assert!(stats.emitter.unavailable > 0, "{stats:?}");
    assert!(rig.handle.flush(Duration::ZERO));
}

#[test]
fn a_daemon_that_comes_back_gets_what_is_sent_from_then_on() {
    let first = Collector::start().unwrap();
    let address = first.address();
    let (layer, handle) = builder_for(&first).build_with_handle::<tracing_subscriber::Registry>().unwrap();
    let subscriber = tracing_subscriber::layer::SubscriberExt::with(tracing_subscriber::registry(), layer);
    let dispatch = tracing::Dispatch::new(subscriber);
    let root = |name: &str| {
        tracing::dispatcher::with_default(&dispatch, || drop(info_span!("root", annotation.n = name)));
    };
    root("before");
    assert!(first.wait_for_documents(1, Duration::from_secs(10)));
    drop(first);
    root("lost");
    root("lost too");
    let second = Collector::bind(address).unwrap();
    for n in ["a", "b", "c"] {
        root(n);
    }
    assert!(second.wait_for_documents(3, Duration::from_secs(10)), "{:?}", handle.stats());
    let received = second.received();
    let names: Vec<_> = received.documents().iter().map(|d| d.json()["annotations"]["n"].clone()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(received.problems(), [""; 0]);
    assert_law(&handle.stats());
}

#[test]
fn a_host_that_does_not_resolve_costs_its_spans_and_nothing_else() {
    let rig = MemoryRig::with(|_| {
        xray_tracing_layer::builder()
            .service_name("shop")
            .daemon_address("no-such-host.invalid:2000")
            .sampler(xray_sdk::sampling::Always)
    });
    rig.run(|| {
        for _ in 0..10 {
            let _root = info_span!("root").entered();
            info_span!("child").in_scope(|| ());
        }
    });
    let stats = rig.handle.stats();
    assert_law(&stats);
    assert_eq!((stats.closed, stats.folded, stats.dropped, stats.lost_with_parent), (20, 10, 10, 10));
}

#[test]
fn an_address_that_is_none_is_refused_when_building() {
    let built = xray_tracing_layer::builder()
        .daemon_address("tcp:only:half udp")
        .build::<tracing_subscriber::Registry>();
    let err = built.err().unwrap();
    assert_eq!(
        err.to_string(),
        "\"tcp:only:half udp\" is not an address of the X-Ray daemon, expected `host:port` or \
         `tcp:host:port udp:host:port`, with a port from 1 to 65535 and brackets around an IPv6 address"
    );
    assert!(err.source().is_some());
}
