//! Trimming a body to its bound: what is dropped first, and how the newest string is cut.

use super::body::Body;
use super::entry::{Content, Entry};
use super::exception::{FRAME, STACK};
use super::limits::{MAX_BODY, MAX_MEMBERS};
use super::section::Part;
use crate::json::{Buffer, escaped_prefix};

impl Body {
    /// Returns whether there is room for another member. Replaced ones, which are still there, take none.
    #[cold]
    pub(super) fn has_room_for_member(&mut self) -> bool {
        self.entries.iter().filter(|entry| !matches!(entry.content, Content::Dead)).count() < MAX_MEMBERS
    }

    /// Brings the body back to [`MAX_BODY`]: first what was replaced goes, then metadata, the largest first,
    /// then stacks, then the rest of the newest string, and if that is not one, the newest member.
    #[cold]
    pub(super) fn trim(&mut self) {
        self.mixed = true;
        self.index(self.text.len());
        self.compact();
        while self.text.len() > MAX_BODY {
            let is_metadata =
                |entry: &&mut Entry| matches!(entry.part(), Some(Part::Metadata | Part::MetadataIn));
            if let Some(largest) = self.entries.iter_mut().filter(is_metadata).max_by_key(|entry| entry.len) {
                self.namespaced -= u32::from(largest.part() == Some(Part::MetadataIn));
                largest.content = Content::Dead;
                self.losses.dropped += 1;
            } else if self.drop_stack() {
                self.losses.dropped += 1;
            } else {
                return self.shorten_newest();
            }
            self.compact();
        }
    }

    /// Replaces the oldest stack by the number of its frames. Returns whether there was one.
    fn drop_stack(&mut self) -> bool {
        for entry in &mut self.entries {
            let Content::Exception { stack_at } = entry.content else { continue };
            let stack_start = entry.start as usize + usize::from(stack_at);
            let stack = &self.text.as_bytes()[stack_start..(entry.start + entry.len) as usize];
            if !stack.starts_with(STACK.as_bytes()) {
                continue;
            }
            // In a string the quotes of this would be escaped.
            let frames = stack.windows(FRAME.len()).filter(|bytes| *bytes == FRAME.as_bytes()).count();
            let truncated = format!(",\"truncated\":{frames}");
            // Never longer than the frames that it counts.
            self.text.bytes_mut()[stack_start..][..truncated.len()].copy_from_slice(truncated.as_bytes());
            entry.len = u32::from(stack_at) + truncated.len() as u32;
            return true;
        }
        false
    }

    fn shorten_newest(&mut self) {
        let Some(newest) = self.entries.last_mut() else { return };
        let start = newest.start as usize;
        self.text.truncate(start + newest.len as usize);
        if let Content::Member { key_len, .. } = newest.content
            && cut_string_token(&mut self.text, start + usize::from(key_len), MAX_BODY - 1)
        {
            newest.len = (self.text.len() - start) as u32;
            self.text.put(",");
            self.losses.cut += 1;
            return;
        }
        self.text.truncate(start);
        self.annotations -= u32::from(newest.part() == Some(Part::Annotation));
        self.entries.pop();
        self.losses.dropped += 1;
    }

    /// Closes the gaps that dead entries left.
    fn compact(&mut self) {
        let mut end = 0;
        let text = &mut self.text;
        self.entries.retain_mut(|entry| {
            if matches!(entry.content, Content::Dead) {
                return false;
            }
            let range = entry.start as usize..(entry.start + entry.len) as usize;
            text.bytes_mut().copy_within(range, end);
            entry.start = end as u32;
            end += entry.len as usize;
            text.bytes_mut()[end] = b',';
            end += 1;
            true
        });
        text.truncate(end);
        self.dead = 0;
    }
}

/// Cuts the string token that begins at `start` and ends the buffer, so that the buffer holds at most `max`
/// bytes. `false` if it is no string, or nothing of it would be left.
fn cut_string_token(text: &mut Buffer, start: usize, max: usize) -> bool {
    let bytes = text.as_bytes();
    if bytes.get(start) != Some(&b'"') {
        return false;
    }
    let room = max.saturating_sub(start + "\"…\"".len());
    let end = start + 1 + escaped_prefix(&bytes[start + 1..bytes.len() - 1], room);
    if end <= start + 1 {
        return false;
    }
    text.truncate(end);
    text.put("…\"");
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::StackFrame;
    use crate::document::internal::{Children, Frame, Kind, Stack};
    use crate::id::SegmentId;

    #[test]
    fn a_stack_that_has_to_go_leaves_the_number_of_its_frames() {
        let path = "{\"path\":".repeat(30);
        let frames: Vec<_> = (0..50).map(|line| StackFrame::new(&path, line, "f")).collect();
        let mut body = Body::new();
        for i in 0..5 {
            let error = std::io::Error::other(format!("error {i}"));
            body.add_error(&error, &Stack::new(&frames));
        }
        let (children, id) = (Children::new(), SegmentId::from(1));
        let mut out = Buffer::new();
        Frame { kind: Kind::EMBEDDED, id, name: "x", start: 1, end: None, body: &body, children: &children }
            .put(&mut out);
        let document: serde_json::Value = serde_json::from_str(out.as_str()).unwrap();
        let exceptions = document["cause"]["exceptions"].as_array().unwrap();
        let kept: Vec<_> = exceptions
            .iter()
            .map(|exception| (exception["truncated"].as_u64(), exception["stack"].as_array().map(Vec::len)))
            .collect();
        let (gone, whole) = ((Some(50), None), (None, Some(50)));
        assert_eq!(kept, [&[gone; 2][..], &[whole; 3]].concat());
        assert_eq!((body.losses().dropped, body.losses().cut), (2, 0));
    }
}
