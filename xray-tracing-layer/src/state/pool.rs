//! Pools of records, recycled with the memory that they hold: a span in steady state allocates nothing.

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::sync::{Mutex, PoisonError};

use xray_sdk::document::internal::{Body, Children};

use crate::state::record::SpanRecord;

/// Takes an empty record from this thread's pool.
#[inline]
pub(crate) fn take() -> Box<SpanRecord> {
    let last = POOL.try_with(|pool| pool.last.take()).ok().flatten();
    last.map_or_else(take_other, ManuallyDrop::into_inner)
}

#[inline(never)]
fn take_other() -> Box<SpanRecord> {
    POOL.try_with(Pool::pop).ok().flatten().unwrap_or_else(refill)
}

/// Empties a record and returns it to the pool.
pub(crate) fn give_back(mut record: Box<SpanRecord>) {
    record.reset();
    record.pooled = u32::try_from(record.capacity()).unwrap_or(u32::MAX);
    push(record);
}

/// Empties the record of a plain part (`lifecycle::closing::plain`) and returns it to the pool. Its buffers count as what
/// they were before: small values make them larger by some hundred bytes at most.
#[inline]
pub(crate) fn give_back_plain(mut record: Box<SpanRecord>) {
    record.body.clear_plain();
    (record.has_children, record.sent_below, record.streamed) = (false, false, 0);
    push(record);
}

#[inline]
fn push(record: Box<SpanRecord>) {
    let _ = POOL.try_with(|pool| {
        if !pool.is_kept.get() {
            return push_first(record);
        }
        if let Some(former) = pool.last.replace(Some(ManuallyDrop::new(record))) {
            push_other(ManuallyDrop::into_inner(former));
        }
    });
}

/// Returns the first record of a thread to its pool. At the end of the thread there is no pool, and the record is freed.
#[cold]
#[inline(never)]
fn push_first(record: Box<SpanRecord>) {
    if Pool::keep() {
        push(record);
    }
}

#[inline(never)]
fn push_other(record: Box<SpanRecord>) {
    if let Ok(Some(record)) = POOL.try_with(|pool| pool.push(record)) {
        spill(record);
    }
}

/// A thread's pool.
///
/// The pool has no destructor, since each use of one that has looks for its state. The records are freed by [`AtEnd`].
struct Pool {
    /// The last record returned, which is taken first, because it is still in the cache. Of spans one after the other, each
    /// takes the record of the one before.
    last: Place,
    /// The records that were returned before, the oldest first.
    others: [Place; THREAD_POOL],
    /// The number of the others.
    count: Cell<usize>,
    /// The bytes that the others hold.
    bytes: Cell<usize>,
    /// Set while the records will be freed at the end of the thread.
    is_kept: Cell<bool>,
}

type Place = Cell<Option<ManuallyDrop<Box<SpanRecord>>>>;

impl Pool {
    /// Makes sure that this thread's records will be freed. Returns `false` at the end of the thread, when they are.
    fn keep() -> bool {
        let keep = |_: &AtEnd| POOL.try_with(|pool| pool.is_kept.set(true)).is_ok();
        AT_END.try_with(keep).unwrap_or_default()
    }

    /// Takes the latest of the others.
    #[inline]
    fn pop(&self) -> Option<Box<SpanRecord>> {
        let count = self.count.get().checked_sub(1)?;
        let record = self.others.get(count)?.take()?;
        self.count.set(count);
        self.bytes.set(self.bytes.get() - record.pooled as usize);
        Some(ManuallyDrop::into_inner(record))
    }

    /// Adds a record to the others. Returns it if there is no room.
    #[inline]
    fn push(&self, record: Box<SpanRecord>) -> Option<Box<SpanRecord>> {
        let (count, bytes) = (self.count.get(), self.bytes.get() + record.pooled as usize);
        let Some(place) = self.others.get(count).filter(|_| bytes <= THREAD_CAPACITY) else {
            return Some(record);
        };
        self.count.set(count + 1);
        self.bytes.set(bytes);
        place.set(Some(ManuallyDrop::new(record)));
        None
    }

    /// Gives up the oldest of the others, if there is no place left: those that are in no cache.
    fn give_up_oldest(&self, mut take: impl FnMut(Box<SpanRecord>)) {
        if self.count.get() < THREAD_POOL {
            return;
        }
        let (oldest, others) = self.others.split_at(MOVED);
        for record in oldest.iter().filter_map(Cell::take) {
            self.bytes.set(self.bytes.get() - record.pooled as usize);
            take(ManuallyDrop::into_inner(record));
        }
        oldest.iter().zip(others).for_each(|(place, other)| place.swap(other));
        self.count.set(THREAD_POOL - MOVED);
    }
}

