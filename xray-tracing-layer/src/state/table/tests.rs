//! The table against a map, under ids of every form, and from several threads.

use super::address::ADDRESS_MASK;
use super::*;
use crate::state::pool;
use crate::state::record::{Kind, Role};
use std::collections::HashMap;
use xray_sdk::SegmentId;

impl Table {
    fn remove(&self, id: u64) -> Option<Box<SpanRecord>> {
        self.find(id)?.remove()
    }

    fn inheritance(&self, id: u64) -> Option<Inheritance> {
        self.inherited(id).map(HandedDown::read)
    }
}

#[test]
fn it_behaves_like_a_map_whatever_the_ids() {
    let table = Table::new(u32::MAX);
    let mut map = HashMap::new();
    let mut rng = fastrand_like(7);
    let ids: Vec<u64> = (1..200)
        .chain((0..100).map(|i| u64::MAX - i))
        .chain((0..100).map(|i| ADDRESS_MASK as u64 + 1 - i))
        .chain((0..100).map(|i| 1 + i * (ADDRESS_MASK as u64 + 1))) // all in one bucket
        .chain((0..100).map(|i| 5 | i << ADDRESS_BITS)) // threads that share shards
        .collect();
    for _ in 0..20_000 {
        let id = ids[rng() as usize % ids.len()];
        let mut new = pool::take();
        new.segment_id = SegmentId::from(rng());
        new.context.role = [Role::Segment, Role::Subsegment, Role::Unsampled][rng() as usize % 3];
        let (value, kind) = (new.segment_id, new.kind());
        match rng() % 3 {
            0 => match table.insert(id, new) {
                Inserted::Done => assert_eq!(map.insert(id, value), None),
                Inserted::Replaced(old) => assert_eq!(map.insert(id, value), Some(old.segment_id)),
                Inserted::Full(_) => panic!("no bound was set"),
            },
            1 => assert_eq!(table.remove(id).map(|r| r.segment_id), map.remove(&id)),
            _ => assert_eq!(table.with(id, |r| r.segment_id), map.get(&id).copied()),
        }
        match table.with(id, |record| (record.segment_id == value, record.kind())) {
            Some((true, known)) => assert_eq!((known, table.kind(id)), (kind, kind)),
            Some((false, known)) => assert_eq!(table.kind(id), known),
            None => assert_eq!(table.kind(id), Kind::Absent),
        }
        let other = ids[rng() as usize % ids.len()];
        assert_eq!(table.kind(other), table.with(other, |record| record.kind()).unwrap_or(Kind::Absent));
    }
    let mut found = Vec::new();
    table.for_each(|record| found.push(u64::from(record.segment_id)));
    let mut expected: Vec<u64> = map.values().copied().map(u64::from).collect();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    let open: u32 = table.shards.iter().map(|s| s.open.load(Relaxed)).sum();
    assert_eq!(open as usize, map.len());
}

#[test]
fn what_a_record_hands_down_is_there_from_the_first_time_on_and_ends_with_it() {
    let table = Table::new(u32::MAX);
    let (id, beside) = (5, 5 + ADDRESS_MASK as u64 + 1);
    let words = [1, 2, 3, 4, 5, 6];
    assert!(matches!(table.insert(id, pool::take()), Inserted::Done));
    assert_eq!(table.inheritance(id), None);
    assert_eq!(table.hand_down(id, |_| ((), None)), Some(()));
    assert_eq!(table.inheritance(id), None);
    table.hand_down(id, |_| ((), Some(words)));
    assert_eq!(table.inheritance(id), Some(words));
    assert_eq!(table.inheritance(beside), None);
    assert_eq!(table.kind(id), table.with(id, |record| record.kind()).unwrap());
    // Another one in the bucket: the words belong to none until the bucket has one record again.
    assert!(matches!(table.insert(beside, pool::take()), Inserted::Done));
    table.hand_down(beside, |_| ((), Some([9; 6])));
    assert_eq!((table.inheritance(id), table.inheritance(beside)), (None, None));
    assert!(table.remove(beside).is_some());
    table.hand_down(id, |_| ((), Some(words)));
    assert_eq!(table.inheritance(id), Some(words));
    assert!(table.remove(id).is_some());
    assert_eq!(table.inheritance(id), None);
    assert_eq!(table.hand_down(id, |_| ((), Some(words))), None);
    // A record that comes after it in the same place has handed down nothing.
    assert!(matches!(table.insert(id, pool::take()), Inserted::Done));
    assert_eq!(table.inheritance(id), None);
}

#[test]
fn a_place_is_one_cache_line() {
    assert_eq!(size_of::<Place>(), 64);
}

#[test]
fn a_full_table_gives_the_record_back() {
    let table = Table::new(2);
    assert!(matches!(table.insert(1, pool::take()), Inserted::Done));
    assert!(matches!(table.insert(2, pool::take()), Inserted::Done));
    assert!(matches!(table.insert(3, pool::take()), Inserted::Full(_)));
    assert!(table.remove(1).is_some());
    assert!(matches!(table.insert(3, pool::take()), Inserted::Done));
}

#[test]
fn a_record_that_is_there_stays_and_one_that_is_not_takes_its_place() {
    let table = Table::new(1);
    let record = |id: u64| {
        let mut record = pool::take();
        record.segment_id = SegmentId::from(id);
        record
    };
    assert!(matches!(table.insert_absent(7, record(1)), Ok(Inserted::Done)));
    assert!(
        matches!(table.insert_absent(7, record(2)), Err(again) if again.segment_id == SegmentId::from(2))
    );
    assert_eq!(table.with(7, |record| record.segment_id), Some(SegmentId::from(1)));
    assert!(matches!(table.insert_absent(8, record(3)), Ok(Inserted::Full(_))), "one is the most");
    table.remove(7);
    assert!(matches!(table.insert_absent(8, record(3)), Ok(Inserted::Done)), "the count is right");
}

fn fastrand_like(mut state: u64) -> impl FnMut() -> u64 {
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}
