//! Spans that a rule leaves out: which spans, what becomes of their children, and what is counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use tracing::{error, info_span};
use xray_sdk::SamplingDecision;
use xray_tracing_layer::{DropRule, XraySpanExt, current_trace_header};

use crate::support::{MemoryRig, Rig, assert_law, document_of};

fn request() {
    let _root = info_span!("GET /orders").entered();
    info_span!("poll").in_scope(|| {
        info_span!("query").in_scope(|| drop(info_span!("connection")));
        info_span!(target: "store::cache", "lookup").in_scope(|| drop(info_span!("hash")));
    });
}

#[test]
fn a_span_left_out_by_name_leaves_its_children_to_its_parent() {
    let rig = Rig::with(|b| b.drop_span("poll"));
    rig.run(request);
    rig.assert_picture(
        "
◆ shop
├─ query
│  └─ connection
└─ lookup
   └─ hash
",
    );
    let stats = rig.handle.stats();
    assert_eq!((stats.closed, stats.left_out), (5, 1));
    assert_law(&stats);
}

#[test]
fn a_target_stands_for_those_below_it_and_takes_its_children_along_on_request() {
    let rig = Rig::with(|b| b.drop_span(DropRule::target("store").with_children()));
    rig.run(request);
    rig.assert_picture(
        "
◆ shop
└─ poll
   └─ query
      └─ connection
",
    );
    assert_eq!(rig.handle.stats().left_out, 1);
    let rig = Rig::with(|b| b.drop_span(DropRule::target("stor")));
    rig.run(request);
    assert_eq!(rig.handle.stats().left_out, 0, "half a name is another");
}

#[test]
fn a_function_decides_once_for_each_callsite() {
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let rig = Rig::with(|b| {
        b.drop_span(DropRule::matching(move |metadata| {
            count.fetch_add(1, Relaxed);
            metadata.fields().field("internal").is_some()
        }))
    });
    rig.run(|| {
        let _root = info_span!("root").entered();
        for _ in 0..100 {
            let _one = info_span!("one", internal = true).entered();
            drop(info_span!("two"));
        }
    });
    assert_eq!(asked.load(Relaxed), 3);
    let stats = rig.handle.stats();
    assert_eq!((stats.closed, stats.left_out), (101, 100));
}

#[test]
fn a_function_that_panics_keeps_the_span_and_is_counted() {
    let rig =
        Rig::with(|b| b.drop_span(DropRule::matching(|_| panic!("of the rule's own"))).drop_span("poll"));
    rig.run(request);
    let stats = rig.handle.stats();
    assert_eq!((stats.closed, stats.left_out, stats.caught_panics), (5, 1, 6), "the next rule counts");
}

#[test]
fn a_function_that_opens_spans_itself_neither_loops_nor_locks() {
    fn polled() {
        drop(info_span!("polled", n = 1));
    }
    // On a thread of its own: what locks would hang there.
    let (done, wait) = std::sync::mpsc::channel();
    #[expect(clippy::disallowed_methods, reason = "the test's own thread")]
    std::thread::spawn(move || {
        // `tracing` may take a callsite for a disabled one that it meets in a callback first.
        polled();
        let rig = MemoryRig::with(|b| {
            b.drop_span(DropRule::matching(|metadata| {
                polled();
                error!("of the rule's own");
                metadata.name() == "polled"
            }))
        });
        rig.run(|| {
            let _root = info_span!("root").entered();
            polled();
            drop(info_span!("kept"));
        });
        done.send((rig.documents().len(), rig.handle.stats().closed, rig.handle.stats().left_out)).unwrap();
    });
    let seen = wait.recv_timeout(std::time::Duration::from_secs(60)).expect("no lock");
    assert_eq!(seen, (1, 2, 1));
}

#[test]
fn events_and_methods_of_a_span_that_is_left_out_belong_to_its_parent() {
    let rig = Rig::with(|b| b.drop_span("poll"));
    rig.run(|| {
        let root = info_span!("root").entered();
        let poll = info_span!("poll").entered();
        error!("refused");
        assert_eq!(poll.trace_header(), root.trace_header());
    });
    let document = rig.document();
    assert_eq!(document["cause"]["exceptions"][0]["message"], "refused");
    assert!(document.get("subsegments").is_none());
}

#[test]
fn a_call_inside_of_what_is_left_out_as_a_whole_says_so() {
    let rig = Rig::with(|b| b.drop_span(DropRule::name("poll").with_children()));
    rig.run(|| {
        let _root = info_span!("root").entered();
        let _poll = info_span!("poll").entered();
        let _inside = info_span!("inside").entered();
        assert_eq!(current_trace_header().unwrap().sampled(), SamplingDecision::NotSampled);
    });
    assert!(rig.document().get("subsegments").is_none());
}

#[test]
fn a_root_that_is_left_out_leaves_its_children_roots_or_nothing() {
    for (rule, segments) in [(DropRule::name("root"), 2), (DropRule::name("root").with_children(), 0)] {
        let rig = MemoryRig::with(|b| b.drop_span(rule));
        rig.run(|| {
            let _root = info_span!("root").entered();
            drop(info_span!("one"));
            drop(info_span!("two"));
        });
        assert_eq!(rig.documents().len(), segments);
        assert_eq!(rig.handle.stats().left_out, 1);
    }
}

#[test]
fn calls_that_libraries_describe_are_left_out_by_their_target() {
    let rig = Rig::with(|b| b.drop_span(DropRule::target("sqlx")));
    rig.run(|| {
        let _root = info_span!("root").entered();
        tracing::event!(target: "sqlx::query", tracing::Level::DEBUG, summary = "select 1", elapsed_secs = 0.000_003);
    });
    assert!(rig.document().get("subsegments").is_none());
    assert_eq!(rig.handle.stats().left_out, 1);
}

#[test]
fn what_is_not_sampled_is_not_counted_as_left_out() {
    let rig = MemoryRig::with(|b| b.sampler(xray_sdk::sampling::Never).drop_span("poll"));
    rig.run(request);
    assert_eq!((rig.documents().len(), rig.handle.stats().left_out), (0, 0));
    // Without a rule, nothing is left out.
    assert!(document_of(request)["subsegments"][0]["subsegments"].is_array());
}
