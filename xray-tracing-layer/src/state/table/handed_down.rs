//! [`HandedDown`]: the words that a record hands down to the spans inside it, beside its bucket, readable without the lock.
//! Called by the table, which says when they are there, and by the spans that open.

use std::sync::atomic::Ordering::Relaxed;

use super::super::sync::AtomicU64;
use crate::state::record::Inheritance;

/// The state that a record hands down.
#[derive(Debug, Default)]
pub(crate) struct HandedDown([AtomicU64; WORDS]);

impl HandedDown {
    /// Returns the words. The record's label says that they are there.
    #[inline]
    pub(crate) fn read(&self) -> Inheritance {
        self.0.each_ref().map(|word| word.load(Relaxed))
    }

    /// Stores the words, before the label says that they are there.
    pub(super) fn store(&self, words: Inheritance) {
        for (room, word) in self.0.iter().zip(words) {
            room.store(word, Relaxed);
        }
    }
}

/// The words of an inheritance.
const WORDS: usize = size_of::<Inheritance>() / size_of::<u64>();
