//! Finished subsegments, kept as the bytes of their documents until their parent is sent.
//!
//! A parent may be written with all of them, or some may leave on their own: by then nothing needs parsing,
//! since every document begins with its id (see [`insert_independent_head`](super::internal::insert_independent_head)).

use super::limits::MAX_DOCUMENT;
use crate::json::Buffer;

/// The documents of finished subsegments, with commas between them.
#[derive(Clone, Debug, Default)]
pub struct Children {
    bytes: Buffer,
    marks: Vec<Mark>,
    spans: u32,
    height: u8,
}

/// One child in `bytes`.
#[derive(Clone, Copy, Debug)]
struct Mark {
    end: u32,
    /// Itself and what is nested in it.
    spans: u32,
}

impl Children {
    /// The most bytes of children that a parent holds. Fifteen sixteenths of a document: what does not fit leaves
    /// by itself when it closes, and the members of most parents have room beside a full house. Of a parent with more,
    /// the largest leave at its end ([`shrink_to`](Self::shrink_to)).
    pub const ROOM: usize = MAX_DOCUMENT / 16 * 15;

    /// The most levels of subsegments in one document. Each level is an object in an array, and common JSON
    /// parsers stop at 128 levels of both: below this, a subsegment leaves by itself.
    pub const MAX_HEIGHT: u8 = 50;

