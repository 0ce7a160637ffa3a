//! [`Frame`]: documents put together from ids, times, body and finished children.
//!
//! The order of members is fixed here and nowhere else. The document's own `id` comes first and
//! without blanks, because the daemon finds the id of a refused document by the bytes `"id":"`
//! (its processor takes the first match).

use super::body::Body;
use super::children::Children;
use super::opening::{Opening, ReadyPlace, SegmentOpening, Times};
use super::operation::Operation;
use super::preamble::Preamble;
use super::segment_members::Own;
use super::template::{HEAD, ID_DIGITS, TIMES, put_head, put_head_in, put_times};
use crate::id::{SegmentId, TraceId};
use crate::json::{Buffer, Piece};

/// One document, ready to be written.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Segment, or which sort of subsegment.
    pub kind: Kind<'a>,
    /// Its own id.
    pub id: SegmentId,
    /// The name, escaped and without quotes, as [`put_name`](super::internal::put_name) writes it. A
    /// [`Piece::Name`](super::internal::Piece::Name) in a subsegment's body overrides it.
    pub name: &'a str,
    /// Start, in microseconds since the epoch.
    pub start: u64,
    /// End, in microseconds since the epoch; `None` while the work is in progress.
    pub end: Option<u64>,
    /// The members.
    pub body: &'a Body,
    /// Finished subsegments.
    pub children: &'a Children,
}

/// The kinds of documents.
#[derive(Clone, Copy, Debug)]
pub enum Kind<'a> {
    /// The work of one service on one request.
    Segment {
        /// The trace it belongs to.
        trace_id: TraceId,
        /// The (sub)segment of the calling service.
        parent_id: Option<SegmentId>,
        /// Members that are the same in all segments of this process.
        preamble: &'a Preamble,
        /// The sampling rule that let this segment through.
        rule: Option<&'a str>,
        /// The root span's name. Kept as metadata.
        operation: Option<&'a Operation>,
        /// The name made ready, if it was.
        opening: Option<&'a SegmentOpening>,
    },
    /// A subsegment that travels alone.
    Independent {
        /// The trace it belongs to.
        trace_id: TraceId,
        /// The segment or subsegment that it is part of.
        parent_id: SegmentId,
    },
    /// A subsegment inside its parent's document.
    Embedded {
        /// The name made ready, if it was.
        opening: Option<&'a Opening>,
    },
}

impl Kind<'_> {
    /// A subsegment inside its parent's document, whose name was not made ready.
    pub const EMBEDDED: Self = Self::Embedded { opening: None };
}

