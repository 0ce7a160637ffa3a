//! Pools of records, recycled with the memory that they hold: a span in steady state allocates nothing.

use std::cell::{Cell, RefCell};
use std::sync::{Mutex, PoisonError};

use xray_sdk::document::internal::{Body, Children};

use crate::state::record::SpanRecord;

/// Takes an empty record from this thread's pool.
#[inline]
pub(crate) fn take() -> Box<SpanRecord> {
    let last = POOL.try_with(|pool| pool.last.take()).ok().flatten();
    last.unwrap_or_else(take_other)
}

#[inline(never)]
fn take_other() -> Box<SpanRecord> {
    let pooled = POOL.try_with(|pool| pool.others.try_borrow_mut().ok()?.pop()).ok().flatten();
    pooled.unwrap_or_else(refill)
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
    let mut record = Some(record);
    let _ = POOL.try_with(|pool| record = pool.last.replace(record.take()));
    if let Some(former) = record {
        push_other(former);
    }
}

#[inline(never)]
fn push_other(record: Box<SpanRecord>) {
    let mut record = Some(record);
    let pushed = POOL.try_with(|pool| {
        if let Ok(mut others) = pool.others.try_borrow_mut() {
            others.push(&mut record);
        }
    });
    // At the end of a thread there is no pool, and the record is freed.
    if let (Some(record), Ok(())) = (record, pushed) {
        spill(record);
    }
}

/// A thread's pool. The last record returned is taken first, because it is still in the cache.
struct Pool {
    /// The last record returned. Of spans one after the other, each takes the record of the one before.
    last: Cell<Option<Box<SpanRecord>>>,
    others: RefCell<Others>,
}

/// The records that were returned before, the oldest first.
struct Others {
    #[expect(clippy::vec_box, reason = "the table takes the box as it is")]
    records: Vec<Box<SpanRecord>>,
    /// Bytes that they hold.
    bytes: usize,
}

impl Others {
    #[inline]
    fn pop(&mut self) -> Option<Box<SpanRecord>> {
        let record = self.records.pop()?;
        self.bytes -= record.pooled as usize;
        Some(record)
    }

    /// Takes the record, if there is room.
    #[inline]
    fn push(&mut self, record: &mut Option<Box<SpanRecord>>) {
        let bytes = self.bytes + record.as_ref().map_or(0, |record| record.pooled as usize);
        if self.records.len() < THREAD_POOL && bytes <= THREAD_CAPACITY {
            self.records.extend(record.take());
            self.bytes = bytes;
        }
    }
}

/// Takes a record from the pool of all threads, and some more for the spans to come. Spans may always open on one thread
/// and close on another.
#[cold]
#[inline(never)]
fn refill() -> Box<SpanRecord> {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let record = shared.pop();
    let _ = POOL.try_with(|pool| {
        if let Ok(mut others) = pool.others.try_borrow_mut() {
            let from = shared.len().saturating_sub(MOVED);
            others.bytes += shared.iter().skip(from).map(|record| record.pooled as usize).sum::<usize>();
            others.records.extend(shared.drain(from..));
        }
    });
    record.unwrap_or_else(|| Box::new(SpanRecord::empty()))
}

/// Moves a record for which the thread's pool has no room to the pool of all threads, and some of the thread's with it.
#[cold]
#[inline(never)]
fn spill(record: Box<SpanRecord>) {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    share(&mut shared, record);
    let _ = POOL.try_with(|pool| {
        if let Ok(mut others) = pool.others.try_borrow_mut()
            && others.records.len() == THREAD_POOL
        {
            // The oldest are those that are in no cache.
            let Others { records, bytes } = &mut *others;
            for record in records.drain(..MOVED) {
                *bytes -= record.pooled as usize;
                share(&mut shared, record);
            }
        }
    });
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
        Pool { last: Cell::new(None), others: RefCell::new(Others { records: Vec::new(), bytes: 0 }) }
    };
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
