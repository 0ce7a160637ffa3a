//! Plain bodies, which have metadata and nothing else but annotations in front of it, and simple ones, which may have
//! both in any order, each member put once: most spans have no other. Both skip what such a body does not need, on the
//! way in and on the way out.
//!
//! The documents are those of [`Frame`](super::internal::Frame), byte for byte.

use super::body::{AROUND, Body};
use super::children::Children;
use super::entry::{Content, Entry};
use super::keys::Key;
use super::limits::MAX_BODY;
use super::opening::{ALONE_BLOCK, BLOCK, Opening, ReadyPlace, Times};
use super::section::{Part, Piece, Section};
use super::truncation::Written;
use crate::id::SegmentId;
use crate::json::{Buffer, MemberKey};

/// The key of a member that is put once, made ready, and the part of the document that it belongs to.
#[derive(Clone, Debug)]
pub struct PlainKey {
    key: MemberKey,
    /// Facts that its entries have in common.
    content: Content,
    /// The part of a member that needs no entry at once.
    late: Option<Part>,
}

impl PlainKey {
    /// Makes a key ready, `"key":` for instance. Returns `None` for a section other than metadata, annotations and the
    /// request, and for a key of more than 24 bytes.
    #[must_use]
    pub fn new(section: Section, rank: u8, key: Key<'_>) -> Option<Self> {
        let part = match section {
            Section::Metadata if rank == 0 => Part::Metadata,
            Section::Annotation => Part::Annotation,
            Section::HttpRequest => Part::HttpRequest,
            _ => return None,
        };
        let key = MemberKey::new(key.json())?;
        let content = Content::Member { part, rank, key_len: key.len() as u16 };
        // An annotation's rank is found in its entry alone.
        let late = Some(part).filter(|part| *part != Part::HttpRequest && rank == 0);
        Some(Self { key, content, late })
    }
}

/// Each method puts a member under a key that is not there yet. Most put nothing and return `false` if there is
/// [no room](Body::make_room).
impl Body {
    /// Makes room for some members.
    #[cold]
    pub fn make_room(&mut self) {
        self.text.make_room_for_member();
    }

    #[inline(always)]
    fn has_room(&self) -> bool {
        // Far from where anything is cut.
        self.text.has_room_for_member() && self.text.len() < MAX_BODY / 2
    }

    /// Puts a short and bland string. Puts nothing and returns `false` if the value is any other.
    #[inline(always)]
    pub fn append_bland(&mut self, key: &PlainKey, text: &str) -> bool {
        let start = self.text.len();
        let done = self.has_room() && self.text.put_bland_member(&key.key, text);
        if done {
            self.keep_plain(start, key);
        }
        done
    }

    /// Puts a number of at most eight digits. Puts nothing and returns `false` if the value is any other.
    #[inline(always)]
    pub fn append_small(&mut self, key: &PlainKey, value: i64) -> bool {
        let start = self.text.len();
        let done = self.has_room() && self.text.put_small_member(&key.key, value);
        if done {
            self.keep_plain(start, key);
        }
        done
    }

    /// Puts a number below 10,000 with at most four decimals. Puts nothing and returns `false` if the value is any other.
    #[inline(always)]
    pub fn append_decimal(&mut self, key: &PlainKey, value: f64) -> bool {
        let start = self.text.len();
        let done = self.has_room() && self.text.put_decimal_member(&key.key, value);
        if done {
            self.keep_plain(start, key);
        }
        done
    }

    /// Puts a truth value.
    #[inline(always)]
    pub fn append_flag(&mut self, key: &PlainKey, value: bool) -> bool {
        let start = self.text.len();
        let done = self.has_room();
        if done {
            self.text.put_flag_member(&key.key, value);
            self.keep_plain(start, key);
        }
        done
    }

    /// Puts a string of any length, which is known to need no escapes, whether there is room or not.
    #[inline(always)]
    pub fn append_unescaped(&mut self, key: &PlainKey, text: &str) {
        let start = self.text.len();
        self.text.put_unescaped_member(&key.key, text);
        self.keep_ready(start, key.content);
    }

    /// Puts a member whose key is not there yet, which the caller knows: a span's fields at its creation, when no
    /// two of them have the same key. X-Ray's limit of 50 annotations is the caller's to keep.
    #[inline]
    pub fn append(
        &mut self,
        section: Section,
        rank: u8,
        key: Key<'_>,
        value: impl FnOnce(&mut Buffer) -> Written,
    ) {
        self.append_part(section.into(), rank, key, value);
    }

    /// Puts a piece as [`append`](Self::append) puts a member.
    #[inline]
    pub fn append_piece(
        &mut self,
        piece: Piece,
        rank: u8,
        key: Key<'_>,
        value: impl FnOnce(&mut Buffer) -> Written,
    ) {
        self.append_part(piece.into(), rank, key, value);
    }