impl Frame<'_> {
    /// The most bytes of ids, times, type and punctuation. A name in the body is counted there.
    pub const HEAD_BOUND: usize = 300;

    /// Returns an upper bound of the bytes that [`put`](Self::put) appends.
    #[must_use]
    pub fn size_bound(&self) -> usize {
        let preamble = match self.kind {
            Kind::Segment { preamble, rule, operation, .. } => {
                preamble.len()
                    + rule.map_or(0, |rule| rule.len().min(super::MAX_STRING * 4) * 6 + 32)
                    + operation.map_or(0, Operation::len)
            }
            _ => 0,
        };
        Self::HEAD_BOUND + preamble + self.name.len() + self.body.size_bound() + self.children.bytes().len()
    }

    /// Adds the document to those of its parent, which [has room](Children::has_room) for it.
    #[inline]
    pub fn fold_into(&self, parent: &mut Children) {
        parent.add(self.children, |out| self.put(out));
    }

    /// Appends the document.
    #[inline]
    pub fn put(&self, out: &mut Buffer) {
        match (self.kind, self.end) {
            (Kind::Embedded { .. } | Kind::Independent { .. }, Some(end))
                if self.children.is_empty() && self.body.is_simple() =>
            {
                self.put_simple(out, end);
            }
            _ => self.put_any(out),
        }
    }

    /// Appends the document of a subsegment with annotations and metadata, and nothing else.
    #[inline(never)]
    fn put_simple(&self, out: &mut Buffer, end: u64) {
        out.reserve(self.size_bound());
        self.put_head(out, Times::of(self.start, end));
        self.body.write_simple(out);
        out.put("}");
    }

    #[inline(never)]
    fn put_any(&self, out: &mut Buffer) {
        let times = self.end.and_then(|end| Times::of(self.start, end));
        let own = self.put_head(out, times);
        self.put_rest(out, own);
    }

    /// Appends the document of a finished segment. Inlined, so that the frame is in no memory: most that are emitted are of
    /// segments.
    #[inline(always)]
    pub fn put_segment(self, out: &mut Buffer) {
        match (self.kind, self.end.and_then(|end| Times::of(self.start, end))) {
            (Kind::Segment { trace_id, parent_id, opening: Some(opening), .. }, Some(times)) => {
                opening.put(out, self.id, trace_id, times);
                put_parent_id(out, parent_id);
                self.put_rest(out, self.own());
            }
            _ => self.put_otherwise(out),
        }
    }

    #[cold]
    #[inline(never)]
    fn put_otherwise(self, out: &mut Buffer) {
        self.put_any(out);
    }

    /// Appends what follows the head.
    #[inline(always)]
    fn put_rest(&self, out: &mut Buffer, own: Option<Own<'_>>) {
        let Self { body, children, .. } = self;
        if !body.write_usual(out, own) {
            body.write(out, own);
        }
        if children.is_empty() {
            return out.put("}");
        }
        out.put_between(&SUBSEGMENTS, children.bytes(), &SUBSEGMENTS_END);
    }

    /// Returns the members that only a segment has.
    #[inline]
    fn own(&self) -> Option<Own<'_>> {
        match self.kind {
            Kind::Segment { preamble, rule, operation, .. } => Some(Own { preamble, rule, operation }),
            _ => None,
        }
    }

    /// Appends ids, name and times, of any form.
    #[inline(never)]
    fn put_head(&self, out: &mut Buffer, times: Option<Times>) -> Option<Own<'_>> {
        match (self.kind, times) {
            (Kind::Embedded { opening: Some(opening) }, Some(times)) => {
                opening.put_for(out, true, self.id, times, self.body);
                return None;
            }
            (Kind::Segment { trace_id, parent_id, opening: Some(opening), .. }, Some(times)) => {
                opening.put(out, self.id, trace_id, times);
                put_parent_id(out, parent_id);
                return self.own();
            }
            _ => {}
        }
        match self.kind {
            Kind::Segment { trace_id, parent_id, .. } => {
                put_head_in(out, self.id, trace_id);
                put_parent_id(out, parent_id);
            }
            Kind::Independent { trace_id, parent_id } => {
                put_head(out, HEAD, self.id);
                out.put_bytes(ReadyPlace::new(trace_id, parent_id).members());
            }
            Kind::Embedded { .. } => put_head(out, HEAD, self.id),
        }
        let own = self.own();
        out.put(",\"name\":\"");
        if own.is_some() || !self.body.write_name(out) {
            out.put(self.name);
        }
        match self.end {
            Some(end) => put_times(out, *TIMES, self.start, end.max(self.start)),
            None => {
                out.put("\",\"start_time\":");
                out.put_micros(self.start);
                out.put(",\"in_progress\":true");
            }
        }
        own
    }
}

static SUBSEGMENTS: Piece = Piece::new(",\"subsegments\":[");
static SUBSEGMENTS_END: Piece = Piece::new("]}");

/// Appends the id of a segment's parent, if it has one.
#[inline(always)]
fn put_parent_id(out: &mut Buffer, parent_id: Option<SegmentId>) {
    #[inline(never)]
    fn put(out: &mut Buffer, parent_id: SegmentId) {
        out.put(",\"parent_id\":");
        out.put_segment_id(parent_id);
    }
    if let Some(parent_id) = parent_id {
        put(out, parent_id);
    }
}

/// Appends an embedded subsegment as a document of its own. Nothing is parsed: every document begins with its
/// id, which has a fixed length.
pub fn insert_independent_head(out: &mut Buffer, embedded: &[u8], place: &ReadyPlace) {
    let Some((head, rest)) = embedded.split_at_checked(ID_DIGITS.end + 1) else { return };
    out.put_bytes(head);
    out.put_bytes(place.members());
    out.put_bytes(rest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_quick_path_writes_what_the_general_one_does(
            id: u64, start in 0_u64..4_000_000_000_000_000, lasted in 0_u64..3_000_000,
            members in prop::collection::vec(("[a-z]{1,3}", any::<String>(), any::<bool>()), 0..4), embedded: bool,
        ) {
            let (mut body, children) = (Body::new(), Children::new());
            for (key, value, annotated) in &members {
                if *annotated {
                    body.annotate(key, &value.into());
                } else {
                    body.metadata("", key, value);
                }
            }
            let kind = if embedded {
                Kind::EMBEDDED
            } else {
                Kind::Independent { trace_id: TraceId::from(u128::from(id)), parent_id: SegmentId::from(!id) }
            };
            let frame = Frame {
                kind, id: SegmentId::from(id), name: "work", start, end: Some(start + lasted),
                body: &body, children: &children,
            };
            let (mut quick, mut general) = (Buffer::new(), Buffer::new());
            frame.put(&mut quick);
            frame.put_any(&mut general);
            prop_assert_eq!(quick.as_str(), general.as_str());
            prop_assert!(quick.len() <= frame.size_bound());
        }
    }
}
