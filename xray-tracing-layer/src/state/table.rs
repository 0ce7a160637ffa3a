//! The table of records, by the registry's span id.
//!
//! Span extensions would be the usual place. An access there costs a lock, a hash and a box, more than
//! everything else that the layer does for a span. Here it costs an uncontended lock.
//!
//! ```text
//!  id = | generation | thread | address |       as the registry's slab packs it
//!                       │          └─► page 0: 32 buckets, page 1: 64, page 2: 128 …   allocated when needed
//!                       └─► shard, so that threads do not share cache lines
//! ```
//! The packing is only a hint on where to look. Records are compared by the whole id, and ids that share a
//! bucket lie there side by side.
//!
//! Each bucket has a label with the kind of its record, readable without the lock. Callbacks are about spans
//! that the caller holds, so no other thread opens or closes them meanwhile.

#[path = "table/address.rs"]
mod address;
#[path = "table/bucket.rs"]
mod bucket;
#[path = "table/handed_down.rs"]
mod handed_down;

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::{OnceLock, PoisonError};

use self::address::{ADDRESS_BITS, FIRST_PAGE, PAGES, page_and_index};
use self::bucket::Bucket;
pub(crate) use self::handed_down::HandedDown;
use super::sync::{AtomicU32, AtomicU64, Mutex, MutexGuard};
use crate::state::record::{Inheritance, Kind, SpanRecord};

#[derive(Debug)]
pub(crate) struct Table {
    shards: Box<[Shard; SHARDS]>,
    /// The maximum of records in a shard.
    capacity: u32,
}

/// Aligned, so that two threads' shards never share a cache line (nor a pair of them, which CPUs prefetch).
#[derive(Debug, Default)]
#[repr(align(128))]
struct Shard {
    pages: [OnceLock<Box<[Place]>>; PAGES],
    open: AtomicU32,
}

/// A bucket and its label, in one cache line.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Place {
    /// The first record's id and, in the lowest bits, its [`Kind`]; [`SEVERAL`] if it is not alone. One word, so
    /// that no reader ever sees half of it.
    label: AtomicU64,
    /// The words that the first record hands down to the spans inside it, if the label has [`HANDED_DOWN`].
    ///
    /// Most places never have a record with children, so the room is made when it is needed, and stays.
    inheritance: OnceLock<Box<HandedDown>>,
    bucket: Mutex<Bucket>,
}

/// The place where a record may be.
pub(crate) struct Found<'a> {
    id: u64,
    place: &'a Place,
    shard: &'a Shard,
}

/// The result of an insertion.
#[derive(Debug)]
pub(crate) enum Inserted {
    Done,
    /// A record with this id existed: its span never closed.
    Replaced(Box<SpanRecord>),
    /// Too many records.
    Full(Box<SpanRecord>),
}

impl Table {
    /// Creates a table for at most `capacity` records for each thread that opens spans. Above 64 threads,
    /// threads share.
    pub(crate) fn new(capacity: u32) -> Self {
        Self { shards: Box::new(std::array::from_fn(|_| Shard::default())), capacity }
    }

    pub(crate) fn insert(&self, id: u64, record: Box<SpanRecord>) -> Inserted {
        self.insert_of(record.kind(), id, record)
    }

    /// Inserts a record of a known kind.
    #[inline]
    pub(crate) fn insert_of(&self, kind: Kind, id: u64, record: Box<SpanRecord>) -> Inserted {
        let shard = self.shard(id);
        if shard.open.fetch_add(1, Relaxed) >= self.capacity {
            shard.open.fetch_sub(1, Relaxed);
            return Inserted::Full(record);
        }
        let place = shard.place_or_new(id);
        let mut bucket = place.lock();
        if bucket.first.is_none() && bucket.others.is_none() {
            place.label.store(label_of(id, kind), Relaxed);
            bucket.first = Some((id, record));
            return Inserted::Done;
        }
        shard.insert_beside(place, &mut bucket, id, record)
    }

    /// Inserts a record, unless there is one of this span already. Returns it then.
    pub(crate) fn insert_absent(
        &self,
        id: u64,
        record: Box<SpanRecord>,
    ) -> Result<Inserted, Box<SpanRecord>> {
        let shard = self.shard(id);
        let place = shard.place_or_new(id);
        let mut bucket = place.lock();
        if bucket.find(id).is_some() {
            return Err(record);
        }
        if shard.open.fetch_add(1, Relaxed) >= self.capacity {
            shard.open.fetch_sub(1, Relaxed);
            return Ok(Inserted::Full(record));
        }
        Ok(shard.insert_beside(place, &mut bucket, id, record))
    }