    #[inline]
    fn append_part(
        &mut self,
        part: Part,
        rank: u8,
        key: Key<'_>,
        value: impl FnOnce(&mut Buffer) -> Written,
    ) {
        let (start, key) = (self.text.len(), key.json());
        self.text.put(key);
        match value(&mut self.text) {
            Written::Nothing => self.finish(part, rank, start, key.len(), Written::Nothing),
            wrote => {
                self.mixed |= wrote == Written::Cut;
                self.losses.cut += u32::from(wrote == Written::Cut);
                self.keep(Content::Member { part, rank, key_len: key.len() as u16 }, start);
            }
        }
    }

    /// Notes a member with the comma behind it.
    #[inline(always)]
    fn keep_plain(&mut self, start: usize, key: &PlainKey) {
        match key.late {
            Some(Part::Metadata) if self.entries.is_empty() => self.parts |= Part::Metadata.bit(),
            Some(Part::Annotation) if self.entries.is_empty() && !self.may_have(Part::Metadata) => {
                self.parts |= Part::Annotation.bit();
                self.annotations += 1;
                self.split = self.text.len() as u32;
            }
            _ => self.keep_ready(start, key.content),
        }
    }

    /// Puts a member with the comma behind it into the index.
    #[inline(never)]
    pub(super) fn keep_ready(&mut self, start: usize, content: Content) {
        self.enter(content, start);
    }

    /// Notes that an annotation was put. Those in front of all metadata leave the body plain.
    #[inline]
    pub(super) fn note_annotation(&mut self) {
        self.annotations += 1;
        if self.may_have(Part::Metadata) {
            self.mixed = true;
        } else {
            self.split = self.text.len() as u32;
        }
    }

    /// Clears a plain body and keeps its memory.
    #[inline]
    pub fn clear_plain(&mut self) {
        self.text.clear();
        self.entries.clear();
        (self.parts, self.annotations, self.split) = (0, 0, 0);
    }

    /// Returns whether the body is not plain: anything but annotations and, behind all of these, metadata was put, or a
    /// value was replaced, cut or left out.
    #[inline]
    #[must_use]
    pub fn is_mixed(&self) -> bool {
        self.mixed
    }

    /// Returns whether the body is plain, and has little in it.
    #[inline]
    #[must_use]
    pub fn is_small(&self) -> bool {
        debug_assert!(self.mixed || self.is_simple());
        !self.mixed && self.text.len() <= MAX_PLAIN
    }

    /// Returns what [`size_bound`](Self::size_bound) does, or more, for a body without namespaces. Only such a one is
    /// [added](Children::add_usual).
    #[inline]
    #[must_use]
    pub fn usual_size_bound(&self) -> usize {
        self.text.len() + AROUND
    }

    /// Returns the metadata, if there is nothing else.
    #[inline]
    pub(super) fn plain_metadata(&self) -> Option<&[u8]> {
        debug_assert!(self.mixed || self.is_simple());
        (!self.mixed && self.split == 0).then(|| self.row())
    }

    /// Returns the members of a plain body as they are written, with commas between them.
    #[inline]
    fn row(&self) -> &[u8] {
        self.text.as_bytes().split_last().map_or(&[], |(_, row)| row)
    }

    /// Returns whether the body has metadata and annotations and nothing else, each member put once.
    pub(super) fn is_simple(&self) -> bool {
        self.parts & !(Part::Metadata.bit() | Part::Annotation.bit()) == 0
            && self.dead == 0
            && (self.namespaced, self.exceptions) == (0, 0)
            && self.status.is_none()
            && self.flags == Default::default()
            && self.namespace.is_none()
            && self.losses == Default::default()
    }

    /// Appends the annotations and the metadata of a body that [is simple](Self::is_simple).
    #[inline]
    pub(super) fn write_simple(&self, out: &mut Buffer) {
        let Some((annotations, metadata)) = self.simple_rows() else {
            self.write_object(out, Part::Annotation, ",\"annotations\":{", "}");
            return self.write_object(out, Part::Metadata, ",\"metadata\":{\"default\":{", "}}");
        };
        if !annotations.is_empty() {
            out.put(",\"annotations\":{");
            out.put_bytes(annotations);
            out.put("}");
        }
        if !metadata.is_empty() {
            out.put(",\"metadata\":{\"default\":{");
            out.put_bytes(metadata);
            out.put("}}");
        }
    }

