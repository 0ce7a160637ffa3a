//! The part of a body's index that is made late. The first members of most bodies are put as blocks, without entries.
//! Their entries are found by a scan, when a member is replaced or looked for. Most bodies are written without.
//!
//! Such members are annotations and, behind all of these, metadata. Their values are numbers, flags, and strings without
//! escapes.

use super::body::Body;
use super::entry::{Content, Entry};
use super::section::Part;
use crate::json::string_token_len;

impl Body {
    /// Returns the entries of all members, those included that are not in the index yet.
    pub(super) fn members(&self) -> impl Iterator<Item = Entry> {
        self.unindexed(self.text.len()).chain(self.entries.iter().copied())
    }

    /// Returns at least the members of a part. Only annotations and metadata have to be scanned for.
    #[inline]
    pub(super) fn members_near(&self, part: Part) -> impl Iterator<Item = Entry> {
        let scanned = match part {
            Part::Annotation | Part::Metadata => self.unindexed(self.text.len()),
            _ => Unindexed::default(),
        };
        scanned.chain(self.entries.iter().copied())
    }

    /// Returns whether members of a part may be without an entry.
    #[inline]
    pub(super) fn lacks_entries(&self, part: Part) -> bool {
        matches!(part, Part::Annotation | Part::Metadata) && self.indexed_from(self.text.len()) > 0
    }

    /// Returns where the first member with an entry begins. Behind `end`, no member has one yet.
    #[inline]
    pub(super) fn indexed_from(&self, end: usize) -> usize {
        self.entries.first().map_or(end, |first| first.start as usize)
    }

    /// Puts all members into the index that end before `end`, behind which no member has an entry yet.
    #[inline]
    pub(super) fn index(&mut self, end: usize) {
        if self.indexed_from(end) > 0 {
            self.index_late(end);
        }
    }

    #[inline(never)]
    fn index_late(&mut self, end: usize) {
        let late: Vec<Entry> = self.unindexed(end).collect();
        self.entries.splice(..0, late);
    }

    /// Returns the members in front of the first that has an entry, and before `end`.
    fn unindexed(&self, end: usize) -> Unindexed<'_> {
        let end = self.indexed_from(end);
        let text = self.text.as_bytes().get(..end).unwrap_or_default();
        Unindexed { text, at: 0, split: self.split as usize }
    }
}

/// Members that were put as blocks.
#[derive(Default)]
struct Unindexed<'a> {
    text: &'a [u8],
    at: usize,
    /// The end of the annotations.
    split: usize,
}

impl Iterator for Unindexed<'_> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        let (at, member) = (self.at, self.text.get(self.at..).filter(|rest| !rest.is_empty())?);
        let key_len = string_token_len(member) + 1;
        let value = member.get(key_len..)?;
        let value_len = match value.first()? {
            b'"' => string_token_len(value),
            _ => value.iter().position(|byte| *byte == b',')?,
        };
        let len = key_len + value_len;
        self.at += len + 1;
        let part = if at < self.split { Part::Annotation } else { Part::Metadata };
        let content = Content::Member { part, rank: 0, key_len: key_len as u16 };
        Some(Entry { content, start: at as u32, len: len as u32 })
    }
}
