//! Beginnings of documents, made ready once for each name: one copy, with ids and times written into it.
//!
//! The documents are those of [`Frame`](super::internal::Frame), but for the order of `parent_id`.

use std::cell::Cell;

use super::template::{END, ID_DIGITS, START, TIMES, TIMES_AND_METADATA};
use crate::id::{SegmentId, TraceId};
use crate::json::{Buffer, decimal_digits, decimal_digits_apart};

/// A subsegment's name made ready to begin documents with, a comma in front:
/// `,{"id":"…","name":"NAME","start_time":…,"end_time":…,"metadata":{"default":{`.
#[derive(Clone, Debug)]
pub struct Opening {
    block: [u8; BLOCK],
    name_len: usize,
}

/// Appends the first bytes of a block, with an id and times in it. Called for all documents but those of plain spans, so
/// that its code stands once.
#[inline(never)]
fn put_block(out: &mut Vec<u8>, block: &[u8], id: SegmentId, (times, at): (Times, usize)) -> usize {
    let start = out.len();
    out.extend_from_slice(block.get(..at + TIMES.len()).unwrap_or(block));
    if let Some(document) = out.get_mut(start..) {
        document[ID_DIGITS].copy_from_slice(&id.encode_apart());
        times.write(document, at);
    }
    start
}

impl Opening {
    /// Makes a name ready: escaped, without quotes. Returns `None` if it is longer than 42 bytes.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let block = block_of(BEGINNING, name)?;
        Some(Self { block, name_len: name.len() })
    }

    /// Appends the document's beginning up to its times, after a comma if it is not the first.
    #[inline]
    pub(super) fn put(&self, out: &mut Vec<u8>, is_first: bool, id: SegmentId, times: Times) {
        if !is_first {
            out.push(b',');
        }
        put_block(out, &self.block[1..], id, (times, (BEGINNING.len() - 1) + self.name_len));
    }

    /// Appends the document's beginning as [`put`](Self::put) does, by the name that `write` appends, if it does so.
    #[inline(never)]
    pub(super) fn put_renamed(
        &self,
        out: &mut Buffer,
        is_first: bool,
        id: SegmentId,
        times: Times,
        write: impl FnOnce(&mut Buffer) -> bool,
    ) {
        const HEAD: usize = BEGINNING.len() - 1;
        let bytes = out.bytes_mut();
        if !is_first {
            bytes.push(b',');
        }
        bytes.extend_from_slice(&BEGINNING[1..]);
        if let Some(head) = bytes.last_chunk_mut::<HEAD>() {
            head[ID_DIGITS].copy_from_slice(&id.encode_apart());
        }
        if !write(out) {
            out.put_bytes(&self.block[BEGINNING.len()..][..self.name_len]);
        }
        let bytes = out.bytes_mut();
        bytes.extend_from_slice(TIMES);
        if let Some(end) = bytes.last_chunk_mut::<{ TIMES.len() }>() {
            times.write(end, 0);
        }
    }

    /// Appends the document's beginning as [`put`](Self::put) does, up to its first annotation or else its metadata.
    #[inline(always)]
    pub(super) fn put_after(
        &self,
        out: &mut Vec<u8>,
        is_first: bool,
        id: SegmentId,
        times: Times,
        annotated: bool,
    ) {
        // The comma is in front of the others.
        out.extend_from_slice(&self.block[usize::from(is_first)..]);
        let Some(document) = out.last_chunk_mut::<{ BLOCK - 1 }>() else { return };
        document[ID_DIGITS].copy_from_slice(&id.encode_apart());
        let end = self.end(document, BEGINNING.len() - 1, times, annotated);
        out.truncate(out.len() - (BLOCK - 1 - end));
    }

    /// Appends the beginning of a document that travels alone, as [`put_after`](Self::put_after) does.
    #[inline(always)]
    pub(super) fn put_placed(
        &self,
        out: &mut Vec<u8>,
        id: SegmentId,
        place: &ReadyPlace,
        times: Times,
        annotated: bool,
    ) {
        const ID_END: usize = 1 + ID_DIGITS.end + 1;
        out.extend_from_slice(&self.block[1..ID_END]);
        out.extend_from_slice(&place.members);
        out.extend_from_slice(&self.block[ID_END..]);
        let Some(document) = out.last_chunk_mut::<ALONE_BLOCK>() else { return };
        document[ID_DIGITS].copy_from_slice(&id.encode());
        let end = self.end(document, BEGINNING.len() - 1 + PLACE.len(), times, annotated);
        out.truncate(out.len() - (ALONE_BLOCK - end));
    }

    /// Writes what follows a name that begins at `name`. Returns the end of the beginning.
    #[inline(always)]
    fn end<const N: usize>(
        &self,
        document: &mut [u8; N],
        name: usize,
        times: Times,
        annotated: bool,
    ) -> usize {
        // The bound is for the compiler, which then knows that all of this is within the block.
        let at = name + self.name_len.min(MAX_NAME);
        times.write(document, at);
        if annotated {
            document[at + TIMES.len()..][..ANNOTATIONS.len()].copy_from_slice(ANNOTATIONS);
            return at + TIMES.len() + ANNOTATIONS.len();
        }
        at + TIMES_AND_METADATA.len()
    }
}