    /// Returns the annotations and the metadata of a simple body as they are written, if neither stand among the other.
    #[inline]
    fn simple_rows(&self) -> Option<(&[u8], &[u8])> {
        let members = self.row();
        if !self.mixed {
            // A comma is between the rows.
            let annotations =
                self.split.checked_sub(1).map_or(Some(&[][..]), |end| members.get(..end as usize))?;
            return Some((annotations, members.get(self.split as usize..).unwrap_or_default()));
        }
        // Annotations behind the metadata.
        let others = self.entries.len().checked_sub(self.annotations as usize)?;
        let (_, annotations) = self.entries.split_at_checked(others)?;
        let is_annotation = |entry: &Entry| entry.part() == Some(Part::Annotation);
        let start = annotations.first()?.start as usize;
        let metadata = members.get(..start.checked_sub(1)?)?;
        annotations.iter().all(is_annotation).then_some((members.get(start..)?, metadata))
    }
}

impl Children {
    /// Adds the document of a finished subsegment without children, if it is within one second, and its body is small, or
    /// [mixed](Body::is_mixed) and usual. Otherwise adds nothing and returns `false`. The parent
    /// [has room](Self::has_room) for it.
    // Of its own, so that what the caller holds is out of the way. So are the ways that it takes.
    #[inline(never)]
    pub fn add_usual(&mut self, opening: &Opening, id: SegmentId, start: u64, end: u64, body: &Body) -> bool {
        if body.mixed || body.text.is_empty() {
            return self.add_rows(opening, id, start, end, body);
        }
        body.is_small()
            && if body.split > 0 {
                self.add_annotated(opening, id, start, end, body)
            } else {
                self.add_plain(opening, id, start, end, body)
            }
    }

    #[inline(never)]
    fn add_plain(&mut self, opening: &Opening, id: SegmentId, start: u64, end: u64, body: &Body) -> bool {
        self.add_small::<false>(opening, id, (start, end), body)
    }

    #[inline(never)]
    fn add_annotated(&mut self, opening: &Opening, id: SegmentId, start: u64, end: u64, body: &Body) -> bool {
        self.add_small::<true>(opening, id, (start, end), body)
    }

    /// Adds a document with a small body with members, of which some are annotations if it is `ANNOTATED`.
    #[inline(always)]
    fn add_small<const ANNOTATED: bool>(
        &mut self,
        opening: &Opening,
        id: SegmentId,
        (start, end): (u64, u64),
        body: &Body,
    ) -> bool {
        let Some(times) = Times::of(start, end) else { return false };
        self.add_written(|out, is_first| {
            let out = out.bytes_mut();
            out.reserve(BLOCK + MAX_PLAIN + METADATA.len() + CLOSING.len());
            opening.put_after(out, is_first, id, times, ANNOTATED);
            put_rows(out, body, if ANNOTATED { body.split as usize } else { 0 });
            true
        })
    }

    /// Adds a document as [`add_usual`](Self::add_usual) does, with a body of any size and of several parts.
    #[inline(never)]
    fn add_rows(&mut self, opening: &Opening, id: SegmentId, start: u64, end: u64, body: &Body) -> bool {
        let Some(times) = Times::of(start, end) else { return false };
        self.add_written(|out, is_first| {
            opening.put_for(out, is_first, id, times, body);
            let is_usual = body.write_usual(out, None);
            out.put("}");
            is_usual
        })
    }
}

impl Opening {
    /// Appends the beginning of the document of a subsegment with that body, which may have a name of its own.
    #[inline]
    pub(super) fn put_for(&self, out: &mut Buffer, is_first: bool, id: SegmentId, times: Times, body: &Body) {
        if body.may_have(Part::NamePiece) {
            self.put_renamed(out, is_first, id, times, |out| body.write_name(out));
        } else {
            self.put(out.bytes_mut(), is_first, id, times);
        }
    }

    /// Appends the document of a finished subsegment without children that travels alone, if it is within one second and has
    /// a plain body with members. Otherwise appends nothing and returns `false`.
    #[inline(never)]
    pub fn put_alone(
        &self,
        out: &mut Buffer,
        id: SegmentId,
        place: &ReadyPlace,
        (start, end): (u64, u64),
        body: &Body,
    ) -> bool {
        if body.mixed || body.text.is_empty() {
            return false;
        }
        let Some(times) = Times::of(start, end) else { return false };
        let out = out.bytes_mut();
        out.reserve(ALONE_BLOCK + body.text.len() + METADATA.len() + CLOSING.len());
        self.put_placed(out, id, place, times, body.split > 0);
        put_rows(out, body, body.split as usize);
        true
    }
}

/// Appends the members of a plain body, of which those up to `split` are annotations, and the document's end.
#[inline(always)]
fn put_rows(out: &mut Vec<u8>, body: &Body, split: usize) {
    let row = body.row();
    let mut metadata = row;
    if let Some(end) = split.checked_sub(1) {
        out.extend_from_slice(row.get(..end).unwrap_or_default());
        let Some(behind) = row.get(split..) else { return out.extend_from_slice(b"}}") };
        metadata = behind;
        out.extend_from_slice(METADATA);
    }
    out.extend_from_slice(metadata);
    out.extend_from_slice(CLOSING);
}

