//! [`Body`]: what is known about one piece of work, encoded as it arrives.
//!
//! A value is turned into JSON once, when it is put, and copied once, when the document is written. In between
//! lies an index of entries, each a ready `"key":value` with the part of the document it belongs to, so that members may
//! come in any order, and again, and still end up grouped. Members of plain bodies get their entries late (`index`). A
//! body never grows above [`MAX_BODY`]: what it has to give up for that is counted by [`Truncation`], and in the
//! document itself.

use std::borrow::Cow;
use std::num::NonZeroU16;

use super::annotation::AnnotationValue;
use super::entry::{Content, Entry};
use super::flags::Flags;
use super::keys::Key;
use super::limits::{MAX_ANNOTATIONS, MAX_BODY, MAX_MEMBERS, MAX_NAMESPACED, MAX_STRING};
use super::name::{put_annotation_key, put_metadata_path};
use super::section::{Namespace, Part, Piece, Section};
use super::serialize::{put_looked_at, put_serialized, put_text_value};
use super::truncation::{Truncation, Written};
use crate::json::Buffer;

/// The members of a segment or subsegment apart from ids, name, times and children.
#[derive(Clone, Debug, Default)]
pub struct Body {
    pub(super) text: Buffer,
    /// The index, of all members but the first ones of most bodies; see [`index`](Self::index).
    pub(super) entries: Vec<Entry>,
    /// Bytes of `text` that belong to entries which were replaced or given up.
    pub(super) dead: u32,
    /// One bit per part that ever had an entry; none set means there is nothing to look for.
    pub(super) parts: u16,
    pub(super) annotations: u32,
    pub(super) namespaced: u32,
    pub(super) exceptions: u32,
    pub(super) status: Option<NonZeroU16>,
    pub(super) flags: Flags,
    pub(super) namespace: Option<Namespace>,
    pub(super) losses: Truncation,
    /// The end of the annotations in `text`, and of the comma behind them, as long as the body is not mixed.
    pub(super) split: u32,
    /// Set if anything but annotations and, behind all of these, metadata was put, or a value was replaced, cut or left
    /// out. Most bodies stay without.
    pub(super) mixed: bool,
}

impl Body {
    /// Creates an empty body without allocating.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Clears the body and keeps its memory.
    pub fn clear(&mut self) {
        self.clear_plain();
        if !std::mem::take(&mut self.mixed) {
            return;
        }
        (self.dead, self.namespaced, self.exceptions) = (0, 0, 0);
        (self.status, self.flags, self.namespace) = (None, Flags::default(), None);
        self.losses = Truncation::default();
    }

