//! [`Written`] and [`Truncation`]: how much of a value was written, and what a body lost to X-Ray's limits.

/// The outcome of writing a value.
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
    /// `Cut` if so, else `Whole`: as [`Buffer::put_string_within`] returns it.
    pub const fn cut_if(cut: bool) -> Self {
        if cut { Self::Cut } else { Self::Whole }
    }
}

/// Counts of the values that a body left out or truncated to stay within X-Ray's limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Truncation {
    /// Strings that were truncated; each ends in `…` in the document.
    pub cut: u32,
    /// Values that were left out: no JSON form, or no room.
    pub dropped: u32,
    /// Annotations above [`MAX_ANNOTATIONS`](super::MAX_ANNOTATIONS), which became metadata.
    pub moved: u32,
    /// Annotations that replaced one of another key, because both keys are the same once sanitized.
    pub replaced: u32,
}
