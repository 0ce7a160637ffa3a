//! Spans that are left out, by rules and at their close: under each sampler, wherever their children are.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::Value;
use tracing::{error, info, info_span};
use xray_sdk::SamplingDecision::{NotSampled, Sampled};
use xray_sdk::sampling::{Always, KeepSlowAndFailed, Never};

use super::{Rig, SAMPLED, SECOND, names};
use crate::{Builder, ClosingSpan, DropRule, Stats, XraySpanExt, current_trace_header};

const NOT_SAMPLED: &str = "Root=1-66f1a2b3-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled=0";

/// Opens and closes twenty children of four kilobytes: more than their parent has room for.
fn fill() {
    (0..20).for_each(|_| drop(info_span!("filling", text = "x".repeat(4_000))));
}

/// Opens 145 spans, of which each of the four with a name of its own is full.
fn wide_tree(rig: &Rig) {
    let _root = info_span!("root").entered();
    fill();
    info_span!("mid").in_scope(|| {
        fill();
        info_span!("leaf").in_scope(fill);
        info_span!("small").in_scope(|| drop(info_span!("inside")));
        fill();
    });
    info_span!("sibling").in_scope(fill);
    fill();
    rig.pass(2 * SECOND);
}

const SPANS_OF_WIDE_TREE: u64 = 6 * 20 + 6;

fn count(document: &Value) -> u64 {
    1 + document["subsegments"].as_array().into_iter().flatten().map(count).sum::<u64>()
}

fn collect(document: &Value, ids: &mut HashSet<String>) {
    ids.insert(document["id"].as_str().unwrap().to_owned());
    document["subsegments"].as_array().into_iter().flatten().for_each(|child| collect(child, ids));
}

/// Checks that each document's parent is sent, and that each span that was opened is sent, lost and counted, or left
/// out.
#[track_caller]
fn assert_accounted(sent: &[Value], stats: &Stats, opened: u64) {
    let mut ids = HashSet::new();
    sent.iter().for_each(|document| collect(document, &mut ids));
    for parent in sent.iter().filter_map(|document| document["parent_id"].as_str()) {
        assert!(ids.contains(parent), "the parent {parent} is not sent");
    }
    assert_eq!(stats.closed + stats.left_out, opened, "{stats:?}");
    let spans: u64 = sent.iter().map(count).sum();
    assert_eq!(spans + stats.lost_with_parent + stats.dropped, stats.closed, "{stats:?}");
}

type Drops = fn(&mut ClosingSpan<'_>);

/// Every span of the wide tree, by both ways to leave it out.
fn each_drop() -> impl Iterator<Item = (&'static [&'static str], Drops)> {
    let named: [&[&str]; 8] = [
        &["root"],
        &["mid"],
        &["leaf"],
        &["sibling"],
        &["small"],
        &["inside"],
        &["mid", "leaf", "small"],
        &["root", "mid", "leaf", "sibling", "small"],
    ];
    let drops: [Drops; 2] = [|span| span.drop_span(), |span| span.drop_with_children()];
    named.into_iter().flat_map(move |names| drops.map(|drop| (names, drop)))
}

fn leaving_out(builder: Builder, (left_out, drop): (&'static [&'static str], Drops)) -> Builder {
    builder.on_close(move |span| {
        if left_out.contains(&span.name()) {
            drop(span);
        }
    })
}

#[test]
fn whatever_is_left_out_of_a_wide_trace_no_document_dangles_and_all_is_counted() {
    for each in each_drop() {
        let slow = KeepSlowAndFailed::new(Never).slower_than(Duration::from_secs(1));
        for rig in [
            Rig::new(|b| leaving_out(b.sampler(Always), each)),
            Rig::new(|b| leaving_out(b.sampler(slow), each)),
        ] {
            rig.run(|| wide_tree(&rig));
            let (sent, stats) = (rig.sent(), rig.handle.stats());
            assert_accounted(&sent, &stats, SPANS_OF_WIDE_TREE);
        }
    }
}