    /// Returns whether nothing was put, set or left out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
            && self.status.is_none()
            && self.flags == Flags::default()
            && self.namespace.is_none()
            && self.losses == Truncation::default()
    }

    /// Returns the bytes of memory held for values, in use or not.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.text.capacity() + self.entries.capacity() * size_of::<Entry>()
    }

    /// Returns an upper bound of the bytes that [`Frame`](super::internal::Frame) writes for this body.
    #[inline]
    #[must_use]
    pub fn size_bound(&self) -> usize {
        // A namespace takes four bytes.
        self.text.len() - self.dead as usize + 4 * self.namespaced as usize + AROUND
    }

    /// Returns the counts of values left out or truncated so far.
    #[must_use]
    pub fn losses(&self) -> Truncation {
        self.losses
    }

    /// Puts a member. `value` appends one JSON value.
    ///
    /// A member that is put again replaces the former one, unless that one's `rank` is lower: ranks order
    /// fields of different names that mean the same thing. Of annotations the last one counts, whatever its rank, which
    /// is what [`OwnedKey::annotation`](super::internal::OwnedKey::annotation) returns.
    #[inline]
    pub fn put(
        &mut self,
        section: Section,
        rank: u8,
        key: Key<'_>,
        value: impl FnOnce(&mut Buffer) -> Written,
    ) {
        self.put_part(section.into(), rank, key, value);
    }

    /// Puts a piece. `value` appends it in the form that [`Piece`] says. Ranks mean what they do for members.
    #[inline]
    pub fn put_piece(
        &mut self,
        piece: Piece,
        rank: u8,
        key: Key<'_>,
        value: impl FnOnce(&mut Buffer) -> Written,
    ) {
        self.put_part(piece.into(), rank, key, value);
    }

    #[inline]
    fn put_part(&mut self, part: Part, rank: u8, key: Key<'_>, value: impl FnOnce(&mut Buffer) -> Written) {
        let (start, key) = (self.text.len(), key.json());
        self.text.put(key);
        let written = value(&mut self.text);
        self.finish(part, rank, start, key.len(), written);
    }

    /// Puts a string of at most [`MAX_STRING`] characters.
    #[inline]
    pub fn put_str(&mut self, section: Section, rank: u8, key: Key<'_>, value: &str) {
        self.put(section, rank, key, |out| Written::cut_if(out.put_string_within(value, MAX_STRING)));
    }

    /// Puts a string of at most [`MAX_VALUE`](super::MAX_VALUE) encoded bytes.
    #[inline]
    pub fn put_text(&mut self, section: Section, rank: u8, key: Key<'_>, value: &str) {
        self.put(section, rank, key, |out| put_text_value(out, value));
    }

    /// Puts any value that serializes to at most [`MAX_VALUE`](super::MAX_VALUE) bytes; another is left out and counted.
    pub fn put_serialized(
        &mut self,
        section: Section,
        key: Key<'_>,
        value: &(impl serde_core::Serialize + ?Sized),
    ) {
        self.put(section, 0, key, |out| put_serialized(out, value));
    }

    /// Adds an annotation. The key is sanitized, and the 51st annotation becomes metadata.
    ///
    /// A string is truncated at [`MAX_ANNOTATION_VALUE`](super::MAX_ANNOTATION_VALUE) characters, a number without a
    /// JSON form is dropped.
    pub fn annotate(&mut self, key: &str, value: &AnnotationValue<'_>) {
        let start = self.text.len();
        self.text.put("\"");
        let rank = put_annotation_key(&mut self.text, key);
        self.text.put("\":");
        let split = self.text.len() - start;
        let wrote = value.put(&mut self.text);
        self.finish(Part::Annotation, rank, start, split, wrote);
    }

    /// Adds metadata under `namespace` (an empty one is `default`). Any value that serializes to at most
    /// [`MAX_VALUE`](super::MAX_VALUE) bytes; a larger one, or one that fails to serialize, is dropped and counted.
    pub fn metadata(&mut self, namespace: &str, key: &str, value: &(impl serde_core::Serialize + ?Sized)) {
        let start = self.text.len();
        let section = put_metadata_path(&mut self.text, namespace, key);
        let split = self.text.len() - start;
        let wrote = put_serialized(&mut self.text, value);
        self.finish(section.into(), 0, start, split, wrote);
    }

    /// Adds metadata as [`metadata`](Self::metadata) does, after passing each scalar in it to `look`, however deep.
    ///
    /// `look` gets a scalar's key and its string form, and returns the replacement. An unchanged value keeps its type.
    pub fn metadata_with(
        &mut self,
        namespace: &str,
        key: &str,
        value: &(impl serde_core::Serialize + ?Sized),
        look: impl for<'a> Fn(&str, &'a str) -> Cow<'a, str>,
    ) {
        let start = self.text.len();
        let section = put_metadata_path(&mut self.text, namespace, key);
        let split = self.text.len() - start;
        let wrote = put_looked_at(&mut self.text, key, value, &look);
        self.finish(section.into(), 0, start, split, wrote);
    }

    /// Sets the namespace. Only meaningful on subsegments.
    pub fn set_namespace(&mut self, namespace: Namespace) {
        self.mixed = true;
        self.namespace = Some(namespace);
    }

    /// Returns the namespace, if it was set.
    #[must_use]
    pub fn namespace(&self) -> Option<Namespace> {
        self.namespace
    }

    /// Returns whether an exception was added.
    #[must_use]
    pub fn has_exceptions(&self) -> bool {
        self.exceptions > 0
    }

    /// Returns a string member's content, without its quotes and still escaped.
    #[must_use]
    pub fn text_of(&self, section: Section, key: Key<'_>) -> Option<&str> {
        self.text_in(section.into(), key)
    }

    /// Returns a piece as it was put, without quotes.
    #[must_use]
    pub fn piece(&self, piece: Piece, key: Key<'_>) -> Option<&str> {
        self.text_in(piece.into(), key)
    }

    fn text_in(&self, part: Part, key: Key<'_>) -> Option<&str> {
        let value = self.value_of(part, key)?;
        let inner = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
        std::str::from_utf8(inner.unwrap_or(value)).ok()
    }

    /// Returns whether a part ever had an entry.
    #[inline]
    pub(super) fn may_have(&self, part: Part) -> bool {
        self.parts & part.bit() != 0
    }

    pub(super) fn bytes_of(&self, entry: &Entry) -> &[u8] {
        &self.text.as_bytes()[entry.start as usize..][..entry.len as usize]
    }

    /// Returns the live entries of one part.
    #[inline]
    pub(super) fn live(&self, part: Part) -> impl Iterator<Item = Entry> {
        self.members_near(part).filter(move |entry| entry.part() == Some(part))
    }

    /// Returns the value of a part's member: the bytes after the key.
    #[inline]
    pub(super) fn value_of(&self, part: Part, key: Key<'_>) -> Option<&[u8]> {
        self.may_have(part).then(|| self.find_value(part, key.json())).flatten()
    }

    fn find_value(&self, part: Part, key: &str) -> Option<&[u8]> {
        let bytes = |entry: &Entry| entry.is_member(part, key.len()).then(|| self.bytes_of(entry));
        let value = |entry: &Entry| bytes(entry)?.strip_prefix(key.as_bytes());
        if self.lacks_entries(part) {
            return self.live(part).find_map(|entry| value(&entry));
        }
        self.entries.iter().find_map(value)
    }

    /// Turns what stands in `text` from `start` on into a member, or takes it back.
    #[inline]
    pub(super) fn finish(&mut self, part: Part, rank: u8, start: usize, key_len: usize, written: Written) {
        if written == Written::Nothing {
            self.mixed = true;
            self.text.truncate(start);
            self.losses.dropped += 1;
            return;
        }
        let (mut part, mut rank) = (part, rank);
        if self.may_have(part) {
            self.index(start);
            match self.make_way(part, rank, start, key_len) {
                // An annotation's rank means nothing elsewhere.
                Some(granted) if granted != part => (part, rank) = (granted, 0),
                Some(_) => {}
                None => return self.text.truncate(start),
            }
        }
        if self.entries.len() >= MAX_MEMBERS && !self.has_room_for_member() {
            self.mixed = true;
            self.losses.dropped += 1;
            return self.text.truncate(start);
        }
        self.mixed |= written == Written::Cut;
        self.losses.cut += u32::from(written == Written::Cut);
        self.keep(Content::Member { part, rank, key_len: key_len as u16 }, start);
    }

    /// Turns what stands in `text` from `start` on into an entry.
    #[inline]
    pub(super) fn keep(&mut self, content: Content, start: usize) {
        self.text.put(",");
        self.enter(content, start);
    }

    /// Turns what stands in `text` from `start` on into an entry. The comma is there.
    #[inline]
    pub(super) fn enter(&mut self, content: Content, start: usize) {
        let len = self.text.len() - start - 1;
        let entry = Entry { content, start: start as u32, len: len as u32 };
        if let Some(part) = entry.part() {
            if part == Part::Annotation {
                self.note_annotation();
            } else {
                self.namespaced += u32::from(part == Part::MetadataIn);
                self.mixed |= part != Part::Metadata;
            }
            self.parts |= part.bit();
        }
        self.entries.push(entry);
        if self.text.len() > MAX_BODY || self.entries.len() > 2 * MAX_MEMBERS {
            self.trim();
        }
    }

    /// Removes the member that the new one replaces. Returns the new one's part: `None` if a
    /// member of lower rank stays, and metadata for one annotation too many.
    fn make_way(&mut self, part: Part, rank: u8, start: usize, key_len: usize) -> Option<Part> {
        let (before, new) = self.text.as_bytes().split_at(start);
        let key = &new[..key_len];
        let same = |entry: &&mut Entry| {
            entry.is_member(part, key_len) && before[entry.start as usize..].starts_with(key)
        };
        // What is put again mostly came last.
        if let Some(former) = self.entries.iter_mut().rev().find(same) {
            if let Content::Member { rank: its, .. } = &mut former.content {
                // The rank of an annotation is a mark of the key that it had.
                if part == Part::Annotation {
                    self.losses.replaced += u32::from(*its != rank);
                } else if *its < rank {
                    return None;
                } else if part.is_piece() && before[former.start as usize..][..former.len as usize] == *new {
                    // Such as a host that two fields name: the member stays where it is.
                    *its = rank;
                    return None;
                }
            }
            self.mixed = true;
            former.content = Content::Dead;
            self.dead += former.len + 1;
            self.annotations -= u32::from(part == Part::Annotation);
            self.namespaced -= u32::from(part == Part::MetadataIn);
        } else if part == Part::Annotation && self.annotations >= MAX_ANNOTATIONS {
            self.mixed = true;
            self.losses.moved += 1;
            return self.make_way(Part::Metadata, 0, start, key_len);
        } else if part == Part::MetadataIn && self.namespaced >= MAX_NAMESPACED {
            self.mixed = true;
            self.losses.dropped += 1;
            return None;
        }
        Some(part)
    }
}