    /// Creates an empty list.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Clears the list and keeps its memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.marks.clear();
        (self.spans, self.height) = (0, 0);
    }

    /// Returns the children's documents, with commas between them.
    #[inline]
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.as_bytes()
    }

    /// Returns the number of children, without nested ones.
    #[must_use]
    pub fn len(&self) -> usize {
        self.marks.len()
    }

    /// Returns whether there are no children.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// Returns the number of subsegments at all levels.
    #[must_use]
    pub fn spans(&self) -> u32 {
        self.spans
    }

    /// Returns the number of levels: 0 without children.
    #[must_use]
    pub fn height(&self) -> u8 {
        self.height
    }

    /// Returns the bytes of memory held, in use or not.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.bytes.capacity() + self.marks.capacity() * size_of::<Mark>()
    }

    /// Returns whether a document of at most `size` bytes with `height` levels below it has room.
    #[inline]
    #[must_use]
    pub fn has_room(&self, size: usize, height: u8) -> bool {
        self.bytes.len() + size < Self::ROOM && height < Self::MAX_HEIGHT
    }

    /// Adds the document of a finished subsegment with the children `below` it.
    #[inline]
    pub(super) fn add(&mut self, below: &Self, write: impl FnOnce(&mut Buffer)) {
        if !self.marks.is_empty() {
            self.bytes.put(",");
        }
        write(&mut self.bytes);
        let spans = 1 + below.spans;
        self.marks.push(Mark { end: self.bytes.len() as u32, spans });
        self.spans += spans;
        self.height = self.height.max(below.height + 1);
    }

    /// Adds a document without children below it. `write` appends it, with a comma in front unless it is the first, and
    /// returns whether it is whole. Nothing is added otherwise.
    #[inline]
    pub(super) fn add_written(&mut self, write: impl FnOnce(&mut Buffer, bool) -> bool) -> bool {
        let (before, is_first) = (self.bytes.len(), self.marks.is_empty());
        if !write(&mut self.bytes, is_first) {
            self.bytes.truncate(before);
            return false;
        }
        self.marks.push(Mark { end: self.bytes.len() as u32, spans: 1 });
        self.spans += 1;
        if is_first {
            self.height = self.height.max(1);
        }
        true
    }

    /// Adds the document of a finished subsegment that was inside of another one: with `spans` subsegments, itself
    /// included, on `height` levels.
    pub fn add_finished(&mut self, document: &[u8], spans: u32, height: u8) {
        if !self.marks.is_empty() {
            self.bytes.put(",");
        }
        self.bytes.put_bytes(document);
        self.marks.push(Mark { end: self.bytes.len() as u32, spans });
        self.spans += spans;
        self.height = self.height.max(height);
    }

    /// Makes the largest leave, one by one, until the rest takes at most `room` bytes. `leave` is given each
    /// document as it is embedded, and how many subsegments it holds.
    pub fn shrink_to(&mut self, room: usize, mut leave: impl FnMut(&[u8], u32)) {
        while self.bytes.len() > room {
            let size = |i: &usize| self.marks[*i].end as usize - self.start(*i);
            let Some(largest) = (0..self.marks.len()).max_by_key(size) else { return };
            let Mark { end, spans } = self.marks[largest];
            leave(&self.bytes.as_bytes()[self.start(largest)..end as usize], spans);
            self.remove(largest);
        }
    }

    /// Makes the oldest leave, at most `count` of them, as [`shrink_to`](Self::shrink_to) does.
    pub fn pop_front(&mut self, count: usize, mut leave: impl FnMut(&[u8], u32)) {
        let count = count.min(self.marks.len());
        let mut start = 0;
        for Mark { end, spans } in self.marks.drain(..count) {
            leave(&self.bytes.as_bytes()[start..end as usize], spans);
            start = end as usize + 1;
            self.spans -= spans;
        }
        let bytes = self.bytes.bytes_mut();
        bytes.drain(..start.min(bytes.len()));
        for mark in &mut self.marks {
            mark.end -= start as u32;
        }
    }

    fn start(&self, index: usize) -> usize {
        index.checked_sub(1).map_or(0, |before| self.marks[before].end as usize + 1)
    }

    fn remove(&mut self, index: usize) {
        let range = self.start(index)..self.marks[index].end as usize;
        let last = index + 1 == self.marks.len();
        // The comma goes with the document: the one behind it, or before it for the last.
        let with_comma = match (range.start, last) {
            (0, true) => range,
            (start, true) => start - 1..range.end,
            (start, false) => start..range.end + 1,
        };
        let removed = with_comma.len() as u32;
        self.bytes.bytes_mut().drain(with_comma);
        self.spans -= self.marks.remove(index).spans;
        for mark in &mut self.marks[index..] {
            mark.end -= removed;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn children(names: &[&str]) -> Children {
        let mut children = Children::new();
        for name in names {
            let document = format!("{{\"name\":\"{name}\"}}");
            children.add(&Children::new(), |out| out.put(&document));
        }
        children
    }

    fn names(children: &Children) -> Vec<String> {
        let array = format!("[{}]", std::str::from_utf8(children.bytes()).unwrap());
        let documents: Vec<serde_json::Value> = serde_json::from_str(&array).unwrap();
        documents.iter().map(|d| d["name"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn the_largest_leave_first_and_the_rest_keep_their_order() {
        for (given, stay) in [
            (["aaaaa", "b", "cc"], vec!["b", "cc"]),
            (["a", "bbbbb", "cc"], vec!["a", "cc"]),
            (["a", "bb", "ccccc"], vec!["a", "bb"]),
        ] {
            let mut children = children(&given);
            let mut left = Vec::new();
            children.shrink_to(children.bytes().len() - 1, |d, _| left.push(d.to_vec()));
            assert_eq!(names(&children), stay);
            assert_eq!(left.len(), 1);
            assert!(serde_json::from_slice::<serde_json::Value>(&left[0]).is_ok());
        }
        let mut all = children(&["a", "b", "c"]);
        let mut left = 0;
        all.shrink_to(0, |_, _| left += 1);
        assert_eq!((left, all.bytes().len(), all.is_empty()), (3, 0, true));
    }

    #[test]
    fn the_oldest_leave_in_order() {
        let mut children = children(&["a", "b", "c"]);
        let mut left = Vec::new();
        children.pop_front(2, |d, _| left.push(serde_json::from_slice::<serde_json::Value>(d).unwrap()));
        assert_eq!((left[0]["name"].as_str(), left[1]["name"].as_str()), (Some("a"), Some("b")));
        assert_eq!(names(&children), ["c"]);
        children.pop_front(9, |_, _| ());
        assert!(children.is_empty() && children.bytes().is_empty());
    }
}
