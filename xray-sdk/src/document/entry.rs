//! [`Entry`]: where in a body's bytes one member stands.

use super::section::Part;

/// One member, at `text[start..start + len]`, with a comma behind it.
///
/// Members that belong together and came together are copied together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) content: Content,
    pub(super) start: u32,
    pub(super) len: u32,
}

/// The meaning of an entry's bytes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Content {
    /// `"key":value`.
    Member {
        part: Part,
        /// The rank among fields with the same meaning: the lowest wins.
        rank: u8,
        /// Bytes of the key, its colon included.
        key_len: u16,
    },
    /// An object without its closing brace, and behind it its stack.
    Exception {
        /// The start of the stack in the entry.
        stack_at: u16,
    },
    /// Nothing any more: the member was replaced or given up.
    Dead,
}

impl Entry {
    /// Returns whether the entry is a member of that part whose key has a given length.
    #[inline]
    pub(super) fn is_member(&self, of: Part, len: usize) -> bool {
        matches!(self.content, Content::Member { part, key_len, .. } if part == of && usize::from(key_len) == len)
    }

    /// Returns the part that the entry belongs to, unless it is dead.
    #[inline]
    pub(super) fn part(&self) -> Option<Part> {
        match self.content {
            Content::Member { part, .. } => Some(part),
            Content::Exception { .. } => Some(Part::Exception),
            Content::Dead => None,
        }
    }
}

// As large as one word and a half: a span holds some ten of these.
const _: () = assert!(size_of::<Entry>() == 12);
