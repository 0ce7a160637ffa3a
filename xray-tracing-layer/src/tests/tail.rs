//! The tail decision: what is kept, what is left out, and what it may take meanwhile.

use std::time::Duration;

use tracing::{error, info_span};
use xray_sdk::SamplingDecision::{NotSampled, Sampled};
use xray_sdk::sampling::{Always, KeepSlowAndFailed, Never, ParentOnly};

use super::{Rig, SAMPLED, SECOND, lambda, names};
use crate::{Stats, XraySpanExt, current_trace_header};

const NOT_SAMPLED: &str = "Root=1-66f1a2b3-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled=0";

fn keep() -> KeepSlowAndFailed<Never> {
    KeepSlowAndFailed::new(Never).slower_than(Duration::from_secs(1))
}

fn rig() -> Rig {
    Rig::new(|b| b.sampler(keep()))
}

#[track_caller]
fn assert_law(stats: &Stats) {
    assert_eq!(stats.closed, stats.folded + stats.emitted + stats.dropped, "{stats:?}");
}

fn count(document: &serde_json::Value) -> usize {
    1 + document["subsegments"].as_array().into_iter().flatten().map(count).sum::<usize>()
}

#[test]
fn a_trace_that_is_neither_slow_nor_failed_leaves_nothing() {
    let rig = rig();
    rig.run(|| {
        let _root = info_span!("root", http.response.status_code = 404).entered();
        info_span!("child").in_scope(|| {
            assert_eq!(current_trace_header().unwrap().sampled(), NotSampled);
            rig.pass(SECOND);
        });
    });
    assert_eq!(rig.sent(), [0; 0]);
    let stats = rig.handle.stats();
    assert_eq!((stats.closed, stats.unsampled, stats.sampled, stats.kept), (0, 1, 0, 0));
}

#[test]
fn a_slow_trace_is_sent_whole_and_says_why() {
    let rig = rig();
    rig.run(|| {
        let root = info_span!("root", tenant = "blue").entered();
        assert_eq!(root.trace_header().unwrap().sampled(), NotSampled);
        info_span!("child").in_scope(|| drop(info_span!("inside")));
        rig.pass(SECOND + 1);
    });
    let sent = rig.sent();
    assert_eq!((sent.len(), count(&sent[0])), (1, 3));
    let metadata = &sent[0]["metadata"]["default"];
    assert_eq!((&metadata["xray.kept"], &metadata["tenant"]), (&"slow".into(), &"blue".into()));
    let stats = rig.handle.stats();
    assert_eq!((stats.closed, stats.folded, stats.emitted), (3, 2, 1));
    assert_eq!((stats.unsampled, stats.sampled, stats.kept), (0, 1, 1));
}

#[test]
fn a_failure_anywhere_keeps_the_trace_and_a_clients_error_on_request() {
    let fail = || info_span!("root").in_scope(|| info_span!("child").in_scope(|| error!("refused")));
    let fault = || drop(info_span!("root", http.response.status_code = 503));
    let error = || info_span!("root").in_scope(|| drop(info_span!("child", http.response.status_code = 429)));
    for (work, kept, kept_with_errors) in
        [(&fail as &dyn Fn(), 1, 1), (&fault, 1, 1), (&error, 0, 1), (&|| drop(info_span!("root")), 0, 0)]
    {
        let rig = rig();
        rig.run(work);
        let sent = rig.sent();
        assert_eq!(sent.len(), kept);
        assert!(sent.iter().all(|document| document["metadata"]["default"]["xray.kept"] == "failed"));
        let rig = Rig::new(|b| b.sampler(keep().with_client_errors()));
        rig.run(work);
        assert_eq!(rig.sent().len(), kept_with_errors);
    }
}

#[test]
fn nothing_is_sent_before_the_end_however_long_and_wide_the_trace() {
    for fails in [false, true] {
        let rig = Rig::new(|b| b.sampler(KeepSlowAndFailed::new(Never)));
        rig.run(|| {
            let _root = info_span!("root").entered();
            for i in 0..3_000 {
                let _child = info_span!("child", i, text = "x".repeat(100)).entered();
                drop(info_span!("inside"));
                rig.pass(10_000);
            }
            info_span!("large").in_scope(|| {
                (0..4).for_each(|_| drop(info_span!("part", text = "x".repeat(11_000))));
                tracing::Span::current().add_metadata("", "a", &"y".repeat(12_000));
                tracing::Span::current().add_metadata("", "b", &"y".repeat(12_000));
                if fails {
                    error!("at last");
                }
            });
            assert_eq!(rig.sent(), [0; 0]);
        });
        let (sent, stats) = (rig.sent(), rig.handle.stats());
        assert_law(&stats);
        let expected = if fails { 1 + 6_000 + 5 } else { 0 };
        assert_eq!(sent.iter().map(count).sum::<usize>(), expected);
        assert_eq!((stats.closed, stats.dropped, stats.lost_with_parent), (expected as u64, 0, 0));
        assert_eq!(stats.documents, sent.len() as u64);
        // All of it is one tree.
        let mut ids = std::collections::HashSet::new();
        fn collect(document: &serde_json::Value, ids: &mut std::collections::HashSet<String>) {
            ids.insert(document["id"].as_str().unwrap().to_owned());
            document["subsegments"].as_array().into_iter().flatten().for_each(|child| collect(child, ids));
        }
        sent.iter().for_each(|document| collect(document, &mut ids));
        let parents = sent.iter().filter_map(|document| document["parent_id"].as_str());
        assert!(parents.into_iter().all(|parent| ids.contains(parent)));
    }
}

