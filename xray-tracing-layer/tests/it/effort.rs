//! Work that a caller repeats, or makes large: it costs no more than what a document keeps of it.

use std::cell::Cell;
use std::fmt;

use tracing::{field, info_span};
use xray_tracing_layer::XraySpanExt;

use crate::support::{MemoryRig, assert_law};

/// With a search through all former keys, this took a minute.
#[test]
fn what_is_added_to_a_full_span_costs_no_more_than_what_was_added_before() {
    const TIMES: u64 = 200_000;
    let rig = MemoryRig::new();
    rig.run(|| {
        let span = info_span!("root");
        for i in 0..TIMES {
            span.annotate(&format!("key {i}"), i);
        }
    });
    let document = &rig.documents()[0];
    assert_eq!(document["annotations"].as_object().unwrap().len(), 50);
    let stats = rig.handle.stats();
    assert_law(&stats);
    let kept = document["metadata"]["default"].as_object().unwrap().len() as u64;
    assert!(stats.values_dropped >= TIMES - 50 - kept, "{kept} {stats:?}");

    let rig = MemoryRig::new();
    rig.run(|| {
        let span = info_span!("root");
        for i in 0..TIMES {
            span.add_metadata("cart", &format!("key {i}"), &i);
        }
    });
    assert!(rig.documents_as_sent()[0].len() <= 64_000);
    assert!(rig.handle.stats().values_dropped > 0);
}

/// Many pieces, of which each is counted.
struct Pieces<'a> {
    written: &'a Cell<u32>,
    unwraps: bool,
}

const PIECES: u32 = 1_000_000;

impl fmt::Debug for Pieces<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for i in 0..PIECES {
            self.written.set(i);
            match f.write_str("fifty bytes, of which a document keeps a few only.") {
                Err(err) if self.unwraps => panic!("{err}"),
                result => result?,
            }
        }
        Ok(())
    }
}

#[test]
fn a_debug_is_stopped_when_its_room_is_full_and_what_it_wrote_stays() {
    for unwraps in [false, true] {
        let written = Cell::new(0);
        let pieces = Pieces { written: &written, unwraps };
        let rig = MemoryRig::new();
        rig.run(|| {
            let _root = info_span!("root", body = ?pieces).entered();
            drop(info_span!("part", db.query.text = ?pieces, late = field::Empty));
            tracing::error!(body = ?pieces, "failed");
        });
        // Each of the three alone is a hundredth of what it could be.
        assert!(written.get() < PIECES / 100, "{}", written.get());
        let document = &rig.documents()[0];
        let kept = document["metadata"]["default"]["body"].as_str().unwrap();
        assert!(kept.starts_with("fifty bytes") && kept.len() > 1_000, "{kept:.60}");
        assert!(rig.handle.stats().values_cut > 0);
    }
}