/// The bytes that the objects around the members, flags and marks take at most.
pub(super) const AROUND: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_caller_repeats_is_compared_with_a_bounded_number_of_members() {
        let mut body = Body::new();
        for i in 0..20_000 {
            body.annotate(&format!("key {i}"), &i.into());
            assert!(body.entries.len() <= 2 * MAX_MEMBERS + 1);
        }
        assert_eq!(body.losses().dropped, 20_000 - MAX_MEMBERS as u32);
        // A key that is there is replaced all the same.
        body.annotate("key 1", &7.into());
        assert_eq!(body.text_of(Section::Annotation, Key::of_json("\"key_1\":")), Some("7"));
        for i in 0..20_000 {
            body.annotate("key 1", &i.into());
            assert!(body.entries.len() <= 2 * MAX_MEMBERS + 1);
        }
    }

    #[test]
    fn a_piece_that_is_put_again_as_it_is_stays_where_it_is() {
        let mut body = Body::new();
        let put = |body: &mut Body, rank, text: &str| {
            body.put_piece(Piece::Name, rank, super::super::keys::HOST, |out| {
                out.put(text);
                Written::Whole
            });
        };
        let host = |body: &Body| body.piece(Piece::Name, super::super::keys::HOST).map(str::to_owned);
        put(&mut body, 8, "stock.example");
        put(&mut body, 2, "stock.example");
        assert_eq!((body.entries.len(), body.dead), (1, 0));
        // The rank is the lower one from then on.
        put(&mut body, 3, "other.example");
        assert_eq!(host(&body).as_deref(), Some("stock.example"));
        put(&mut body, 2, "other.example");
        assert_eq!(host(&body).as_deref(), Some("other.example"));
        assert_eq!(body.losses(), Truncation::default());
    }

    #[test]
    fn a_cleared_body_is_like_a_new_one() {
        let mut body = Body::new();
        body.put_str(Section::Top, 0, super::super::keys::USER, &"x".repeat(300));
        body.put_str(Section::Top, 0, super::super::keys::USER, "y");
        body.annotate("key", &f64::NAN.into());
        body.annotate("key", &1.into());
        body.metadata("namespace", "key", "value");
        body.add_error(&std::io::Error::other("refused"), super::super::internal::Stack::none());
        body.set_status(503);
        body.set_fault();
        body.set_namespace(Namespace::Remote);
        body.clear();
        // Both print every field that there is.
        assert_eq!(format!("{body:?}"), format!("{:?}", Body::new()));
        assert!(body.is_empty());
    }
}