/// The place of subsegments that travel alone, made ready for all children of one parent:
/// `,"trace_id":"…","parent_id":"…","type":"subsegment"`.
#[derive(Clone, Debug)]
pub struct ReadyPlace {
    trace_id: TraceId,
    parent_id: SegmentId,
    members: [u8; PLACE.len()],
}

impl ReadyPlace {
    /// Makes the place below a parent ready.
    #[must_use]
    pub fn new(trace_id: TraceId, parent_id: SegmentId) -> Self {
        let mut members = *PLACE;
        members[PLACE_TRACE_ID..][..TraceId::LEN].copy_from_slice(&trace_id.encode());
        members[PLACE_PARENT_ID..][..SegmentId::LEN].copy_from_slice(&parent_id.encode_apart());
        Self { trace_id, parent_id, members }
    }

    /// Returns whether it is the place below that parent.
    #[inline]
    #[must_use]
    pub fn is_below(&self, trace_id: TraceId, parent_id: SegmentId) -> bool {
        self.trace_id == trace_id && self.parent_id == parent_id
    }

    /// Returns the members, each after a comma.
    #[inline]
    pub(super) fn members(&self) -> &[u8] {
        &self.members
    }
}

/// A segment's name made ready to begin documents with.
///
/// Such a document begins with `{"id":"…","trace_id":"…","name":"NAME","start_time":…,"end_time":…`.
#[derive(Clone, Debug)]
pub struct SegmentOpening {
    block: [u8; SEGMENT_BLOCK],
    name_len: usize,
}

impl SegmentOpening {
    /// Makes a name ready: escaped, without quotes. Returns `None` if it is longer than 41 bytes.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let block = block_of(SEGMENT_BEGINNING, name)?;
        Some(Self { block, name_len: name.len() })
    }

    /// Appends the document's beginning up to its times.
    pub(super) fn put(&self, out: &mut Buffer, id: SegmentId, trace_id: TraceId, times: Times) {
        let out = out.bytes_mut();
        let start = put_block(out, &self.block, id, (times, SEGMENT_BEGINNING.len() + self.name_len));
        if let Some(room) = out.get_mut(start + TRACE_ID..start + TRACE_ID + TraceId::LEN) {
            room.copy_from_slice(&trace_id.encode());
        }
    }
}

/// Start and end as their digits, of work within one second.
#[derive(Clone, Copy)]
pub(super) struct Times {
    seconds: [u8; 10],
    start: u32,
    end: u32,
}

impl Times {
    /// Returns the digits of two times in microseconds, unless another second begins between them. Most spans end in the
    /// second in which the one before ended, whose digits are known.
    #[inline]
    pub(super) fn of(start: u64, end: u64) -> Option<Self> {
        let end = end.max(start);
        let last = || LAST.try_with(Cell::get).unwrap_or_default();
        let is_within =
            |(second, _)| start.wrapping_sub(second) < MICROS && end.wrapping_sub(second) < MICROS;
        if !is_within(last()) && !begin_second(start, end) {
            return None;
        }
        let (second, seconds) = last();
        Some(Self { seconds, start: start.wrapping_sub(second) as u32, end: end.wrapping_sub(second) as u32 })
    }

    /// Writes both into a template that has [`TIMES`] at `at`.
    #[inline]
    fn write(self, document: &mut [u8], at: usize) {
        let Some(document) = document.get_mut(at..).and_then(<[u8]>::first_chunk_mut::<{ TIMES.len() }>)
        else {
            return;
        };
        for (offset, fraction) in [(START, self.start), (END, self.end)] {
            let [_, _, fraction @ ..] = decimal_digits_apart(fraction);
            document[offset..][..10].copy_from_slice(&self.seconds);
            document[offset + 11..][..6].copy_from_slice(&fraction);
        }
    }
}

/// Notes the second in which both times are, and its digits. Returns `false` if there is none.
#[cold]
#[inline(never)]
fn begin_second(start: u64, end: u64) -> bool {
    let second = start / MICROS;
    // Seconds have ten digits from 2001 to 2286.
    if end - second * MICROS >= MICROS || !(1_000_000_000..10_000_000_000).contains(&second) {
        return false;
    }
    let mut seconds = [0; 10];
    seconds[..8].copy_from_slice(&decimal_digits((second / 100) as u32));
    seconds[8..].copy_from_slice(&decimal_digits((second % 100) as u32)[6..]);
    LAST.try_with(|last| last.set((second * MICROS, seconds))).is_ok()
}

