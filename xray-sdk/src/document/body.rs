//! What is known about one piece of work, encoded as it arrives.
//!
//! A value is turned into JSON once, when it is put, and copied once, when the document is written. In between
//! lies an index of entries, each a ready `"key":value` with the [`Section`] it belongs to, so that members may
//! come in any order, and again, and still end up grouped. A body never grows above [`MAX_BODY`]: what it
//! has to give up for that is told by [`Truncation`], and in the document itself.

use std::borrow::Cow;

use super::annotation::AnnotationValue;
use super::entry::Entry;
use super::flags::{Flags, Outcome};
use super::limits::{MAX_ANNOTATIONS, MAX_BODY, MAX_EXCEPTIONS, MAX_NAMESPACED, MAX_STRING};
use super::name::{put_annotation_key, put_metadata_path};
use super::section::{Namespace, Section};
use super::serialize::{put_looked_at, put_serialized, put_text_value};
use super::truncation::{Truncation, Written};
use crate::json::Buffer;

/// The members of a segment or subsegment apart from ids, name, times and children.
#[derive(Clone, Debug, Default)]
pub struct Body {
    pub(super) text: Buffer,
    pub(super) entries: Vec<Entry>,
    /// Bytes of `text` that belong to entries which were replaced or given up.
    pub(super) dead: usize,
    /// One bit per place that ever had an entry; none set means there is nothing to look for.
    sections: u16,
    pub(super) annotations: u32,
    pub(super) namespaced: u32,
    pub(super) exceptions: u32,
    pub(super) status: u16,
    pub(super) flags: Flags,
    pub(super) namespace: Option<Namespace>,
    pub(super) losses: Truncation,
}

impl Body {
    /// A body that says nothing. Allocates nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets everything but the memory it sits in.
    pub fn clear(&mut self) {
        let Self {
            text,
            entries,
            dead,
            sections,
            annotations,
            namespaced,
            exceptions,
            status,
            flags,
            namespace,
            losses,
        } = self;
        text.clear();
        entries.clear();
        (*dead, *sections, *annotations, *namespaced, *exceptions, *status) = (0, 0, 0, 0, 0, 0);
        (*flags, *namespace, *losses) = (Flags::default(), None, Truncation::default());
    }

