//! Spans that the closure leaves out at their close: what becomes of their children.

use tracing::{error, info_span};
use xray_sdk::sampling::{Always, KeepSlowAndFailed, Never};

use super::{Rig, SECOND, names};
use crate::{Builder, DropRule, XraySpanExt};

fn drop_named(builder: Builder) -> Builder {
    builder.on_close(|span| match span.name() {
        "alone" => span.drop_span(),
        "whole" => span.drop_with_children(),
        _ => {}
    })
}

/// The names in a document, in brackets for each level.
fn tree(document: &serde_json::Value) -> String {
    let children = document["subsegments"].as_array().into_iter().flatten().map(tree).collect::<Vec<_>>();
    let name = document["name"].as_str().unwrap();
    if children.is_empty() { name.to_owned() } else { format!("{name}[{}]", children.join(" ")) }
}

#[test]
fn a_span_that_is_left_out_at_its_close_leaves_its_children_to_its_parent() {
    let rig = Rig::new(drop_named);
    rig.run(|| {
        let _root = info_span!("root").entered();
        info_span!("alone").in_scope(|| {
            info_span!("one").in_scope(|| drop(info_span!("inside")));
            info_span!("alone").in_scope(|| drop(info_span!("two")));
            info_span!("whole").in_scope(|| drop(info_span!("lost")));
        });
        drop(info_span!("three"));
    });
    let sent = rig.sent();
    assert_eq!(tree(&sent[0]), "shop[one[inside] two three]");
    let stats = rig.handle.stats();
    // Root and four of the six inside are in the document; `lost` was folded before.
    assert_eq!((stats.left_out, stats.lost_with_parent, stats.folded, stats.emitted), (3, 1, 5, 1));
    assert_eq!(stats.closed, stats.folded + stats.emitted + stats.dropped);
}

#[test]
fn children_for_which_the_parent_has_no_room_are_sent_below_it() {
    let rig = Rig::new(drop_named);
    let mut header = None;
    rig.run(|| {
        let root = info_span!("root").entered();
        header = root.trace_header();
        for _ in 0..5 {
            info_span!("alone").in_scope(|| drop(info_span!("large", text = "x".repeat(13_000))));
        }
    });
    let sent = rig.sent();
    let alone: Vec<_> = sent.iter().filter(|document| document["type"] == "subsegment").collect();
    assert_eq!((sent.len(), alone.len()), (2, 1));
    assert_eq!(alone[0]["parent_id"].as_str().unwrap(), header.unwrap().parent().unwrap().to_string());
    let stats = rig.handle.stats();
    assert_eq!((stats.closed, stats.folded, stats.emitted, stats.left_out), (6, 5, 1, 5));
}

#[test]
fn a_segment_is_left_out_with_all_it_holds() {
    let rig = Rig::new(drop_named);
    rig.run(|| {
        let _root = info_span!("alone").entered();
        drop(info_span!("child"));
    });
    assert_eq!(rig.sent(), [0; 0]);
    let stats = rig.handle.stats();
    assert_eq!((stats.left_out, stats.closed, stats.lost_with_parent, stats.late_decisions), (1, 1, 1, 0));
}

#[test]
fn a_span_of_which_a_part_was_sent_stays() {
    // Announced as in progress, then closed.
    let rig = Rig::new(drop_named);
    rig.run(|| {
        let _root = info_span!("alone").entered();
        rig.pass(6 * SECOND);
        drop(info_span!("child"));
    });
    assert_eq!(rig.sent().len(), 2);
    assert_eq!(rig.handle.stats().late_decisions, 1);
    // A child left before.
    let rig = Rig::new(|b| drop_named(b.stream_after(0)));
    rig.run(|| {
        let _root = info_span!("root").entered();
        info_span!("alone").in_scope(|| drop(info_span!("child")));
    });
    assert_eq!(names(&rig.sent()), ["child", "alone", "shop"]);
    let stats = rig.handle.stats();
    assert_eq!((stats.late_decisions, stats.left_out), (1, 0));
}

#[test]
fn a_root_stays_whose_grandchildren_were_sent() {
    let rig = Rig::new(|b| {
        b.stream_after(2).on_close(|span| {
            if span.name() == "root" {
                span.drop_with_children();
            }
        })
    });
    rig.run(|| {
        info_span!("root").in_scope(|| {
            info_span!("middle").in_scope(|| (0..5).for_each(|n| drop(info_span!("leaf", n))));
        });
    });
    let stats = rig.handle.stats();
    assert_eq!((stats.late_decisions, stats.left_out), (1, 0), "{stats:?}");
    let sent = rig.sent();
    assert!(sent.iter().any(|document| document["name"] == "shop"), "{sent:?}");
}

#[test]
fn a_span_that_a_rule_leaves_out_with_its_children_stays_out_whatever_it_says() {
    let rig = Rig::new(|b| b.drop_span(DropRule::name("cache").with_children()));
    rig.run(|| {
        info_span!("cache", xray.sampled = true).in_scope(|| drop(info_span!("get")));
        let forced = info_span!("cache");
        forced.force_sampling(true);
        forced.in_scope(|| drop(info_span!("get")));
    });
    let stats = rig.handle.stats();
    assert_eq!((stats.closed, stats.late_decisions, rig.sent().len()), (0, 1, 0), "{stats:?}");
}

#[test]
fn a_span_that_is_left_out_announces_its_old_segment_as_others_do() {
    let rig = Rig::new(|b| {
        b.on_close(|span| {
            if span.name() == "poll" {
                span.drop_span();
            }
        })
    });
    rig.run(|| {
        let _root = info_span!("root").entered();
        let poll = info_span!("poll");
        rig.pass(6 * SECOND);
        drop(poll);
        let sent = rig.sent();
        assert_eq!((names(&sent), &sent[0]["in_progress"]), (vec!["shop"], &true.into()));
        drop(info_span!("poll"));
        assert_eq!(rig.sent(), [0; 0]);
    });
    assert_eq!(rig.sent().len(), 1);
}

#[test]
fn children_without_room_are_sent_below_it_whichever_sampler_decides() {
    let slow = KeepSlowAndFailed::new(Never);
    for rig in [Rig::new(|b| drop_named(b.sampler(Always))), Rig::new(|b| drop_named(b.sampler(slow)))] {
        rig.run(|| {
            let _root = info_span!("root").entered();
            let large = || "x".repeat(4_000);
            (0..20).for_each(|_| drop(info_span!("filling", text = large())));
            info_span!("alone").in_scope(|| {
                info_span!("kept", text = large()).in_scope(|| drop(info_span!("inside")));
            });
            error!("refused");
        });
        let (sent, stats) = (rig.sent(), rig.handle.stats());
        assert_eq!((stats.left_out, stats.closed), (1, 23));
        let kept = sent.iter().find(|document| document["name"] == "kept").unwrap();
        let root = sent.last().unwrap();
        assert_eq!((&kept["parent_id"], &kept["trace_id"]), (&root["id"], &root["trace_id"]));
        assert_eq!(tree(kept), "kept[inside]");
        assert_eq!((stats.lost_with_parent, stats.dropped), (0, 0));
    }
}
