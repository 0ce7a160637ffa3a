//! What limits cost: how much of one value was written, and what a whole body lost.

/// How much of a value was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Written {
    /// All of it.
    Whole,
    /// Its beginning.
    Cut,
    /// Nothing: it has no JSON form, or is too large to be cut.
    Nothing,
}

impl Written {
    /// `Cut` if so, else `Whole`: what [`Buffer::put_string_within`] answers.
    pub const fn cut_if(cut: bool) -> Self {
        if cut { Self::Cut } else { Self::Whole }
    }
}

/// What a body had to leave out or shorten to stay within X-Ray's limits. Counts of values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Truncation {
    /// Strings that were cut; each ends in `…` in the document.
    pub cut: u32,
    /// Values that were left out: no JSON form, or no room.
    pub dropped: u32,
    /// Annotations above [`MAX_ANNOTATIONS`](super::MAX_ANNOTATIONS), which became metadata.
    pub moved: u32,
}