    /// Whether nothing was put, set or left out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
            && self.status == 0
            && self.flags == Flags::default()
            && self.namespace.is_none()
            && self.losses == Truncation::default()
    }

    /// Bytes of memory held for values, in use or not.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.text.capacity() + self.entries.capacity() * size_of::<Entry>()
    }

    /// An upper bound of the bytes that [`Frame`](super::internal::Frame) writes for this body.
    #[inline]
    #[must_use]
    pub fn size_bound(&self) -> usize {
        // The objects around the members, flags and marks take less than 400 bytes, and a namespace's four.
        self.text.len() - self.dead + 4 * self.namespaced as usize + 400
    }

    /// What was left out or cut so far.
    #[must_use]
    pub fn losses(&self) -> Truncation {
        self.losses
    }

    /// Puts a member. `key` is ready-made JSON, `"method":` for instance, and `value` appends one JSON value.
    ///
    /// A member that is put again replaces the former one, unless that one's `rank` is lower: ranks order
    /// fields of different names that mean the same thing.
    #[inline]
    pub fn put(&mut self, section: Section, rank: u8, key: &str, value: impl FnOnce(&mut Buffer) -> Written) {
        let start = self.text.len();
        self.text.put(key);
        let wrote = value(&mut self.text);
        self.finish(section, rank, start, key.len(), wrote);
    }

    /// Puts a member whose key is not there yet, which the caller knows: a span's fields at its creation, when no
    /// two of them have the same key. Annotations need counting, so not those.
    #[inline]
    pub fn append(&mut self, section: Section, key: &str, value: impl FnOnce(&mut Buffer) -> Written) {
        let start = self.text.len();
        self.text.put(key);
        match value(&mut self.text) {
            Written::Nothing => self.finish(section, 0, start, key.len(), Written::Nothing),
            wrote => {
                self.losses.cut += u32::from(wrote == Written::Cut);
                self.keep(section, 0, start, key.len());
            }
        }
    }

    /// Puts a string of at most [`MAX_STRING`] characters.
    #[inline]
    pub fn put_str(&mut self, section: Section, rank: u8, key: &str, value: &str) {
        self.put(section, rank, key, |out| Written::cut_if(out.put_string_within(value, MAX_STRING)));
    }

    /// Puts a string of at most [`MAX_VALUE`](super::MAX_VALUE) encoded bytes.
    #[inline]
    pub fn put_text(&mut self, section: Section, rank: u8, key: &str, value: &str) {
        self.put(section, rank, key, |out| put_text_value(out, value));
    }

    /// Puts any value that serializes to at most [`MAX_VALUE`](super::MAX_VALUE) bytes; another is left out and counted.
    pub fn put_serialized(
        &mut self,
        section: Section,
        key: &str,
        value: &(impl serde_core::Serialize + ?Sized),
    ) {
        self.put(section, 0, key, |out| put_serialized(out, value));
    }

    /// Adds an annotation: the key is mended, a string is cut at [`MAX_ANNOTATION_VALUE`](super::MAX_ANNOTATION_VALUE) characters, a number
    /// without a JSON form is dropped, and the 51st annotation becomes metadata.
    pub fn annotate(&mut self, key: &str, value: &AnnotationValue<'_>) {
        let start = self.text.len();
        self.text.put("\"");
        put_annotation_key(&mut self.text, key);
        self.text.put("\":");
        let split = self.text.len() - start;
        let wrote = value.put(&mut self.text);
        self.finish(Section::Annotation, 0, start, split, wrote);
    }

    /// Adds metadata under `namespace` (an empty one is `default`). Any value that serializes to at most
    /// [`MAX_VALUE`](super::MAX_VALUE) bytes; a larger one, or one that fails to serialize, is dropped and counted.
    pub fn metadata(&mut self, namespace: &str, key: &str, value: &(impl serde_core::Serialize + ?Sized)) {
        let start = self.text.len();
        let section = put_metadata_path(&mut self.text, namespace, key);
        let split = self.text.len() - start;
        let wrote = put_serialized(&mut self.text, value);
        self.finish(section, 0, start, split, wrote);
    }

    /// As [`metadata`](Self::metadata), with a look at each value in it, however deep: `look` is given the key that it
    /// stands under and its text, and what it answers takes its place. A value that comes back as it was keeps its type.
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
        self.finish(section, 0, start, split, wrote);
    }

    /// Says who did the work. Only meaningful on subsegments.
    pub fn set_namespace(&mut self, namespace: Namespace) {
        self.namespace = Some(namespace);
    }

    /// Who did the work, if it was said.
    #[must_use]
    pub fn namespace(&self) -> Option<Namespace> {
        self.namespace
    }

    /// Whether the work went wrong by a fault of whoever did it, as the document says.
    #[must_use]
    pub fn is_faulty(&self) -> bool {
        self.outcome().fault
    }

    /// Sets the HTTP status; `error`, `throttle` and `fault` follow from it.
    /// A number that is no status (below 100 or above 599) is passed over.
    pub fn set_status(&mut self, status: u16) {
        if (100..600).contains(&status) {
            self.status = status;
        }
    }

    /// The HTTP status, if one is known.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        (self.status != 0).then_some(self.status)
    }

    /// Outcome the work as failed: a fault, unless a 4xx status says that it was the caller's error.
    pub fn set_failed(&mut self) {
        self.flags = self.flags.with(Flags::FAILED);
    }

    /// Outcome a client error, by hand.
    pub fn set_error(&mut self) {
        self.flags = self.flags.with(Flags::ERROR);
    }

    /// Outcome a throttled call, by hand; it is an error too.
    pub fn set_throttle(&mut self) {
        self.flags = self.flags.with(Flags::THROTTLE).with(Flags::ERROR);
    }

    /// Outcome a server fault, by hand.
    pub fn set_fault(&mut self) {
        self.flags = self.flags.with(Flags::FAULT);
    }

    #[inline]
    pub(super) fn outcome(&self) -> Outcome {
        Outcome::of(self.status, self.flags)
    }

    /// Whether the work went wrong, by whoever's mistake.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.status >= 400 || self.flags != Flags::default()
    }

    /// Whether an exception was added.
    #[must_use]
    pub fn has_exceptions(&self) -> bool {
        self.exceptions > 0
    }

    /// A string member's text, without its quotes and still escaped.
    #[must_use]
    pub fn text_of(&self, section: Section, key: &str) -> Option<&str> {
        let value = self.value_of(section, key)?;
        let inner = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
        std::str::from_utf8(inner.unwrap_or(value)).ok()
    }

    /// Copies every member of `other` into this body, as if each had been put here.
    pub fn absorb(&mut self, other: &Self) {
        for entry in &other.entries {
            let Some(section) = entry.section else { continue };
            let start = self.text.len();
            let mut wrote = Written::Whole;
            if section == Section::Exception {
                if self.exceptions >= MAX_EXCEPTIONS {
                    wrote = Written::Nothing;
                } else {
                    self.exceptions += 1;
                }
            }
            self.text.put_bytes(other.bytes_of(entry));
            self.finish(section, entry.rank, start, usize::from(entry.split), wrote);
        }
        if other.status != 0 {
            self.status = other.status;
        }
        self.flags = self.flags.with(other.flags);
        self.namespace = other.namespace.or(self.namespace);
        self.losses.cut += other.losses.cut;
        self.losses.dropped += other.losses.dropped;
        self.losses.moved += other.losses.moved;
    }

    /// All members as they are written, if there is no other than metadata and nothing was replaced: then they stand in
    /// a row, a comma behind each.
    #[inline]
    pub(super) fn plain_metadata(&self) -> Option<&[u8]> {
        let plain = self.sections & !Section::Metadata.bit() == 0
            && self.dead == 0
            && self.status == 0
            && self.flags == Flags::default()
            && self.namespace.is_none()
            && self.losses == Truncation::default();
        plain.then(|| self.text.as_bytes().split_last().map_or(&[][..], |(_, members)| members))
    }

    /// Whether anything was ever put there.
    #[inline]
    pub(super) fn may_have(&self, section: Section) -> bool {
        self.sections & section.bit() != 0
    }

    pub(super) fn bytes_of(&self, entry: &Entry) -> &[u8] {
        &self.text.as_bytes()[entry.start as usize..][..entry.len as usize]
    }

    /// The entries of one place that still count.
    #[inline]
    pub(super) fn live(&self, section: Section) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.section == Some(section))
    }

    /// The value of a place's only member, or of its best: the text after the key.
    #[inline]
    pub(crate) fn value_of(&self, section: Section, key: &str) -> Option<&[u8]> {
        self.may_have(section).then(|| self.find_value(section, key)).flatten()
    }

    fn find_value(&self, section: Section, key: &str) -> Option<&[u8]> {
        let mut values = self.live(section).map(|entry| self.bytes_of(entry));
        values.find_map(|bytes| bytes.strip_prefix(key.as_bytes()))
    }

    /// Turns what stands in `text` from `start` on into an entry, or takes it back.
    #[inline]
    pub(super) fn finish(&mut self, section: Section, rank: u8, start: usize, split: usize, wrote: Written) {
        if wrote == Written::Nothing {
            self.text.truncate(start);
            self.losses.dropped += 1;
            return;
        }
        let mut section = section;
        if self.may_have(section) && section != Section::Exception {
            match self.make_way(section, rank, start, split) {
                Some(granted) => section = granted,
                None => return self.text.truncate(start),
            }
        }
        self.losses.cut += u32::from(wrote == Written::Cut);
        self.keep(section, rank, start, split);
    }

    #[inline]
    fn keep(&mut self, section: Section, rank: u8, start: usize, split: usize) {
        let len = self.text.len() - start;
        self.text.put(",");
        self.annotations += u32::from(section == Section::Annotation);
        self.namespaced += u32::from(section == Section::MetadataIn);
        self.sections |= section.bit();
        self.entries.push(Entry {
            section: Some(section),
            rank,
            split: split as u16,
            start: start as u32,
            len: len as u32,
        });
        if self.text.len() > MAX_BODY {
            self.trim();
        }
    }

    /// Removes the member that the new one replaces. Answers where the new one goes: `None` if it has to
    /// give way to a better one, and metadata for one annotation too many.
    fn make_way(&mut self, section: Section, rank: u8, start: usize, split: usize) -> Option<Section> {
        let (before, new) = self.text.as_bytes().split_at(start);
        let key = &new[..split];
        let same = |entry: &&mut Entry| {
            entry.section == Some(section) && before[entry.start as usize..].starts_with(key)
        };
        if let Some(former) = self.entries.iter_mut().find(same) {
            if former.rank < rank {
                return None;
            }
            former.section = None;
            self.dead += former.len as usize + 1;
            self.annotations -= u32::from(section == Section::Annotation);
            self.namespaced -= u32::from(section == Section::MetadataIn);
        } else if section == Section::Annotation && self.annotations >= MAX_ANNOTATIONS {
            self.losses.moved += 1;
            return self.make_way(Section::Metadata, rank, start, split);
        } else if section == Section::MetadataIn && self.namespaced >= MAX_NAMESPACED {
            self.losses.dropped += 1;
            return None;
        }
        Some(section)
    }
}
