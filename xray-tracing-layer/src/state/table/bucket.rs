//! [`Bucket`]: the records that share a place. Nearly always there is one, and what others take is out of its way.
//! Called by the table alone, with the place locked.

use crate::state::record::SpanRecord;

/// The records of one place.
#[derive(Debug, Default)]
pub(super) struct Bucket {
    pub(super) first: Option<(u64, Box<SpanRecord>)>,
    /// A place fits a cache line, and hardly any has others.
    pub(super) others: Option<Box<Others>>,
}

/// Records that share their bucket with another.
pub(super) type Others = Vec<(u64, Box<SpanRecord>)>;

impl Bucket {
    /// Returns whether there is no other record beside the first.
    #[inline]
    pub(super) fn is_single(&self) -> bool {
        self.others.as_ref().is_none_or(|others| others.is_empty())
    }

    #[inline]
    pub(super) fn find(&mut self, id: u64) -> Option<&mut SpanRecord> {
        match &mut self.first {
            Some((first, record)) if *first == id => Some(record),
            _ => Self::find_beside(&mut self.others, id),
        }
    }

    #[cold]
    #[inline(never)]
    fn find_beside(others: &mut Option<Box<Others>>, id: u64) -> Option<&mut SpanRecord> {
        let (_, record) = others.as_mut()?.iter_mut().find(|(other, _)| *other == id)?;
        Some(record)
    }

    #[inline]
    pub(super) fn remove(&mut self, id: u64) -> Option<Box<SpanRecord>> {
        let first = self.first.take_if(|(first, _)| *first == id);
        first.map(|(_, record)| record).or_else(|| self.remove_beside(id))
    }

    /// Takes out one of the others.
    pub(super) fn remove_beside(&mut self, id: u64) -> Option<Box<SpanRecord>> {
        let others = self.others.as_mut()?;
        let at = others.iter().position(|(other, _)| *other == id)?;
        Some(others.swap_remove(at).1)
    }
}