    /// Returns the place of a record, without a lock.
    #[inline]
    pub(crate) fn find(&self, id: u64) -> Option<Found<'_>> {
        let shard = self.shard(id);
        Some(Found { id, place: shard.place_of(id)?, shard })
    }

    /// Calls `look` with a record while its bucket is locked.
    ///
    /// No user code may run in `look`, and no other record may be looked up. `look` must not change the
    /// record's kind; see [`change`](Self::change).
    // The lock is out of line, so that its code stands once. Out of line, `look` would find what it needs in memory only.
    #[inline(always)]
    pub(crate) fn with<R>(&self, id: u64, look: impl FnOnce(&mut SpanRecord) -> R) -> Option<R> {
        let mut bucket = self.lock(id)?;
        let result = bucket.find(id).map(look);
        unlock(bucket);
        result
    }

    /// Locks the bucket of a record, if there may be one.
    #[inline(never)]
    fn lock(&self, id: u64) -> Option<MutexGuard<'_, Bucket>> {
        Some(self.shard(id).place_of(id)?.lock())
    }

    /// Calls `look` as [`with`](Self::with) does, with a record that is most likely there. All of it is inlined: for what each
    /// span does.
    #[inline(always)]
    pub(crate) fn with_known<R>(&self, id: u64, look: impl FnOnce(&mut SpanRecord) -> R) -> Option<R> {
        self.shard(id).place(id)?.lock().find(id).map(look)
    }

    /// Returns what a record hands down, without a lock, if [`hand_down`](Self::hand_down) left it here.
    #[inline]
    pub(crate) fn inherited(&self, id: u64) -> Option<&HandedDown> {
        let place = self.shard(id).place(id)?;
        // The words were stored before the label, and stay while the span is held. The caller holds it.
        let label = place.label.load(Acquire);
        if label & !KIND_ALONE != label_of(id, Kind::Absent) | HANDED_DOWN {
            return None;
        }
        place.inheritance.get().map(|words| &**words)
    }

    /// Calls `look` as [`with`](Self::with) does. What it returns beside its result is handed down from now on: `look`
    /// has to return the same each time.
    pub(crate) fn hand_down<R>(
        &self,
        id: u64,
        look: impl FnOnce(&mut SpanRecord) -> (R, Option<Inheritance>),
    ) -> Option<R> {
        self.hand_down_here(id, look).map(|(result, _)| result)
    }

    /// Calls `look` as [`hand_down`](Self::hand_down) does. Returns what is handed down as well, as
    /// [`inherited`](Self::inherited) does from now on.
    #[inline]
    pub(crate) fn hand_down_here<R>(
        &self,
        id: u64,
        look: impl FnOnce(&mut SpanRecord) -> (R, Option<Inheritance>),
    ) -> Option<(R, Option<&HandedDown>)> {
        let place = self.shard(id).place(id)?;
        let mut bucket = place.lock();
        let (result, inheritance) = look(bucket.find(id)?);
        // The words of a bucket are those of its only record.
        let words = inheritance.filter(|_| bucket.is_single()).map(|words| {
            let room = place.inheritance.get_or_init(Box::default);
            room.store(words);
            place.label.store(place.label.load(Relaxed) | HANDED_DOWN, Release);
            &**room
        });
        unlock(bucket);
        Some((result, words))
    }

    /// Calls `look` with the first of `ids` that has a record: the nearest span, if `ids` are a scope.
    pub(crate) fn nearest<R>(
        &self,
        ids: impl IntoIterator<Item = u64>,
        mut look: impl FnMut(u64, &mut SpanRecord) -> R,
    ) -> Option<R> {
        ids.into_iter().find_map(|id| self.with(id, |record| look(id, record)))
    }

    /// Calls `change` with a record, whose kind may change.
    pub(crate) fn change<R>(&self, id: u64, change: impl FnOnce(&mut SpanRecord) -> R) -> Option<R> {
        let place = self.shard(id).place_of(id)?;
        let mut bucket = place.lock();
        let result = bucket.find(id).map(change);
        place.label(&bucket);
        result
    }

    /// Returns the kind of a record, without a lock.
    #[inline]
    pub(crate) fn kind(&self, id: u64) -> Kind {
        let Some(place) = self.shard(id).place(id) else { return Kind::Absent };
        let label = place.label.load(Relaxed);
        if label & !KIND == label_of(id, Kind::Absent) {
            return Kind::of_bits(label);
        }
        if label == SEVERAL { place.kind_among_several(id) } else { Kind::Absent }
    }

    /// Calls `look` with every record, each while its bucket is locked. Takes time for each place ever in use.
    pub(crate) fn for_each(&self, mut look: impl FnMut(&mut SpanRecord)) {
        let pages = self.shards.iter().flat_map(|shard| &shard.pages).filter_map(OnceLock::get);
        for place in pages.flatten() {
            let mut bucket = place.lock();
            let Bucket { first, others } = &mut *bucket;
            let others = others.iter_mut().flat_map(|others| others.iter_mut());
            first.iter_mut().chain(others).for_each(|(_, record)| look(record));
        }
    }

    /// Returns the maximum of records for each thread.
    pub(crate) fn capacity(&self) -> u32 {
        self.capacity
    }

    fn shard(&self, id: u64) -> &Shard {
        &self.shards[(id.wrapping_sub(1) >> ADDRESS_BITS) as usize % SHARDS]
    }
}

