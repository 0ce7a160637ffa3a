//! Joining two bodies: fields that were recorded late, and events, are put into the body of their span.
//!
//! A body is filled without a lock, because the values are formatted by the user's code, and absorbed under one.

use super::body::Body;
use super::entry::Content;
use super::flags::Flags;
use super::limits::MAX_EXCEPTIONS;
use super::truncation::Written;
use crate::json::Buffer;

impl Body {
    /// Copies every member of `other` into this body, as if each had been put here.
    pub fn absorb(&mut self, other: &Self) {
        for entry in other.members() {
            let start = self.text.len();
            let copy = |text: &mut Buffer| text.put_bytes(other.bytes_of(&entry));
            match entry.content {
                Content::Dead => {}
                Content::Member { part, rank, key_len } => {
                    copy(&mut self.text);
                    self.finish(part, rank, start, usize::from(key_len), Written::Whole);
                }
                Content::Exception { .. } if self.exceptions >= MAX_EXCEPTIONS => self.losses.dropped += 1,
                Content::Exception { .. } => {
                    self.exceptions += 1;
                    copy(&mut self.text);
                    self.keep(entry.content, start);
                }
            }
        }
        self.mixed |= other.mixed;
        self.status = other.status.or(self.status);
        if other.flags.has(Flags::SUCCEEDED) {
            self.flags = self.flags.without(Flags::FAILED);
        }
        self.flags = self.flags.with(other.flags);
        self.namespace = other.namespace.or(self.namespace);
        self.losses.cut += other.losses.cut;
        self.losses.dropped += other.losses.dropped;
        self.losses.moved += other.losses.moved;
        self.losses.replaced += other.losses.replaced;
    }
}
