//! A body's `cause`: its exceptions, or one that is put together from fields. Called by the writer of the body.

use super::body::Body;
use super::entry::{Content, Entry};
use super::section::Part;
use crate::id::SegmentId;
use crate::json::Buffer;

impl Body {
    /// Appends `cause`. `failed` is the flag that was set.
    pub(super) fn write_cause(&self, out: &mut Buffer, failed: Option<&str>) {
        // Receivers take a cause for a failure. Exceptions of work that succeeded all the same are metadata.
        if self.may_have(Part::Exception)
            && failed.is_some()
            && self.write_exceptions(out, ",\"cause\":{\"exceptions\":[")
        {
            return out.put("]}");
        }
        if self.may_have(Part::ExceptionPiece) && failed.is_some() {
            return self.write_cause_from_parts(out);
        }
        // Receivers work out the flags from a status or a cause, and forget one that has neither: gRPC fails with 200.
        if let Some(flag) = failed.filter(|_| self.status().is_none_or(|status| status < 400)) {
            out.put(",\"cause\":{\"exceptions\":[{\"id\":");
            out.put_segment_id(SegmentId::random());
            out.put(",\"type\":\"");
            out.put(flag);
            out.put("\",\"message\":\"marked without an error\"}]}");
        }
    }

    /// Appends the exceptions behind `before`. Returns whether there are any.
    pub(super) fn write_exceptions(&self, out: &mut Buffer, before: &str) -> bool {
        let mut separator = before;
        for entry in self.live(Part::Exception) {
            out.put(std::mem::replace(&mut separator, ","));
            self.write_exception(out, &entry);
        }
        separator != before
    }

    fn write_cause_from_parts(&self, out: &mut Buffer) {
        out.put(",\"cause\":{\"exceptions\":[{\"id\":");
        out.put_segment_id(SegmentId::random());
        self.write_members(out, Part::ExceptionPiece, false);
        out.put("}]}");
    }

    fn write_exception(&self, out: &mut Buffer, entry: &Entry) {
        let Content::Exception { stack_at } = entry.content else { return };
        let whole = self.bytes_of(entry);
        let (own, stack) = whole.split_at(usize::from(stack_at));
        // A cause that found no room is not named.
        match cause_of(own) {
            Some((head, id)) if !self.has_exception(id) => {
                out.put_bytes(head);
                out.put_bytes(stack);
            }
            _ => out.put_bytes(whole),
        }
        out.put("}");
    }

    fn has_exception(&self, id: &[u8]) -> bool {
        let is_it = |entry: Entry| {
            self.bytes_of(&entry).strip_prefix(b"{\"id\":\"").is_some_and(|e| e.starts_with(id))
        };
        self.live(Part::Exception).any(is_it)
    }
}

/// Splits an exception before its stack into what it is without the cause that it names, and the cause's id.
#[inline]
pub(super) fn cause_of(own: &[u8]) -> Option<(&[u8], &[u8])> {
    // The cause is the last before the stack.
    let (head, cause) = own.split_at(own.len().checked_sub(CAUSE.len() + SegmentId::LEN + 1)?);
    Some((head, cause.strip_prefix(CAUSE)?.get(..SegmentId::LEN)?))
}

const CAUSE: &[u8; 10] = b",\"cause\":\"";