#[test]
fn of_a_trace_that_is_not_kept_nothing_is_sent_or_lost() {
    for each in each_drop() {
        let rig = Rig::new(|b| leaving_out(b.sampler(KeepSlowAndFailed::new(Never)), each));
        rig.run(|| wide_tree(&rig));
        let (sent, stats) = (rig.sent(), rig.handle.stats());
        assert_eq!((sent.len(), stats.documents), (0, 0));
        let is_whole = each.0.contains(&"root");
        if is_whole {
            assert_accounted(&sent, &stats, SPANS_OF_WIDE_TREE);
        } else {
            assert_eq!((stats.closed, stats.lost_with_parent, stats.unsampled), (0, 0, 1), "{:?}", each.0);
        }
    }
}

#[test]
fn children_that_go_with_their_span_are_counted_whichever_sampler_decides() {
    let work = |rig: &Rig| {
        let _root = info_span!("root").entered();
        info_span!("whole").in_scope(|| info_span!("one").in_scope(|| drop(info_span!("two"))));
        error!("refused");
        rig.pass(1);
    };
    let on_close = |b: Builder| leaving_out(b, (&["whole"], |span| span.drop_with_children()));
    for rig in [
        Rig::new(|b| on_close(b.sampler(Always))),
        Rig::new(|b| on_close(b.sampler(KeepSlowAndFailed::new(Never)))),
    ] {
        rig.run(|| work(&rig));
        assert_eq!(rig.sent().iter().map(count).sum::<u64>(), 1);
        let stats = rig.handle.stats();
        assert_eq!((stats.left_out, stats.lost_with_parent, stats.folded, stats.closed), (1, 2, 2, 3));
    }
}

#[test]
fn a_root_that_is_left_out_at_its_close_is_counted_once_whichever_sampler_decides() {
    let on_close = |b: Builder| leaving_out(b, (&["root"], |span| span.drop_span()));
    for rig in [
        Rig::new(|b| on_close(b.sampler(Always))),
        Rig::new(|b| on_close(b.sampler(KeepSlowAndFailed::new(Never)))),
        Rig::new(|b| on_close(b.sampler(KeepSlowAndFailed::new(Always)))),
        Rig::new(|b| b.drop_span("root")),
        Rig::new(|b| b.drop_span(DropRule::name("root").with_children())),
    ] {
        rig.run(|| info_span!("root").in_scope(|| error!("refused")));
        assert_eq!(rig.sent(), [0; 0]);
        let stats = rig.handle.stats();
        assert_eq!((stats.left_out, stats.left_out_roots), (1, 1));
        assert_eq!((stats.sampled, stats.unsampled, stats.closed), (0, 0, 0));
    }
}

#[test]
fn spans_that_take_a_roots_place_keep_the_callers_trace_parent_and_decision() {
    let rig = Rig::new(|b| b.sampler(Never).drop_span("request"));
    rig.run(|| {
        let _request = info_span!("request", xray.trace_header = SAMPLED).entered();
        assert_eq!(current_trace_header(), SAMPLED.parse().ok());
        drop(info_span!("one"));
        info_span!("two").in_scope(|| drop(info_span!("inside")));
    });
    let (sent, header) = (rig.sent(), SAMPLED.parse::<xray_sdk::TraceHeader>().unwrap());
    assert_eq!(names(&sent), ["shop", "shop"]);
    for segment in &sent {
        assert_eq!(segment["trace_id"], header.root().to_string());
        assert_eq!(segment["parent_id"], header.parent().unwrap().to_string());
    }
    assert_eq!(sent[1]["subsegments"][0]["name"], "inside");

    let rig = Rig::new(|b| b.sampler(Always).drop_span("request"));
    rig.run(|| {
        let _request = info_span!("request", xray.trace_header = NOT_SAMPLED).entered();
        let one = info_span!("one").entered();
        let header = one.trace_header().unwrap();
        assert_eq!(header.root(), NOT_SAMPLED.parse::<xray_sdk::TraceHeader>().unwrap().root());
        assert_eq!(header.sampled(), NotSampled);
    });
    assert_eq!(rig.sent(), [0; 0]);
    let stats = rig.handle.stats();
    assert_eq!((stats.left_out, stats.left_out_roots), (1, 0), "another has its place");
    assert_eq!((stats.unsampled, stats.unsampled_by_caller), (1, 1));
}

