//! The law, for any input: every span that the test has opened is counted as closed, or as left out, and is in a document
//! or counted as lost. Every document is valid and within its bound.
//!
//! Trees are random in shape, size, content, and in the order and the threads in which they close. Large ones go to
//! memory, small ones through a real socket: of a burst a receive buffer holds three large datagrams, and the
//! kernel drops the rest without a word.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::Value;
use xray_sdk::local::{Collector, Document};
use xray_sdk::sampling::{KeepSlowAndFailed, Never};
use xray_sdk::{Emitter, Packet, UdpEmitter};

use crate::forest::forest;
use crate::support::{MemoryRig, assert_law, span_count};

fn collect_ids(document: &Value, ids: &mut HashSet<String>) {
    ids.insert(document["id"].as_str().unwrap().to_owned());
    document["subsegments"].as_array().into_iter().flatten().for_each(|child| collect_ids(child, ids));
}

proptest! {
    // A failure is shrunk for some seconds at most: a document that a collector rejects is waited for in vain.
    #![proptest_config(Config {
        cases: 48,
        failure_persistence: None,
        max_shrink_time: 4_000,
        ..Config::default()
    })]

    #[test]
    fn whatever_the_spans_all_of_them_are_in_valid_documents(forest in forest(false)) {
        let rig = MemoryRig::with(|builder| builder.stream_after(forest.stream_after));
        prop_assume!(forest.grow(&rig));
        let stats = rig.handle.stats();
        prop_assert_eq!(stats.closed, forest.closed() as u64, "{:?}", stats);
        prop_assert_eq!(stats.dropped + stats.lost_with_parent + stats.over_capacity + stats.abandoned, 0, "{:?}", stats);
        rig.documents();
    }

    #[test]
    fn whatever_the_spans_all_of_them_arrive(forest in forest(true)) {
        let rig = MemoryRig::with(|builder| builder.stream_after(forest.stream_after));
        prop_assume!(forest.grow(&rig));
        let collector = Collector::start().unwrap();
        let udp = UdpEmitter::new(&collector.daemon_address().parse().unwrap());
        let mut packet = Packet::new();
        for (n, document) in rig.documents_as_sent().iter().enumerate() {
            packet.start_document().put(document);
            udp.emit(&packet).unwrap();
            // Each is waited for: three large ones fill a receive buffer.
            prop_assert!(collector.wait_for(Duration::from_secs(10), |received| received.datagrams() > n));
        }
        let received = collector.received();
        prop_assert_eq!(received.problems(), [""; 0]);
        // On a busy machine a tree may get as old as those that are announced as in progress.
        let finished = received.documents().iter().filter(|document| !document.is_in_progress());
        let arrived: usize = finished.map(Document::span_count).sum();
        prop_assert_eq!(arrived, forest.closed());
    }

    #[test]
    fn whatever_is_kept_at_the_end_is_whole(forest in forest(false)) {
        let sampler = KeepSlowAndFailed::new(Never).slower_than(Duration::ZERO).max_held_bytes(usize::MAX);
        let rig = MemoryRig::with(|builder| builder.sampler(sampler).stream_after(forest.stream_after));
        prop_assume!(forest.grow(&rig));
        let stats = rig.handle.stats();
        let closed = forest.closed() as u64;
        prop_assert!(stats.closed <= closed);
        // A root of less than a microsecond is not slow.
        prop_assert!(stats.unsampled > 0 || stats.closed == closed, "{:?}", stats);
        prop_assert_eq!(stats.kept, stats.sampled);
        prop_assert_eq!(stats.dropped + stats.lost_with_parent + stats.over_capacity + stats.abandoned, 0, "{:?}", stats);
        rig.documents();
    }

    #[test]
    fn whatever_is_left_out_is_counted(forest in forest(true), held_back: bool, with_children: bool, one_in in 1..6_u64) {
        let count = AtomicU64::new(0);
        let rig = MemoryRig::with(|builder| {
            let builder = builder.stream_after(forest.stream_after).on_close(move |span| {
                if count.fetch_add(1, Relaxed).is_multiple_of(one_in) {
                    if with_children { span.drop_with_children() } else { span.drop_span() }
                }
            });
            let sampler = KeepSlowAndFailed::new(Never).slower_than(Duration::ZERO);
            let builder = builder.drop_span("plain");
            if held_back { builder.sampler(sampler) } else { builder }
        });
        prop_assume!(forest.grow(&rig));
        let stats = rig.handle.stats();
        assert_law(&stats);
        prop_assert_eq!(stats.dropped + stats.over_capacity + stats.abandoned, 0);
        let documents = rig.memory.parsed();
        let finished = documents.iter().filter(|document| document.get("end_time").is_some());
        let sent: u64 = finished.map(span_count).sum();
        prop_assert_eq!(sent, stats.closed - stats.lost_with_parent, "{:?}", stats);
        let mut ids = HashSet::new();
        documents.iter().for_each(|document| collect_ids(document, &mut ids));
        for part in documents.iter().filter(|document| document["type"] == "subsegment") {
            prop_assert!(ids.contains(part["parent_id"].as_str().unwrap()), "the parent is not sent: {part}");
        }
        // What a closure leaves out of a trace that is held back is not counted twice.
        let all = stats.closed + stats.left_out;
        prop_assert!(all <= forest.closed() as u64, "{:?}", stats);
        // What is not kept is not counted. A call that a library describes belongs to no trace where no span around is
        // recorded.
        let is_exact = stats.unsampled == 0 && forest.closed() == forest.spans;
        prop_assert!(!is_exact || all == forest.spans as u64, "{:?} of {}", stats, forest.spans);
    }

    #[test]
    fn whatever_the_emitter_refuses_is_counted(forest in forest(true), modulus in 1..5_u64) {
        struct Moody(AtomicU64, u64);
        impl Emitter for Moody {
            fn emit(&self, _: &Packet) -> Result<(), xray_sdk::EmitError> {
                use xray_sdk::EmitError::{Full, TooLarge, Unavailable};
                let n = self.0.fetch_add(1, Relaxed);
                if n.is_multiple_of(self.1) { Err([TooLarge, Full, Unavailable][(n % 3) as usize]) } else { Ok(()) }
            }
        }
        let rig = MemoryRig::with(|builder| {
            builder.stream_after(forest.stream_after).emitter(Moody(1.into(), modulus))
        });
        prop_assume!(forest.grow(&rig));
        let stats = rig.handle.stats();
        assert_law(&stats);
        prop_assert_eq!(stats.closed, forest.closed() as u64);
        prop_assert!(stats.lost_with_parent <= stats.folded);
    }
}
