//! Too much of everything: children leave by themselves, values are cut, and every loss is counted and marked.
//!
//! Where hundreds of documents come at once they are kept in memory, since a socket loses some of such a burst.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use serde_json::Value;
use tracing::{Span, error, info_span};
use xray_sdk::sampling::{Sampler, SamplingRequest, SamplingResult};
use xray_tracing_layer::XraySpanExt;

use crate::error_chains::Chain;
use crate::support::{MemoryRig, Rig, assert_law, span_count};

/// A root with so many finished children, each a little over a hundred bytes.
fn wide(children: usize) {
    let _root = info_span!("root").entered();
    for i in 0..children {
        info_span!("child", i).in_scope(|| ());
    }
}

/// A chain of spans, each inside the one before, closed from the innermost.
fn deep(levels: usize) {
    let mut chain = vec![info_span!("root")];
    for level in 1..levels {
        chain.push(info_span!(parent: &chain[level - 1], "level", level));
    }
    while chain.pop().is_some() {}
}

fn height(document: &Value) -> usize {
    let children = document.get("subsegments").and_then(Value::as_array);
    children.into_iter().flatten().map(height).max().map_or(0, |below| below + 1)
}

/// Every span's id with its parent's, across documents.
fn parents(documents: &[Value]) -> HashMap<String, Option<String>> {
    fn add(span: &Value, parent: Option<&str>, all: &mut HashMap<String, Option<String>>) {
        let id = span["id"].as_str().unwrap();
        all.insert(id.to_owned(), parent.map(str::to_owned));
        for child in span.get("subsegments").and_then(Value::as_array).into_iter().flatten() {
            add(child, Some(id), all);
        }
    }
    let mut all = HashMap::new();
    for document in documents {
        add(document, document["parent_id"].as_str(), &mut all);
    }
    all
}

#[test]
fn children_that_fit_go_in_one_document() {
    let rig = Rig::new();
    rig.run(|| wide(200));
    assert_eq!(rig.received().documents().len(), 1);
    rig.assert_picture(
        "
◆ shop
├─ child
├─ child
├─ child
└─ … 197 more child
",
    );
}

#[test]
fn children_that_do_not_fit_leave_by_themselves() {
    let rig = MemoryRig::new();
    rig.run(|| wide(2_000));
    let documents = rig.documents();
    let stats = rig.handle.stats();
    assert_eq!((stats.closed, stats.dropped, stats.lost_with_parent), (2_001, 0, 0));
    let root = documents.iter().find(|document| document.get("type").is_none()).unwrap();
    let in_root = span_count(root);
    assert!((200..600).contains(&in_root), "{in_root} of 48 kB");
    assert_eq!(documents.len() as u64, 2_001 - in_root + 1);
    for document in documents.iter().filter(|document| document["id"] != root["id"]) {
        assert_eq!((&document["parent_id"], &document["trace_id"]), (&root["id"], &root["trace_id"]));
    }
}

#[test]
fn streaming_starts_after_the_number_that_was_asked_for() {
    for (after, documents) in [(0, 21), (1, 20), (15, 6), (20, 1)] {
        let rig = Rig::with(|builder| builder.stream_after(after));
        rig.run(|| wide(20));
        assert_eq!(rig.received().documents().len(), documents, "stream_after({after})");
        assert_eq!(rig.trace().span_count(), 21);
        assert_eq!(rig.trace().missing_parents(), [""; 0]);
    }
}

#[test]
fn a_deep_tree_is_sent_in_pieces_that_parsers_can_read_and_that_find_their_parents() {
    let rig = MemoryRig::new();
    rig.run(|| deep(500));
    let documents = rig.documents();
    for document in &documents {
        assert!(height(document) <= 50, "{} levels", height(document));
    }
    assert!((10..20).contains(&documents.len()), "{} documents", documents.len());
    let parents = parents(&documents);
    assert_eq!(parents.len(), 500);
    assert_eq!(parents.values().filter(|parent| parent.is_none()).count(), 1);
    for parent in parents.values().flatten() {
        assert!(parents.contains_key(parent), "{parent} is nobody");
    }
    let rig = Rig::new();
    rig.run(|| deep(500));
    let trace = rig.trace();
    assert_eq!((trace.span_count(), trace.roots().count()), (500, 1));
    assert_eq!(trace.nodes().last().unwrap().depth(), 499);
}

