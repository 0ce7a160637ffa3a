//! How a body gets back below its bound: what goes first, and how the newest string is cut.

use super::body::Body;
use super::entry::Entry;
use super::limits::MAX_BODY;
use super::section::Section;
use crate::json::Buffer;
use crate::json::escaped_prefix;

impl Body {
    /// Brings the body back to [`MAX_BODY`]: first what was replaced goes, then metadata, the largest first,
    /// then stacks, then the rest of the newest string, and if that is not one, the newest member.
    #[cold]
    pub(super) fn trim(&mut self) {
        self.compact();
        while self.text.len() > MAX_BODY {
            let metadata =
                |entry: &&mut Entry| matches!(entry.section, Some(Section::Metadata | Section::MetadataIn));
            if let Some(largest) = self.entries.iter_mut().filter(metadata).max_by_key(|entry| entry.len) {
                self.namespaced -= u32::from(largest.section == Some(Section::MetadataIn));
                largest.section = None;
                self.losses.dropped += 1;
            } else if let Some(stack) = self.entries.iter_mut().find(|entry| entry.has_stack()) {
                stack.len = u32::from(stack.split);
                self.losses.dropped += 1;
            } else {
                return self.shorten_newest();
            }
            self.compact();
        }
    }

    fn shorten_newest(&mut self) {
        let Some(newest) = self.entries.last_mut() else { return };
        let value = newest.start as usize + usize::from(newest.split);
        self.text.truncate((newest.start + newest.len) as usize);
        if newest.section != Some(Section::Exception) && cut_string_token(&mut self.text, value, MAX_BODY - 1)
        {
            newest.len = (self.text.len() - newest.start as usize) as u32;
            self.text.put(",");
            self.losses.cut += 1;
            return;
        }
        self.text.truncate(newest.start as usize);
        self.annotations -= u32::from(newest.section == Some(Section::Annotation));
        self.entries.pop();
        self.losses.dropped += 1;
    }

    /// Closes the gaps that dead entries left.
    fn compact(&mut self) {
        let mut end = 0;
        let text = &mut self.text;
        self.entries.retain_mut(|entry| {
            if entry.section.is_none() {
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