#[test]
fn a_header_or_decision_that_comes_later_counts_as_well_until_a_span_is_inside() {
    let rig = Rig::new(|b| b.sampler(Never).drop_span("request"));
    rig.run(|| {
        let late = info_span!("request", xray.trace_header = tracing::field::Empty);
        late.record("xray.trace_header", SAMPLED);
        late.in_scope(|| drop(info_span!("one")));
        let by_method = info_span!("request");
        by_method.set_trace_header(&SAMPLED.parse().unwrap());
        by_method.in_scope(|| drop(info_span!("one")));
        by_method.set_trace_header(&NOT_SAMPLED.parse().unwrap());
        let forced = info_span!("request");
        forced.force_sampling(true);
        forced.in_scope(|| drop(info_span!("one")));
        drop(info_span!(parent: &forced, "one"));
    });
    assert_eq!(rig.sent().len(), 4);
    assert_eq!(rig.handle.stats().late_headers, 1);
}

#[test]
fn the_program_overrides_the_caller_also_where_the_root_is_left_out() {
    let rig = Rig::new(|b| b.drop_span("request"));
    rig.run(|| {
        let refused = info_span!("request", xray.sampled = false, xray.trace_header = SAMPLED);
        refused.in_scope(|| assert_eq!(info_span!("one").trace_header().unwrap().sampled(), NotSampled));
        let late = info_span!("request");
        late.force_sampling(false);
        late.set_trace_header(&SAMPLED.parse().unwrap());
        late.in_scope(|| assert_eq!(info_span!("one").trace_header().unwrap().sampled(), NotSampled));
        let own = info_span!("request", xray.trace_header = NOT_SAMPLED);
        own.in_scope(|| drop(info_span!("one", xray.trace_header = SAMPLED)));
        let header = info_span!("request", xray.trace_header = NOT_SAMPLED);
        header.in_scope(|| {
            let one = info_span!("one", xray.sampled = true);
            assert_eq!(one.trace_header().unwrap().sampled(), Sampled);
        });
    });
    assert_eq!(rig.sent().len(), 2);
}

#[test]
fn roots_left_out_inside_of_each_other_hand_the_header_on_also_to_other_threads() {
    let rig = Rig::new(|b| b.drop_span("worker").drop_span("request"));
    rig.run(|| {
        let _worker = info_span!("worker").entered();
        info_span!("request", xray.trace_header = SAMPLED).in_scope(|| drop(info_span!("one")));
        info_span!("request").in_scope(|| drop(info_span!("two")));
        let nested = info_span!("request", xray.trace_header = SAMPLED);
        nested.in_scope(|| {
            let inner = info_span!("worker");
            std::thread::scope(|scope| {
                let dispatch = &rig.dispatch;
                let work = || inner.in_scope(|| drop(info_span!("three")));
                scope.spawn(move || tracing::dispatcher::with_default(dispatch, work));
            });
        });
    });
    let sent = rig.sent();
    let operations: Vec<_> =
        sent.iter().map(|segment| segment["metadata"]["default"]["operation"].as_str().unwrap()).collect();
    assert_eq!(operations, ["one", "two", "three"]);
    let parents: Vec<_> = sent.iter().map(|segment| segment.get("parent_id").is_some()).collect();
    assert_eq!(parents, [true, false, true]);
}