#[test]
fn a_callers_decision_is_a_head_decision_unless_it_is_to_be_obeyed() {
    let failing = |rig: &Rig, header| {
        rig.run(|| info_span!("root", xray.trace_header = header).in_scope(|| error!("refused")));
        rig.sent()
    };
    let sent = failing(&rig(), NOT_SAMPLED);
    assert_eq!(sent[0]["parent_id"], "53995c3f42cd8ad8");
    assert_eq!(sent[0]["trace_id"], "1-66f1a2b3-0123456789abcdef01234567");
    assert_eq!(failing(&Rig::new(|b| b.sampler(keep().obey_callers())), NOT_SAMPLED), [0; 0]);
    let sampled = failing(&rig(), SAMPLED);
    assert!(sampled[0]["metadata"]["default"].get("xray.kept").is_none(), "the head decided");
}

#[test]
fn the_program_lambda_and_an_open_decision_have_the_last_word() {
    let rig = rig();
    rig.run(|| info_span!("root", xray.sampled = false).in_scope(|| error!("refused")));
    rig.run(|| {
        let root = info_span!("root");
        root.force_sampling(false);
        root.in_scope(|| error!("refused"));
    });
    assert_eq!((rig.sent().len(), rig.handle.stats().unsampled), (0, 2));
    let open = Rig::new(|b| b.sampler(KeepSlowAndFailed::new(ParentOnly)));
    open.run(|| info_span!("root").in_scope(|| error!("refused")));
    assert_eq!(open.sent(), [0; 0]);

    let _ = lambda(NOT_SAMPLED);
    thread_local!(static HEADER: std::cell::Cell<&'static str> = const { std::cell::Cell::new("") });
    HEADER.set(NOT_SAMPLED);
    let lambda = Rig::new(|b| b.lambda(|| HEADER.get().parse().ok()).sampler(keep()));
    lambda.run(|| info_span!("handler").in_scope(|| error!("refused")));
    assert_eq!((lambda.sent(), lambda.handle.stats().kept), (vec![], 0));
    HEADER.set(SAMPLED);
    lambda.run(|| drop(info_span!("handler")));
    assert_eq!(lambda.sent().len(), 1, "as Lambda decides");
}

#[test]
fn what_the_head_samples_is_as_without_it() {
    let rig = Rig::new(|b| b.sampler(KeepSlowAndFailed::new(Always)));
    rig.run(|| {
        let root = info_span!("root").entered();
        assert_eq!(root.trace_header().unwrap().sampled(), Sampled);
        drop(info_span!("child"));
    });
    let sent = rig.sent();
    assert_eq!(count(&sent[0]), 2);
    assert_eq!((rig.handle.stats().sampled, rig.handle.stats().kept), (1, 0));
}

#[test]
fn a_late_decision_replaces_the_wait() {
    let rig = rig();
    rig.run(|| {
        let root = info_span!("root");
        root.set_trace_header(&SAMPLED.parse().unwrap());
        root.in_scope(|| assert_eq!(current_trace_header().unwrap().sampled(), Sampled));
        drop(root);
        assert_eq!(names(&rig.sent()), ["shop"]);
        // A caller that says no is decided about at the end.
        let root = info_span!("root");
        root.set_trace_header(&NOT_SAMPLED.parse().unwrap());
        root.in_scope(|| error!("refused"));
        drop(root);
        assert_eq!(rig.sent()[0]["parent_id"], "53995c3f42cd8ad8");
        // A segment of its own inside, from now on.
        let _root = info_span!("root").entered();
        let child = info_span!("child");
        child.force_sampling(true);
        assert_eq!(child.trace_header().unwrap().sampled(), Sampled);
        drop(child);
        assert_eq!(names(&rig.sent()), ["shop"]);
    });
    assert_eq!(rig.sent(), [0; 0]);
    assert_law(&rig.handle.stats());
}

#[test]
fn more_traces_than_the_bound_are_unsampled_and_counted() {
    let rig = Rig::new(|b| b.sampler(keep().max_open_traces(2)));
    rig.run(|| {
        let open: Vec<_> = (0..5).map(|_| info_span!(parent: None, "root")).collect();
        open.iter().for_each(|root| root.in_scope(|| error!("refused")));
        assert!(open.iter().all(|root| root.trace_header().unwrap().sampled() == NotSampled));
    });
    assert_eq!(rig.sent().len(), 2);
    let stats = rig.handle.stats();
    assert_eq!((stats.tail_full, stats.kept, stats.unsampled), (3, 2, 3));
    rig.run(|| info_span!("root").in_scope(|| error!("refused")));
    assert_eq!(rig.sent().len(), 1, "there is room again");
}

#[test]
fn documents_beyond_the_bound_are_counted_if_their_trace_is_kept() {
    for fails in [false, true] {
        let sampler = KeepSlowAndFailed::new(Never).max_held_bytes(10_000);
        let rig = Rig::new(|b| b.sampler(sampler));
        rig.run(|| {
            let _root = info_span!("root").entered();
            for _ in 0..100 {
                info_span!("child", text = "x".repeat(1_000)).in_scope(|| drop(info_span!("inside")));
            }
            if fails {
                error!("refused");
            }
        });
        let (sent, stats) = (rig.sent(), rig.handle.stats());
        assert_law(&stats);
        let spans = sent.iter().map(count).sum::<usize>() as u64;
        assert_eq!(spans, stats.closed - stats.dropped - stats.lost_with_parent);
        assert_eq!((stats.closed, stats.dropped > 20), if fails { (201, true) } else { (0, false) });
    }
}

#[test]
#[cfg(feature = "tower-server")]
fn a_request_that_ends_early_is_decided_about_then() {
    use crate::layer::find::with_core;
    use crate::lifecycle::core::Core;
    for (fails, expected) in [(false, 0), (true, 3)] {
        let rig = rig();
        rig.run(|| {
            let root = info_span!("root").entered();
            drop(info_span!("child"));
            let background = info_span!("background");
            if fails {
                error!("refused");
            }
            let root = root.exit();
            with_core(&root, Core::emit_ended);
            assert_eq!(rig.sent().iter().map(count).sum::<usize>(), if fails { 2 } else { 0 });
            drop(root);
            background.in_scope(|| rig.pass(5 * SECOND));
            drop(background);
            assert_eq!(rig.sent().iter().map(count).sum::<usize>(), expected - if fails { 2 } else { 0 });
        });
        let stats = rig.handle.stats();
        assert_law(&stats);
        assert_eq!(
            (stats.closed, stats.kept, stats.unsampled),
            (expected as u64, u64::from(fails), u64::from(!fails))
        );
    }
}

#[test]
fn the_closure_at_close_leaves_out_spans_of_a_trace_that_waits() {
    let rig = Rig::new(|b| {
        b.sampler(keep()).on_close(|span| {
            if span.name() == "alone" {
                span.drop_span();
            }
        })
    });
    rig.run(|| {
        let _root = info_span!("root").entered();
        info_span!("alone").in_scope(|| drop(info_span!("child")));
        error!("refused");
    });
    let sent = rig.sent();
    assert_eq!(sent[0]["subsegments"][0]["name"], "child");
    let stats = rig.handle.stats();
    assert_eq!((stats.closed, stats.left_out), (2, 1));
}

#[test]
fn a_kept_trace_that_the_emitter_refuses_is_counted_span_by_span() {
    let rig = rig();
    rig.run(|| {
        let _root = info_span!("root").entered();
        for _ in 0..500 {
            let _child = info_span!("child", text = "x".repeat(200)).entered();
            drop(info_span!("inside"));
        }
        error!("at last");
        rig.sent.refuse(Some(xray_sdk::EmitError::Full));
    });
    let stats = rig.handle.stats();
    assert_law(&stats);
    assert_eq!((stats.closed, stats.kept, stats.documents), (1_001, 1, 0), "{stats:?}");
    assert_eq!(stats.dropped + stats.lost_with_parent, stats.closed, "{stats:?}");
}

#[cfg(feature = "tower-server")]
#[test]
fn a_request_that_ends_early_and_is_kept_sends_what_it_holds_then() {
    use crate::layer::find::with_core;
    use crate::lifecycle::core::Core;
    for fails in [false, true] {
        let rig = rig();
        rig.run(|| {
            let root = info_span!("root").entered();
            (0..500).for_each(|_| drop(info_span!("child", text = "x".repeat(200))));
            let _background = info_span!("background");
            if fails {
                error!("refused");
            }
            let root = root.exit();
            with_core(&root, Core::emit_ended);
            assert_eq!(rig.sent().iter().map(count).sum::<usize>(), if fails { 501 } else { 0 });
            // Decided once.
            with_core(&root, Core::emit_ended);
            assert_eq!(rig.sent(), [0; 0]);
        });
        let (sent, stats) = (rig.sent(), rig.handle.stats());
        assert_law(&stats);
        assert_eq!(sent.iter().map(count).sum::<usize>(), usize::from(fails), "the late part");
        assert_eq!(stats.closed, if fails { 502 } else { 0 });
        assert_eq!((stats.dropped, stats.lost_with_parent), (0, 0));
    }
}
