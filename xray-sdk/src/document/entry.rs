//! [`Entry`]: where in a body's bytes one member stands.

use super::section::Section;

/// One member: `text[start..start + len]` is `"key":value`, of which the first `split` bytes are the key, and a
/// comma follows. So members that belong together and came together are copied together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// `None` once the entry is replaced or given up.
    pub(super) section: Option<Section>,
    /// Among fields that mean the same, the one with the lower rank wins. For an exception: its stack frames.
    pub(super) rank: u8,
    /// For an exception: where its stack begins, behind its cause.
    pub(super) split: u16,
    pub(super) start: u32,
    pub(super) len: u32,
}

impl Entry {
    pub(super) fn has_stack(&self) -> bool {
        self.section == Some(Section::Exception) && self.len > u32::from(self.split)
    }
}