#[test]
fn a_chain_closed_by_its_innermost_handle_does_not_overflow_the_stack() {
    let rig = MemoryRig::new();
    rig.run(|| {
        let mut innermost = info_span!("root");
        for _ in 1..500 {
            innermost = info_span!(parent: &innermost, "level");
        }
    });
    assert_eq!(rig.documents().iter().map(span_count).sum::<u64>(), 500);
}

#[test]
fn a_megabyte_in_one_field_is_cut_and_marked() {
    let (text, bytes) = ("é".repeat(1 << 19), vec![7_u8; 1 << 18]);
    let rig = Rig::new();
    rig.run(|| {
        let root =
            info_span!("root", text, display = %text, debug = ?bytes, annotation.a = text, user.id = text);
        root.annotate("b", &text);
        XraySpanExt::add_metadata(&root, "", "too large to be cut", &text);
        let _in = root.enter();
        info_span!("child", "text\n" = text, db.query.text = text, http.url = text, xray.name = text)
            .in_scope(|| error!(error.message = text, "{text}"));
    });
    let trace = rig.trace();
    let document = trace.find("shop").unwrap().json();
    let default = &document["metadata"]["default"];
    for key in ["text", "display", "debug"] {
        let value = default[key].as_str().unwrap();
        assert!(value.ends_with('…') && (13_000..=14_000).contains(&value.len()), "{key}: {}", value.len());
    }
    assert_eq!(document["annotations"]["a"].as_str().unwrap().chars().count(), 1_000);
    assert_eq!(document["annotations"]["b"].as_str().unwrap().chars().count(), 1_000);
    assert_eq!(document["user"].as_str().unwrap().chars().count(), 250);
    assert_eq!(default["xray.limits"]["dropped"], 1);
    let stats = rig.handle.stats();
    // And a text that is no statement.
    assert_eq!(stats.values_dropped, 2);
    assert!(stats.values_cut >= 9, "{stats:?}");
}

#[test]
fn a_body_above_its_bound_gives_up_its_largest_metadata_first() {
    let rig = Rig::new();
    rig.run(|| {
        let root = info_span!("root", annotation.kept = true, user.id = "me");
        for i in 0..10_usize {
            let size = 6_000 + 500 * i;
            XraySpanExt::add_metadata(&root, "", &format!("k{i}"), &"x".repeat(size));
            XraySpanExt::add_metadata(&root, "other", &format!("k{i}"), &"y".repeat(size));
        }
        root.record_error(&Chain(3));
    });
    let document = rig.document();
    assert_eq!((&document["annotations"]["kept"], &document["user"]), (&Value::Bool(true), &"me".into()));
    assert_eq!(document["cause"]["exceptions"].as_array().unwrap().len(), 3);
    let kept = document["metadata"].to_string();
    assert!(kept.contains("k0") && !document["metadata"].to_string().contains(&"x".repeat(10_400)));
    assert!(rig.handle.stats().values_dropped >= 10, "{:?}", rig.handle.stats());
    assert_eq!(document["metadata"]["default"]["xray.limits"]["dropped"], rig.handle.stats().values_dropped);
}

#[test]
fn thousands_of_small_metadata_stay_within_the_bound() {
    let rig = Rig::new();
    rig.run(|| {
        let root = info_span!("root");
        for i in 0..9_000_u32 {
            let digit = |place: u32| char::from_digit(i / place % 36, 36).unwrap();
            let key = String::from_iter([digit(36 * 36), digit(36), digit(1)]);
            XraySpanExt::add_metadata(&root, "", &key, &1);
        }
    });
    assert_eq!(rig.trace().span_count(), 1);
}