thread_local! {
    /// The second, in microseconds, in which a span ended last, and its digits. Before the first it is one that no clock says.
    static LAST: Cell<(u64, [u8; 10])> = const { Cell::new((1 << 63, [0; 10])) };
}

/// Returns a block with a beginning, a name and the times that follow it; `None` if it is too small.
fn block_of<const N: usize>(beginning: &[u8], name: &str) -> Option<[u8; N]> {
    let mut block = [0; N];
    let (head, rest) = block.split_at_mut(beginning.len());
    head.copy_from_slice(beginning);
    let room = rest.len() - TIMES_AND_METADATA.len();
    rest[..room].get_mut(..name.len())?.copy_from_slice(name.as_bytes());
    rest[name.len()..][..TIMES_AND_METADATA.len()].copy_from_slice(TIMES_AND_METADATA);
    Some(block)
}

const MICROS: u64 = 1_000_000;

/// The beginning of an embedded document, up to its name.
const BEGINNING: &[u8; 34] = b",{\"id\":\"________________\",\"name\":\"";

/// The beginning of a segment's document, up to its name.
const SEGMENT_BEGINNING: &[u8; 82] =
    b"{\"id\":\"________________\",\"trace_id\":\"___________________________________\",\"name\":\"";

/// The members of a [`ReadyPlace`].
const PLACE: &[u8; 100] =
    b",\"trace_id\":\"___________________________________\",\"parent_id\":\"________________\",\"type\":\"subsegment\"";

const PLACE_TRACE_ID: usize = ",\"trace_id\":\"".len();
const PLACE_PARENT_ID: usize = PLACE_TRACE_ID + TraceId::LEN + "\",\"parent_id\":\"".len();

/// The beginning of annotations, no longer than that of metadata.
const ANNOTATIONS: &[u8; 16] = b",\"annotations\":{";

const TRACE_ID: usize = ID_DIGITS.end + "\",\"trace_id\":\"".len();

/// The longest name that has an [`Opening`], such that the document's beginning fits ten times sixteen bytes, and the
/// comma in front.
const MAX_NAME: usize = BLOCK - BEGINNING.len() - TIMES_AND_METADATA.len();
pub(super) const BLOCK: usize = 161;

/// An [`Opening`]'s block without the comma in front, and a place.
pub(super) const ALONE_BLOCK: usize = BLOCK - 1 + PLACE.len();

/// Room for a name of 41 bytes, as many as an [`Opening`] has, rounded to sixteens.
const SEGMENT_BLOCK: usize = 208;

#[cfg(test)]
mod tests {
    use super::super::body::Body;
    use super::super::children::Children;
    use super::super::internal::{Frame, Kind, Preamble};
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_ready_beginning_writes_what_the_general_one_does(
            id: u64, trace: u128, parent in prop::option::of(any::<u64>()), name in "[a-z %]{0,50}",
            start in 900_000_000_000_000_u64..1_100_000_000_000_000, lasted in 0_u64..1_500_000,
        ) {
            let (mut body, children, preamble) = (Body::new(), Children::new(), Preamble::default());
            body.set_status(503);
            let written = |opening: Option<&Opening>, segment: Option<&SegmentOpening>| {
                let kinds = [
                    Kind::Embedded { opening },
                    Kind::Segment {
                        trace_id: TraceId::from(trace), parent_id: parent.map(SegmentId::from), preamble: &preamble,
                        rule: None, operation: None, opening: segment,
                    },
                ];
                kinds.map(|kind| {
                    let mut out = Buffer::new();
                    Frame {
                        kind, id: SegmentId::from(id), name: &name, start, end: Some(start + lasted), body: &body,
                        children: &children,
                    }
                    .put(&mut out);
                    let mut document: serde_json::Value = serde_json::from_str(out.as_str()).unwrap();
                    // The id of the exception that stands for a bare status.
                    document["cause"] = serde_json::Value::Null;
                    document
                })
            };
            let ready = written(Opening::new(&name).as_ref(), SegmentOpening::new(&name).as_ref());
            prop_assert_eq!(ready, written(None, None));
        }
    }

    #[test]
    fn names_up_to_a_length_have_a_beginning() {
        assert!(Opening::new(&"x".repeat(42)).is_some() && Opening::new(&"x".repeat(43)).is_none());
        assert!(
            SegmentOpening::new(&"x".repeat(41)).is_some() && SegmentOpening::new(&"x".repeat(42)).is_none()
        );
    }
}
