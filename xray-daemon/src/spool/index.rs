//! The spool's contents as decisions need them: sizes, ages, copies in memory.
//!
//! No file here. An entry that is being sent again stays on disk until X-Ray has it, so that a crash loses nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// An entry of the spool: a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its number; later entries have larger ones.
    pub key: u64,
    /// Its documents.
    pub documents: u64,
    /// Its bytes.
    pub bytes: u64,
    /// The time at which its oldest document was received, in seconds since 1970.
    pub unix: u64,
}

impl Stored {
    /// Returns the bytes of the disk that the entry takes.
    #[must_use]
    pub fn room(&self) -> u64 {
        room(self.bytes)
    }
}

/// Returns the bytes of the disk that an entry of this size takes.
///
/// The database gives each entry a run of pages, and the length of a run is a power of two. A batch of 50 documents of
/// 1 KB so takes 64 KB.
#[must_use]
pub fn room(bytes: u64) -> u64 {
    (bytes + HEAD).max(PAGE).checked_next_power_of_two().unwrap_or(u64::MAX)
}

/// Bytes of a page.
const PAGE: u64 = 4 << 10;
/// The most bytes that the database writes in front of an entry.
const HEAD: u64 = 64;

/// All entries.
#[derive(Debug)]
pub struct Index {
    entries: BTreeMap<u64, Entry>,
    /// Entries that rest, in the order in which they may come back.
    due: BTreeSet<(Duration, u64)>,
    max_bytes: u64,
    max_age: Duration,
    bytes: u64,
    resting: u64,
    next_key: u64,
    /// Entries that are no longer of use, but still on disk.
    obsolete: Vec<u64>,
}

#[derive(Debug)]
struct Entry {
    stored: Stored,
    state: State,
    failures: u32,
    /// The time of the last failure.
    failed: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// On disk alone, and not to be read before this time.
    Resting(Duration),
    /// On disk alone, and being read.
    Loading,
    /// On disk and in memory.
    Out,
}

impl Index {
    /// An index of what was found on disk.
    #[must_use]
    pub fn new(found: impl IntoIterator<Item = Stored>, max_bytes: u64, max_age: Duration) -> Self {
        let mut index = Self {
            entries: BTreeMap::new(),
            due: BTreeSet::new(),
            max_bytes,
            max_age,
            bytes: 0,
            resting: 0,
            next_key: 0,
            obsolete: Vec::new(),
        };
        for stored in found {
            index.insert(stored);
        }
        index
    }

    /// Documents that are on disk and not in memory.
    #[must_use]
    pub fn resting(&self) -> u64 {
        self.resting
    }

    /// Bytes of the disk that all entries take.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns a number for a new entry.
    pub fn next_key(&mut self) -> u64 {
        self.next_key += 1;
        self.next_key
    }

    /// An entry has been written.
    pub fn insert(&mut self, stored: Stored) {
        self.bytes += stored.room();
        self.resting += stored.documents;
        self.next_key = self.next_key.max(stored.key);
        self.due.insert((Duration::ZERO, stored.key));
        self.entries.insert(
            stored.key,
            Entry { stored, state: State::Resting(Duration::ZERO), failures: 0, failed: Duration::ZERO },
        );
    }

    /// Gives up the oldest entries until a number of bytes of the disk is free for new ones.
    ///
    /// Returns their documents, and whether the bytes fit.
    pub fn make_room(&mut self, bytes: u64) -> (u64, bool) {
        let mut given_up = 0;
        while self.bytes + bytes > self.max_bytes {
            let mut entries = self.entries.values();
            let Some(oldest) = entries.find(|entry| matches!(entry.state, State::Resting(_))) else {
                return (given_up, false);
            };
            let Stored { key, documents, .. } = oldest.stored;
            given_up += documents;
            self.remove(key);
        }
        (given_up, true)
    }

    /// Gives up entries that are too old, and returns their documents.
    pub fn expire(&mut self, unix: u64) -> u64 {
        let limit = unix.saturating_sub(self.max_age.as_secs());
        let is_old = |entry: &&Entry| entry.stored.unix < limit && matches!(entry.state, State::Resting(_));
        let old: Vec<Stored> = self.entries.values().filter(is_old).map(|entry| entry.stored).collect();
        for stored in &old {
            self.remove(stored.key);
        }
        old.iter().map(|stored| stored.documents).sum()
    }

    /// The oldest entry that may come back; the next call returns another one.
    pub fn load(&mut self, now: Duration) -> Option<u64> {
        let (from, key) = *self.due.first()?;
        if from > now {
            return None;
        }
        self.due.pop_first();
        self.entries.get_mut(&key)?.state = State::Loading;
        Some(key)
    }

    /// Returns the time at which the next entry may come back.
    #[must_use]
    pub fn next_load(&self) -> Option<Duration> {
        self.due.first().map(|(from, _)| *from)
    }

    /// An entry is in memory now. Returns the entry, if there is one of this number.
    pub fn loaded(&mut self, key: u64) -> Option<Stored> {
        let entry = self.entries.get_mut(&key)?;
        if let State::Resting(from) = entry.state {
            self.due.remove(&(from, key));
        }
        if entry.state != State::Out {
            self.resting -= entry.stored.documents;
            entry.state = State::Out;
        }
        Some(entry.stored)
    }