#[test]
fn thousands_of_namespaces_stay_within_the_bound() {
    let rig = Rig::new();
    rig.run(|| {
        let root = info_span!("root");
        for i in 0..6_000 {
            XraySpanExt::add_metadata(&root, &format!("{i:x}"), "k", &1);
        }
    });
    assert_eq!(rig.trace().span_count(), 1);
}

#[test]
fn a_full_body_and_full_children_are_sent_within_the_bound() {
    let rig = MemoryRig::new();
    rig.run(|| {
        let root = info_span!("root");
        root.in_scope(|| {
            for _ in 0..400 {
                info_span!("child", n = 7).in_scope(|| ());
            }
        });
        for i in 0..4 {
            XraySpanExt::add_metadata(&root, &format!("n{i}"), "k", &"x".repeat(13_000));
        }
        root.record_error(&Chain(9));
    });
    assert_eq!(rig.handle.stats().lost_with_parent, 0);
    assert_eq!(rig.documents().iter().map(span_count).sum::<u64>(), 401);
}

#[test]
fn spans_above_the_bound_of_open_ones_are_counted_and_their_children_still_find_a_parent() {
    let rig = Rig::with(|builder| builder.max_open_spans(3));
    rig.run(|| {
        let root = info_span!("root");
        let a = info_span!(parent: &root, "a");
        let b = info_span!(parent: &a, "b");
        let over = info_span!(parent: &b, "over");
        over.annotate("to nobody", 1);
        assert_eq!(
            over.trace_header().and_then(|header| header.parent()),
            b.trace_header().and_then(|header| header.parent())
        );
        drop(info_span!(parent: &over, "over too"));
        // Room for one.
        let c = info_span!(parent: &root, "c");
        drop(c);
        let sibling = info_span!("a root above the bound");
        drop(sibling);
    });
    let stats = rig.handle.stats();
    assert_eq!((stats.over_capacity, stats.closed), (4, 3), "{stats:?}");
    rig.assert_picture("\n◆ shop\n└─ a\n   └─ b\n");
}

#[test]
fn a_root_above_the_bound_gives_back_what_it_took_from_the_sampler() {
    #[derive(Clone, Default)]
    struct Reservoir(Arc<AtomicI64>);
    impl Sampler for Reservoir {
        fn sample(&self, _: &SamplingRequest<'_>) -> SamplingResult {
            self.0.fetch_add(1, Relaxed);
            SamplingResult::sampled().with_reservoir_second(7)
        }
        fn give_back(&self, _: &SamplingResult) {
            self.0.fetch_sub(1, Relaxed);
        }
    }
    let reservoir = Reservoir::default();
    let rig = Rig::with(|builder| builder.max_open_spans(1).sampler(reservoir.clone()));
    rig.run(|| {
        let _kept = info_span!("kept");
        drop(info_span!("above the bound"));
    });
    assert_eq!((rig.handle.stats().over_capacity, rig.handle.stats().emitted), (1, 1));
    assert_eq!(reservoir.0.load(Relaxed), 1, "slots taken, for one trace that is sent");
}

#[test]
fn after_a_flood_there_is_room_again() {
    let rig = MemoryRig::with(|builder| builder.max_open_spans(100));
    rig.run(|| {
        let root = info_span!("root");
        let flood: Vec<Span> = (0..1_000).map(|_| info_span!(parent: &root, "child")).collect();
        drop(flood);
        for _ in 0..50 {
            info_span!(parent: &root, "after").in_scope(|| ());
        }
    });
    let stats = rig.handle.stats();
    assert_eq!((stats.over_capacity, stats.closed), (901, 150), "{stats:?}");
    assert_eq!(rig.documents().iter().map(span_count).sum::<u64>(), 150);
}