/// Frees a thread's records at its end.
struct AtEnd;

impl Drop for AtEnd {
    fn drop(&mut self) {
        let _ = POOL.try_with(|pool| {
            pool.is_kept.set(false);
            drop(pool.last.take().map(ManuallyDrop::into_inner));
            while pool.pop().is_some() {}
        });
    }
}

/// Takes a record from the pool of all threads, and some more for the spans to come. Spans may always open on one thread
/// and close on another.
#[cold]
#[inline(never)]
fn refill() -> Box<SpanRecord> {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let record = shared.pop();
    if Pool::keep() {
        let from = shared.len().saturating_sub(MOVED);
        let _ = POOL.try_with(|pool| shared.drain(from..).for_each(|record| drop(pool.push(record))));
    }
    record.unwrap_or_else(|| Box::new(SpanRecord::empty()))
}

/// Moves a record for which the thread's pool has no room to the pool of all threads, and some of the thread's with it.
#[cold]
#[inline(never)]
fn spill(record: Box<SpanRecord>) {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    share(&mut shared, record);
    let _ = POOL.try_with(|pool| pool.give_up_oldest(|record| share(&mut shared, record)));
}

#[expect(clippy::vec_box, reason = "the table takes the box as it is")]
fn share(shared: &mut Vec<Box<SpanRecord>>, mut record: Box<SpanRecord>) {
    if shared.len() < SHARED_POOL {
        // Records may stay here for long; a burst must not leave its memory behind.
        if record.pooled as usize > SHARED_CAPACITY {
            (record.body, record.deferred, record.children) = (Body::new(), None, Children::new());
            record.pooled = 0;
        }
        shared.push(record);
    }
}

thread_local! {
    static POOL: Pool = const {
        Pool {
            last: Cell::new(None),
            others: [const { Cell::new(None) }; THREAD_POOL],
            count: Cell::new(0),
            bytes: Cell::new(0),
            is_kept: Cell::new(false),
        }
    };
    static AT_END: AtEnd = const { AtEnd };
}

#[expect(clippy::vec_box, reason = "the table takes the box as it is")]
static SHARED: Mutex<Vec<Box<SpanRecord>>> = Mutex::new(Vec::new());

/// The maximum of records in a thread's pool beside the last: the open spans of a deep request.
const THREAD_POOL: usize = 32;

/// The maximum of bytes that these hold: a few roots with full children, and many small spans.
const THREAD_CAPACITY: usize = 256 << 10;

/// The records that move between a thread's pool and the shared one at once.
const MOVED: usize = THREAD_POOL / 2;

/// The maximum of records in the shared pool.
const SHARED_POOL: usize = 256;

/// The maximum of bytes of a record in the shared pool.
const SHARED_CAPACITY: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use xray_sdk::sampling::SamplingResult;

    /// Returns how many of `count` records with a rule that a thread returns to its pool are there after its end.
    #[expect(clippy::disallowed_methods, reason = "a thread is what this is about")]
    fn left_behind(count: usize, ends_before: bool) -> usize {
        struct Late(Option<Arc<str>>);
        impl Drop for Late {
            fn drop(&mut self) {
                use_pool(1, self.0.take().as_ref());
            }
        }
        fn use_pool(count: usize, rule: Option<&Arc<str>>) {
            let records: Vec<_> = (0..count).map(|_| take()).collect();
            for mut record in records {
                record.verdict = rule.map(|rule| SamplingResult::sampled().with_rule(Arc::clone(rule)));
                push(record);
            }
        }
        thread_local!(static LATE: Cell<Option<Late>> = const { Cell::new(None) });

        let rule: Arc<str> = "rule".into();
        let its_rule = Arc::clone(&rule);
        let thread = std::thread::spawn(move || {
            if ends_before {
                // What is used first is destroyed last, by Linux at least.
                LATE.set(Some(Late(Some(Arc::clone(&its_rule)))));
            }
            use_pool(count, Some(&its_rule));
        });
        thread.join().unwrap();
        Arc::strong_count(&rule) - 1
    }

    #[test]
    fn a_thread_frees_its_records_at_its_end() {
        for count in [1, 2, THREAD_POOL] {
            assert_eq!(left_behind(count, false), 0, "{count}");
        }
    }

    #[test]
    fn a_record_that_comes_after_the_end_of_the_pool_is_freed() {
        assert_eq!(left_behind(2, true), 0);
    }
}
