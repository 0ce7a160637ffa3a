//! Laws of the table for a span that a thread holds, whatever others do in the same bucket.

use loom::sync::Arc;
use loom::thread;

use super::record::{Kind, SpanRecord};
use super::table::{Inserted, Table};
use crate::explore;

pub(crate) fn run() {
    explore("a record is found while its bucket's other one comes and goes", 6, || {
        with_room(a_record_is_found_beside_another);
    });
    explore("a record that changes its kind is found by both", 6, || {
        with_room(a_record_that_changes_its_kind_is_found);
    });
    explore("no more records are open than may be", 6, || with_room(no_more_are_open_than_may_be));
}

/// Runs a model on a thread with a larger stack than loom gives the first one: a table passes over it.
fn with_room(model: fn()) {
    let thread = thread::Builder::new().stack_size(STACK).spawn(model);
    assert!(thread.is_ok_and(|thread| thread.join().is_ok()));
}

/// The stack of a model, in words.
const STACK: usize = 1 << 16;

/// Ids of one bucket: the table looks at 38 bits of address and 6 of thread, and at 19 of these for the bucket.
const FIRST: u64 = 5;
const OTHER: u64 = FIRST + (1 << 19);

fn insert(table: &Table, id: u64, kind: Kind, number: u32) -> bool {
    matches!(table.insert(id, Box::new(SpanRecord { kind, number })), Inserted::Done)
}

fn remove(table: &Table, id: u64) -> Option<u32> {
    Some(table.find(id)?.remove()?.number)
}

/// One thread holds a span, another opens and closes its own: the label in front of the bucket is that of one, of
/// several, or of the other, and never hides what a thread holds.
fn a_record_is_found_beside_another() {
    let table = Arc::new(Table::new(8));
    assert!(insert(&table, FIRST, Kind::Root, 1));
    let other = {
        let table = Arc::clone(&table);
        thread::spawn(move || {
            assert!(insert(&table, OTHER, Kind::Part, 2));
            assert_eq!(table.kind(OTHER), Kind::Part);
            assert_eq!(remove(&table, OTHER), Some(2));
            assert_eq!(table.kind(OTHER), Kind::Absent);
        })
    };
    assert_eq!(table.kind(FIRST), Kind::Root);
    assert_eq!(table.with(FIRST, |record| record.number), Some(1));
    assert_eq!(remove(&table, FIRST), Some(1));
    assert_eq!(table.with(FIRST, |record| record.number), None);
    assert!(other.join().is_ok());
    assert_eq!(table.kind(FIRST), Kind::Absent);
}

/// Both threads hold the span: one changes what it is, the other sees it as it was or as it is.
fn a_record_that_changes_its_kind_is_found() {
    let table = Arc::new(Table::new(8));
    assert!(insert(&table, FIRST, Kind::Unrecorded, 1));
    let other = {
        let table = Arc::clone(&table);
        thread::spawn(move || table.change(FIRST, |record| record.kind = Kind::Root))
    };
    assert!(matches!(table.kind(FIRST), Kind::Unrecorded | Kind::Root));
    assert_eq!(table.with(FIRST, |record| record.number), Some(1));
    assert_eq!(other.join().ok().flatten(), Some(()));
    assert_eq!(table.kind(FIRST), Kind::Root);
}

/// A thread that finds the table full is refused, and room comes back.
fn no_more_are_open_than_may_be() {
    let table = Arc::new(Table::new(1));
    let other = {
        let table = Arc::clone(&table);
        thread::spawn(move || insert(&table, OTHER, Kind::Part, 2))
    };
    let taken = insert(&table, FIRST, Kind::Part, 1);
    let other = other.join().unwrap_or_default();
    assert!(!(taken && other), "two records where one may be");
    let open = [FIRST, OTHER].into_iter().filter_map(|id| remove(&table, id)).count();
    assert_eq!(open, usize::from(taken) + usize::from(other));
    assert!(insert(&table, FIRST, Kind::Part, 3), "no room came back");
}