#[test]
fn what_the_builder_and_the_sampler_say_at_length_stays_within_the_bound() {
    struct Verbose;
    impl Sampler for Verbose {
        fn sample(&self, _: &SamplingRequest<'_>) -> SamplingResult {
            SamplingResult::sampled().with_rule("r".repeat(1 << 20))
        }
    }
    let long = "\u{1}".repeat(1 << 20);
    let named = Rig::with(|builder| builder.service_name(&long));
    named.run(|| wide(3));
    assert_eq!(named.trace().span_count(), 4);
    let ruled = MemoryRig::with(|builder| builder.sampler(Verbose));
    ruled.run(|| wide(3));
    assert_eq!(ruled.documents().len(), 1);
}

#[test]
fn a_long_service_version_stays_within_the_bound() {
    let rig = MemoryRig::with(|builder| builder.service_version("v".repeat(1 << 20)));
    rig.run(|| wide(3));
    assert_eq!(rig.documents().len(), 1);
}

#[test]
fn large_children_leave_before_small_ones() {
    let rig = MemoryRig::new();
    rig.run(|| {
        let root = info_span!("root");
        for i in 0..4 {
            info_span!(parent: &root, "small", i).in_scope(|| ());
            let large = info_span!(parent: &root, "large", i);
            XraySpanExt::add_metadata(&large, "", "k", &"x".repeat(10_000));
        }
        for i in 0..3 {
            XraySpanExt::add_metadata(&root, "", &format!("k{i}"), &"x".repeat(12_000));
        }
    });
    let documents = rig.documents();
    let root = documents.iter().find(|document| document.get("type").is_none()).unwrap();
    let names: Vec<_> = root["subsegments"].as_array().unwrap().iter().map(|child| &child["name"]).collect();
    assert_eq!(names.iter().filter(|name| **name == "small").count(), 4);
    let alone: HashSet<_> =
        documents.iter().filter_map(|d| d.get("type").and_then(|_| d["name"].as_str())).collect();
    assert_eq!(alone, HashSet::from(["large"]));
}

#[test]
fn an_emitter_that_refuses_counts_each_span_once() {
    struct Refuses;
    impl xray_sdk::Emitter for Refuses {
        fn emit(&self, packet: &xray_sdk::Packet) -> Result<(), xray_sdk::EmitError> {
            match packet.as_bytes().len() {
                0..=1_000 => Err(xray_sdk::EmitError::Full),
                _ => Err(xray_sdk::EmitError::TooLarge),
            }
        }
    }
    let rig = MemoryRig::with(|builder| builder.emitter(Refuses));
    rig.run(|| {
        wide(2);
        wide(50);
        deep(60);
    });
    let stats = rig.handle.stats();
    assert_law(&stats);
    assert_eq!((stats.closed, stats.emitted, stats.documents), (3 + 51 + 60, 0, 0));
    assert_eq!(stats.lost_with_parent, stats.folded, "what was folded went with its parent: {stats:?}");
}

#[test]
fn a_transport_that_carries_little_gets_the_children_one_by_one() {
    #[derive(Clone, Default)]
    struct Narrow(crate::support::Memory);
    impl xray_sdk::Emitter for Narrow {
        fn emit(&self, packet: &xray_sdk::Packet) -> Result<(), xray_sdk::EmitError> {
            if packet.as_bytes().len() > 9_216 {
                return Err(xray_sdk::EmitError::TooLarge);
            }
            self.0.emit(packet)
        }
    }
    let mut rig = MemoryRig::new();
    let narrow = Narrow(rig.memory.clone());
    let memory = rig.memory.clone();
    rig = MemoryRig::with(|builder| builder.emitter(narrow));
    rig.memory = memory;
    rig.run(|| wide(200));
    let stats = rig.handle.stats();
    assert_eq!((stats.closed, stats.dropped, stats.lost_with_parent, stats.documents), (201, 0, 0, 201));
    assert_eq!(rig.documents().len(), 201);
}