const METADATA: &[u8; 25] = b"},\"metadata\":{\"default\":{";
const CLOSING: &[u8; 3] = b"}}}";

/// The most bytes of members of a small document, with a comma behind each: two strings and a few numbers.
const MAX_PLAIN: usize = 129;

#[cfg(test)]
mod tests {
    use super::super::annotation::AnnotationValue;
    use super::super::internal::{Frame, Kind};
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn plain_documents_are_those_of_frames(
            id: u64, name in "[a-z %]{0,50}", start in 900_000_000_000_000_u64..1_100_000_000_000_000, lasted in 0_u64..1_500_000,
            members in prop::collection::vec(("[a-z]{1,9}", any::<i32>()), 0..6), annotated in 0_usize..8, times in 1..3,
        ) {
            let (mut body, none) = (Body::new(), Children::new());
            for (at, (key, value)) in members.iter().enumerate() {
                if at < annotated { body.annotate(key, &i64::from(*value).into()) } else { body.metadata("", key, value) }
            }
            let id = SegmentId::from(id);
            let frame = Frame {
                kind: Kind::EMBEDDED, id, name: &name, start, end: Some(start + lasted), body: &body, children: &none,
            };
            let (mut plain, mut framed) = (Children::new(), Children::new());
            for _ in 0..times {
                let added = Opening::new(&name)
                    .is_some_and(|opening| plain.add_usual(&opening, id, start, start + lasted, &body));
                if !added {
                    frame.fold_into(&mut plain);
                }
                frame.fold_into(&mut framed);
            }
            // Both print every field that there is.
            prop_assert_eq!(format!("{plain:?}"), format!("{framed:?}"));
        }

        #[test]
        fn members_put_quickly_are_members_like_others(
            key in "[a-z]{1,9}", text in "[a-z ]{1,20}|.{0,20}", number in -200_000_000_i64..200_000_000, flag: bool,
            units in -200_000_000_i32..200_000_000, annotated in prop::array::uniform4(any::<bool>()),
        ) {
            let (mut quick, mut slow) = (Body::new(), Body::new());
            let decimal = f64::from(units) / 10_000.0;
            let keys = ["", "_n", "_f", "_b"].map(|end| format!("{key}{end}"));
            let ready = |at: usize| {
                let (section, json) = (annotated[at], format!("\"{}\":", keys[at]));
                let section = if section { Section::Annotation } else { Section::Metadata };
                PlainKey::new(section, 0, Key::of_json(&json)).unwrap()
            };
            let put = |at: usize, body: &mut Body, value: AnnotationValue<'_>| match (annotated[at], value) {
                (true, value) => body.annotate(&keys[at], &value),
                (false, AnnotationValue::Str(value)) => body.metadata("", &keys[at], &*value),
                (false, AnnotationValue::I64(value)) => body.metadata("", &keys[at], &value),
                (false, AnnotationValue::F64(value)) => body.metadata("", &keys[at], &value),
                (false, AnnotationValue::Bool(value)) => body.metadata("", &keys[at], &value),
                _ => {}
            };
            quick.make_room();
            if quick.append_bland(&ready(0), &text) {
                put(0, &mut slow, text.as_str().into());
            }
            quick.make_room();
            if quick.append_small(&ready(1), number) {
                put(1, &mut slow, number.into());
            }
            quick.make_room();
            if quick.append_decimal(&ready(2), decimal) {
                put(2, &mut slow, decimal.into());
            }
            quick.make_room();
            prop_assert!(quick.append_flag(&ready(3), flag));
            put(3, &mut slow, flag.into());
            let written = |body: &Body| {
                let (mut out, children) = (Buffer::new(), Children::new());
                Frame { kind: Kind::EMBEDDED, id: SegmentId::from(7), name: "n", start: 1, end: Some(2), body, children: &children }
                    .put(&mut out);
                out
            };
            prop_assert_eq!(written(&quick), written(&slow));
            for (at, key) in keys.iter().enumerate() {
                let section = if annotated[at] { Section::Annotation } else { Section::Metadata };
                let json = format!("\"{key}\":");
                let value = |body: &Body| body.text_of(section, Key::of_json(&json)).map(str::to_owned);
                prop_assert_eq!(value(&quick), value(&slow));
            }
            quick.index(quick.text.len());
            prop_assert_eq!(format!("{quick:?}"), format!("{slow:?}"));
            for body in [&mut quick, &mut slow] {
                put(0, body, "again".into());
            }
            prop_assert_eq!(format!("{quick:?}"), format!("{slow:?}"));
        }
    }
}