    /// An entry is on disk alone again, since its copy is not needed or could not be read.
    pub fn rest(&mut self, key: u64) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        match entry.state {
            State::Resting(_) => return,
            State::Loading => {}
            State::Out => self.resting += entry.stored.documents,
        }
        entry.state = State::Resting(Duration::ZERO);
        self.due.insert((Duration::ZERO, key));
    }

    /// The call with an entry's copy failed: the entry is on disk alone again.
    ///
    /// Returns how often it failed although other calls succeeded in between. A failure while all fail says nothing of
    /// the entry, and must not keep it back when they succeed again.
    pub fn failed(&mut self, key: u64, now: Duration, last_success: Option<Duration>) -> u32 {
        self.rest(key);
        let Some(entry) = self.entries.get_mut(&key) else { return 0 };
        let is_alone = last_success.is_some_and(|success| success > entry.failed);
        if is_alone || entry.failures == 0 {
            entry.failures += 1;
        }
        entry.failed = now;
        entry.failures
    }

    /// An entry may not come back before this time.
    pub fn postpone(&mut self, key: u64, until: Duration) {
        if let Some(Entry { state: State::Resting(from), .. }) = self.entries.get_mut(&key) {
            self.due.remove(&(*from, key));
            self.due.insert((until, key));
            *from = until;
        }
    }

    /// An entry is no longer of use.
    pub fn remove(&mut self, key: u64) {
        if let Some(entry) = self.entries.remove(&key) {
            self.bytes -= entry.stored.room();
            if let State::Resting(from) = entry.state {
                self.due.remove(&(from, key));
            }
            if entry.state != State::Out {
                self.resting -= entry.stored.documents;
            }
            self.obsolete.push(key);
        }
    }

    /// An entry is no longer on disk.
    pub fn forget(&mut self, key: u64) {
        self.remove(key);
        self.obsolete.retain(|obsolete| *obsolete != key);
    }

    /// The documents of an entry.
    #[must_use]
    pub fn documents(&self, key: u64) -> u64 {
        self.entries.get(&key).map_or(0, |entry| entry.stored.documents)
    }

    /// Returns whether entries wait to be deleted from disk.
    #[must_use]
    pub fn has_obsolete(&self) -> bool {
        !self.obsolete.is_empty()
    }

    /// Entries to be deleted from disk; each is returned once.
    pub fn take_obsolete(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.obsolete)
    }

    /// Entries could not be deleted from disk.
    pub fn keep_obsolete(&mut self, keys: Vec<u64>) {
        self.obsolete.extend(keys);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    fn stored(key: u64) -> Stored {
        Stored { key, documents: 10, bytes: 4_000, unix: 1_000 + key }
    }

    fn index() -> Index {
        Index::new((1..=3).map(stored), 4 * PAGE, 10 * S)
    }

    #[test]
    fn entries_come_back_oldest_first_and_each_once() {
        let mut index = index();
        assert_eq!(
            [index.load(S), index.load(S), index.load(S), index.load(S)],
            [Some(1), Some(2), Some(3), None]
        );
        assert_eq!(index.resting(), 30);
        assert_eq!(index.loaded(2), Some(stored(2)));
        assert_eq!((index.resting(), index.bytes(), index.next_key()), (20, 3 * PAGE, 4));
    }

    #[test]
    fn an_entry_that_failed_rests_until_its_time() {
        let mut index = Index::new([stored(1)], 4 * PAGE, 10 * S);
        index.load(S);
        index.loaded(1);
        assert_eq!((index.failed(1, S, None), index.resting()), (1, 10));
        index.postpone(1, 5 * S);
        assert_eq!((index.load(4 * S), index.next_load(), index.load(5 * S)), (None, Some(5 * S), Some(1)));
    }

    #[test]
    fn failures_count_only_if_others_succeeded_meanwhile() {
        let mut index = Index::new([stored(1)], 4 * PAGE, 10 * S);
        let mut failures = |now, last_success| {
            index.load(100 * S);
            index.loaded(1);
            index.failed(1, now, last_success)
        };
        // An outage, however long, counts as one; a success before it is no matter.
        assert_eq!([failures(2 * S, Some(S)), failures(3 * S, Some(S)), failures(4 * S, Some(S))], [1, 1, 1]);
        assert_eq!([failures(6 * S, Some(5 * S)), failures(7 * S, Some(5 * S))], [2, 2]);
        assert_eq!(failures(9 * S, Some(8 * S)), 3);
    }

    #[test]
    fn room_is_made_at_the_expense_of_the_oldest_that_rest() {
        let mut index = index();
        index.load(S);
        index.loaded(1);
        assert_eq!(index.make_room(PAGE), (0, true));
        assert_eq!(index.make_room(2 * PAGE + 1), (20, true));
        assert_eq!((index.take_obsolete(), index.take_obsolete()), (vec![2, 3], vec![]));
        assert_eq!(index.make_room(3 * PAGE + 1), (0, false));
    }

    #[test]
    fn what_is_too_old_is_given_up() {
        let mut index = index();
        assert_eq!((index.expire(1_011), index.expire(1_012), index.expire(1_014)), (0, 10, 20));
        assert_eq!((index.resting(), index.bytes()), (0, 0));
    }
}
