//! [`Scan`]: where a scanner stands in a statement, what it knows of it, and what it has written.
//!
//! Nothing in here knows tokens.

use std::fmt::{self, Write};

use crate::fields::sanitize::dialect::Dialect;

/// A scanner of a statement.
pub(super) struct Scan<'a, W> {
    pub(super) text: &'a str,
    pub(super) dialect: Dialect,
    pub(super) at: usize,
    pub(super) out: W,
    pub(super) written: fmt::Result,
    /// Up to where the text is in `out`, or replaced.
    pub(super) copied: usize,
    /// Bytes written.
    pub(super) shown: usize,
    /// The last byte that was not a blank.
    pub(super) before: u8,
    pub(super) has_backquotes: bool,
    /// Set if the statement begins with `COPY`.
    pub(super) is_copy: bool,
    /// The keyword that was read last.
    pub(super) previous: Word,
    /// Set if only a name can stand here.
    pub(super) name_next: bool,
    /// A bit for each depth at which a `SELECT`, `DELETE` or `UPDATE` was read.
    pub(super) queries: u64,
    pub(super) depth: u32,
    /// In the list of names of `INTO table (…)`: its depth.
    pub(super) names: Option<u32>,
    /// Between `SET` and what ends it: the depth of its assignments.
    pub(super) assignments: Option<u32>,
}

/// Keywords that decide what stands behind them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Other,
    Insert,
    /// `INTO`, and the name behind it.
    Into,
    Identified,
    Copy,
    Distinct,
    From,
    Pragma,
    /// A secret follows, quoted or not.
    Secret,
}

impl<W: Write> Scan<'_, W> {
    /// Shows nothing from `start` on.
    pub(super) fn give_up(&mut self, start: usize) {
        self.literal(start, self.text.len(), "?…");
    }

    pub(super) fn literal(&mut self, start: usize, end: usize, shown_as: &str) {
        self.replace(start, end, shown_as);
        (self.before, self.name_next, self.previous) = (b'?', false, Word::Other);
    }

    pub(super) fn replace(&mut self, start: usize, end: usize, with: &str) {
        self.write(start);
        self.written = self.written.and_then(|()| self.out.write_str(with));
        self.shown += with.len();
        (self.at, self.copied) = (end, end);
    }

    /// Writes what stands before `end` and was kept. The first is no blank.
    pub(super) fn write(&mut self, end: usize) {
        let kept = &self.text[self.copied..end];
        let kept = if self.shown == 0 { kept.trim_ascii_start() } else { kept };
        self.written = self.written.and_then(|()| self.out.write_str(kept));
        self.shown += kept.len();
    }

    pub(super) fn finish(mut self) -> fmt::Result {
        self.write(self.at);
        self.written
    }

    /// The byte there; 0 behind the end.
    pub(super) fn byte(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or_default()
    }

    pub(super) fn end_of(&self, start: usize, belongs: impl Fn(u8) -> bool) -> usize {
        let rest = self.text.as_bytes().get(start..).unwrap_or_default();
        start + rest.iter().position(|byte| !belongs(*byte)).unwrap_or(rest.len())
    }
}

/// Letters, and all that is not ASCII.
pub(super) fn is_in_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || !byte.is_ascii()
}
