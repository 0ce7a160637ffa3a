//! Records to use again, with the memory that they hold: a span in steady state allocates nothing.

use std::cell::RefCell;
use std::sync::{Mutex, PoisonError};

use xray_sdk::document::internal::{Body, Children};

use crate::state::record::SpanRecord;

/// Takes a record with nothing in it from this thread's pool.
#[inline]
pub(crate) fn take() -> Box<SpanRecord> {
    let pooled = POOL.try_with(|pool| pool.try_borrow_mut().ok()?.pop()).ok().flatten();
    pooled.unwrap_or_else(refill)
}

/// Puts a record back, emptied.
#[inline]
pub(crate) fn give_back(mut record: Box<SpanRecord>) {
    record.reset();
    let mut record = Some(record);
    let _ = POOL.try_with(|pool| {
        if let Ok(mut pool) = pool.try_borrow_mut() {
            pool.push(&mut record);
        }
    });
    if let Some(record) = record {
        spill(record);
    }
}

/// The records that a thread keeps. The last one put back is the first to be taken: it is still in the cache.
struct Pool {
    #[expect(clippy::vec_box, reason = "the table takes the box as it is")]
    records: Vec<Box<SpanRecord>>,
    /// Bytes that they hold.
    bytes: usize,
}

impl Pool {
    #[inline]
    fn pop(&mut self) -> Option<Box<SpanRecord>> {
        let record = self.records.pop()?;
        self.bytes -= record.capacity();
        Some(record)
    }

    /// Takes the record, if there is room.
    #[inline]
    fn push(&mut self, record: &mut Option<Box<SpanRecord>>) {
        let bytes = self.bytes + record.as_ref().map_or(0, |record| record.capacity());
        if self.records.len() < THREAD_POOL && bytes <= THREAD_CAPACITY {
            self.records.extend(record.take());
            self.bytes = bytes;
        }
    }
}

/// A record from the pool that all threads share: spans may open on one thread and close on another, for ever.
#[cold]
fn refill() -> Box<SpanRecord> {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    shared.pop().unwrap_or_else(|| Box::new(SpanRecord::empty()))
}

#[cold]
fn spill(mut record: Box<SpanRecord>) {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if shared.len() < SHARED_POOL {
        // What lies here may lie for long; a burst must not leave its memory behind.
        if record.capacity() > SHARED_CAPACITY {
            (record.body, record.deferred, record.children) = (Body::new(), None, Children::new());
        }
        shared.push(record);
    }
}

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool { records: Vec::new(), bytes: 0 }) };
}

#[expect(clippy::vec_box, reason = "the table takes the box as it is")]
static SHARED: Mutex<Vec<Box<SpanRecord>>> = Mutex::new(Vec::new());

/// Records that a thread keeps: as many as spans are open at once in a deep request.
const THREAD_POOL: usize = 32;

/// Bytes that those may hold together: a few roots with full children, and many small spans.
const THREAD_CAPACITY: usize = 256 << 10;

/// Records that wait for any thread.
const SHARED_POOL: usize = 256;

/// Bytes that such a record may hold.
const SHARED_CAPACITY: usize = 2048;