#[test]
fn a_call_inside_of_a_root_that_is_left_out_is_no_orphan_if_the_caller_has_a_segment() {
    use crate::ContextMissing;
    let rig = Rig::new(|b| b.context_missing(ContextMissing::Count).drop_span("request"));
    rig.run(|| {
        let request = info_span!("request", xray.trace_header = SAMPLED);
        request.in_scope(|| drop(info_span!("call", otel.kind = "client")));
        info_span!("request").in_scope(|| drop(info_span!("call", otel.kind = "client")));
    });
    assert_eq!(rig.sent().len(), 1);
    assert_eq!(rig.handle.stats().context_missing, 1);
}

#[test]
fn events_inside_of_what_is_left_out_follow_its_children() {
    // By a rule, an event belongs to the span around, as the children do. Without one around, nothing has it.
    let rig =
        Rig::new(|b| b.breadcrumbs().drop_span("poll").drop_span(DropRule::name("cache").with_children()));
    rig.run(|| {
        info_span!("root").in_scope(|| {
            info_span!("poll").in_scope(|| info!("of the poll"));
            info_span!("poll").in_scope(|| error!("refused"));
            info_span!("cache").in_scope(|| info_span!("get").in_scope(|| error!("of the cache")));
        });
        info_span!("poll").in_scope(|| error!("of no span"));
    });
    let sent = rig.sent();
    assert_eq!(sent.len(), 1);
    let exceptions = sent[0]["cause"]["exceptions"].as_array().unwrap();
    assert_eq!((exceptions.len(), &exceptions[0]["message"]), (1, &"refused".into()));
    let crumbs = sent[0]["metadata"]["breadcrumbs"].as_object().unwrap();
    assert!(crumbs.values().map(|crumb| &crumb["message"]).eq([&Value::from("of the poll")]), "{crumbs:?}");

    // At its close, the events are in the span's own document, which goes.
    let drops: [Drops; 2] = [|span| span.drop_span(), |span| span.drop_with_children()];
    for drop in drops {
        let rig = Rig::new(|b| leaving_out(b.breadcrumbs(), (&["poll"], drop)));
        rig.run(|| {
            let _root = info_span!("root").entered();
            info_span!("poll").in_scope(|| {
                info!("of the poll");
                error!("refused");
            });
        });
        let sent = rig.sent();
        assert_eq!((&sent[0]["cause"], &sent[0]["metadata"]["breadcrumbs"]), (&Value::Null, &Value::Null));
    }
}

#[test]
fn what_a_rule_leaves_out_is_counted_where_it_would_have_been_recorded() {
    let stats = |sampled: bool, work: fn()| {
        let rig = Rig::new(|b| {
            let b = b.drop_span("poll").drop_span("worker");
            if sampled { b.sampler(Always) } else { b.sampler(Never) }
        });
        rig.run(work);
        let stats = rig.handle.stats();
        (stats.left_out, stats.left_out_roots)
    };
    let inside = || info_span!("root").in_scope(|| drop(info_span!("poll")));
    assert_eq!((stats(true, inside), stats(false, inside)), ((1, 0), (0, 0)));
    let nested = || info_span!("worker").in_scope(|| drop(info_span!("poll")));
    assert_eq!(stats(true, nested), (2, 1), "the inner one took the outer one's place");
}

#[test]
fn what_a_rule_leaves_out_is_counted_only_where_a_trace_is_recorded() {
    for (rig, expected) in [
        (Rig::new(|b| b.sampler(Always).drop_span("poll")), 2),
        (Rig::new(|b| b.sampler(Never).drop_span("poll")), 0),
    ] {
        rig.run(|| {
            let root = info_span!("root");
            drop(info_span!(parent: &root, "poll"));
            let part = info_span!(parent: &root, "part");
            drop(info_span!(parent: &part, "poll"));
        });
        let stats = rig.handle.stats();
        assert_eq!((stats.left_out, stats.left_out_roots), (expected, 0));
    }
}