/// Unlocks a bucket, out of line as [`Table::lock`].
#[inline(never)]
fn unlock(bucket: MutexGuard<'_, Bucket>) {
    drop(bucket);
}

impl Found<'_> {
    /// Takes the record out, if it is there.
    #[inline]
    pub(crate) fn remove(self) -> Option<Box<SpanRecord>> {
        let mut bucket = self.place.lock();
        let record = match bucket.first.take_if(|(first, _)| *first == self.id) {
            Some((_, record)) if bucket.others.is_none() => {
                self.place.label.store(0, Relaxed);
                record
            }
            taken => self.remove_among_several(&mut bucket, taken.map(|(_, record)| record))?,
        };
        self.shard.open.fetch_sub(1, Relaxed);
        Some(record)
    }

    /// Takes the record out of a bucket that has others, or had some, unless it is `taken` already.
    #[cold]
    #[inline(never)]
    fn remove_among_several(
        &self,
        bucket: &mut Bucket,
        taken: Option<Box<SpanRecord>>,
    ) -> Option<Box<SpanRecord>> {
        let record = taken.or_else(|| bucket.remove_beside(self.id));
        self.place.label(bucket);
        record
    }
}

impl Shard {
    #[inline]
    fn place(&self, id: u64) -> Option<&Place> {
        let (page, index) = page_and_index(id);
        self.pages.get(page)?.get()?.get(index)
    }

    /// Returns the id's place, if it may have a record.
    #[inline]
    fn place_of(&self, id: u64) -> Option<&Place> {
        self.place(id).filter(|place| {
            let label = place.label.load(Relaxed);
            label & !KIND == label_of(id, Kind::Absent) || label == SEVERAL
        })
    }

    #[inline]
    fn place_or_new(&self, id: u64) -> &Place {
        match self.place(id) {
            Some(place) => place,
            None => self.new_place(id),
        }
    }

    #[cold]
    #[inline(never)]
    fn new_place(&self, id: u64) -> &Place {
        let (page, index) = page_and_index(id);
        let new = || std::iter::repeat_with(Place::default).take(FIRST_PAGE << page).collect();
        &self.pages[page].get_or_init(new)[index]
    }

    /// Inserts into a bucket that has another record, or had others.
    #[inline(never)]
    fn insert_beside(
        &self,
        place: &Place,
        bucket: &mut Bucket,
        id: u64,
        record: Box<SpanRecord>,
    ) -> Inserted {
        let stale = bucket.remove(id);
        if bucket.first.is_none() {
            bucket.first = Some((id, record));
        } else {
            bucket.others.get_or_insert_default().push((id, record));
        }
        place.label(bucket);
        match stale {
            None => Inserted::Done,
            Some(stale) => {
                self.open.fetch_sub(1, Relaxed);
                Inserted::Replaced(stale)
            }
        }
    }
}

impl Place {
    #[inline]
    fn lock(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cold]
    fn kind_among_several(&self, id: u64) -> Kind {
        self.lock().find(id).map_or(Kind::Absent, |record| record.kind())
    }

    /// Sets the label.
    #[inline]
    fn label(&self, bucket: &Bucket) {
        let label = match &bucket.first {
            _ if !bucket.is_single() => SEVERAL,
            None => 0,
            Some((id, record)) => label_of(*id, record.kind()),
        };
        self.label.store(label, Relaxed);
    }
}

impl Kind {
    /// Returns the kind of which the lowest bits of a word are the number.
    #[inline]
    pub(crate) const fn of_bits(word: u64) -> Self {
        const KINDS: [Kind; 4] = [Kind::Absent, Kind::Part, Kind::Root, Kind::Unrecorded];
        KINDS[(word & KIND_ALONE) as usize]
    }
}

/// Returns a label. The highest bits of the id are missing, of a generation: a false match is detected in the bucket.
#[inline]
const fn label_of(id: u64, kind: Kind) -> u64 {
    id << KIND.count_ones() | kind as u64
}

/// The bits of a label that are about its record: a [`Kind`], and [`HANDED_DOWN`].
const KIND: u64 = 0b111;

/// The bits of a label that are a [`Kind`].
const KIND_ALONE: u64 = 0b11;

/// The bit of a label that says that the record's inheritance lies beside it. No record that is unrecorded hands
/// anything down, so no label is [`SEVERAL`] by that.
const HANDED_DOWN: u64 = 0b100;

/// Records that share the bucket: only the bucket knows. No id is 0.
const SEVERAL: u64 = KIND;

const SHARDS: usize = 64;

#[cfg(test)]
#[path = "table/tests.rs"]
mod tests;
