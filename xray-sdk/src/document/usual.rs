//! Usual bodies: request, response, statement, exception, annotations and metadata, the members of each in one row. Most
//! segments have such a body, and most calls and spans that failed. Rows are found by one look at the entries, and copied
//! whole. Of most segments and failed spans, all members but an exception are in one row, for which there is a faster path.
//!
//! The documents are those of [`Frame`](super::internal::Frame) for any other body, byte for byte.

use super::body::Body;
use super::cause_writer::cause_of;
use super::entry::{Content, Entry};
use super::flags::Flags;
use super::keys;
use super::operation::{METADATA, Operation};
use super::section::Part;
use super::segment_members::Own;
use super::truncation::Truncation;
use crate::json::Buffer;

/// The members of a single part as they are written, and an exception beside them, without its closing brace.
struct Rows<'a> {
    /// The bit of the part, if there are any members.
    part: u16,
    members: &'a [u8],
    exception: &'a [u8],
}

/// The place of each part's members in a body: start and end, both zero without any.
type Places = [(u32, u32); Part::COUNT];

impl Body {
    /// Appends every member, each after a comma. Appends nothing and returns `false` if the body is not usual.
    #[inline(never)]
    pub(super) fn write_usual(&self, out: &mut Buffer, own: Option<Own<'_>>) -> bool {
        let Some(Rows { part, members, exception }) = self.rows() else {
            return self.write_several(out, own);
        };
        self.write_rows::<false>(out, own, |of| match of {
            Part::Exception => exception,
            _ if of.bit() == part => members,
            _ => &[],
        });
        true
    }

    /// Appends a body with several parts, as [`write_usual`](Self::write_usual) does.
    #[inline(never)]
    fn write_several(&self, out: &mut Buffer, own: Option<Own<'_>>) -> bool {
        let mut places = [(0, 0); Part::COUNT];
        if !self.is_usual(own.is_some()) || !self.find_rows(&mut places) {
            return false;
        }
        let row = |part: Part| {
            let (start, end) = places[part as usize];
            self.text.as_bytes().get(start as usize..end as usize).unwrap_or_default()
        };
        self.write_rows::<true>(out, own, row);
        true
    }

    /// Appends the rows, each of which `row` returns. Only where there are `SEVERAL` parts there may be a namespace, a
    /// response with more than a status, a statement, or pieces of a URL.
    #[inline(always)]
    fn write_rows<'a, const SEVERAL: bool>(
        &self,
        out: &mut Buffer,
        own: Option<Own<'_>>,
        row: impl Fn(Part) -> &'a [u8],
    ) {
        if let Some(namespace) = self.namespace.filter(|_| SEVERAL && own.is_none()) {
            out.put(namespace.member());
        }
        if self.has_failed() {
            out.put_row(self.failure().as_bytes());
        }
        let request = row(Part::HttpRequest);
        let response = if SEVERAL { row(Part::HttpResponse) } else { &[] };
        let has_request = !request.is_empty() || (SEVERAL && self.has_url_pieces());
        if has_request {
            out.put(",\"http\":{\"request\":{");
            out.put_row(request);
            if SEVERAL && self.may_have(Part::UrlPiece) {
                self.write_url_from_parts(out, request.is_empty());
            }
        }
        let status = self.status();
        if !response.is_empty() || status.is_some() {
            out.put(if has_request { "},\"response\":{" } else { ",\"http\":{\"response\":{" });
            match status {
                Some(status) if response.is_empty() => out.put_with_status(*b"\"status\":___}}", status),
                _ => self.put_response(out, response),
            }
        } else if has_request {
            out.put("}}");
        }
        if let Some(own) = own {
            own.write_aws(out);
        }
        let statement = if SEVERAL { row(Part::Sql) } else { &[] };
        if !statement.is_empty() {
            put_object(out, ",\"sql\":{", statement);
        }
        let exception = row(Part::Exception);
        if !exception.is_empty() {
            out.put(",\"cause\":{\"exceptions\":[");
            out.put_row(exception);
            out.put("}]}");
        }
        let annotations = row(Part::Annotation);
        if !annotations.is_empty() {
            put_object(out, ",\"annotations\":{", annotations);
        }
        let operation = own.and_then(|own| own.operation);
        let metadata = row(Part::Metadata);
        if !metadata.is_empty() {
            out.put(METADATA);
            out.put_row(metadata);
            if let Some(operation) = operation {
                self.write_operation(out, operation);
            }
            out.put("}}");
        } else if let Some(operation) = operation {
            if SEVERAL && self.may_have(Part::NamePiece) {
                self.write_operation_alone(out, operation);
            } else {
                out.put_row(operation.alone().as_bytes());
            }
        }
    }

    /// Appends a response with more than a status, and closes it.
    #[inline]
    fn put_response(&self, out: &mut Buffer, members: &[u8]) {
        if let Some(status) = self.status() {
            out.put("\"status\":");
            out.put_status(status);
            out.put(",");
        }
        out.put_bytes(members);
        out.put("}}");
    }

    /// Returns the flags of work that failed, as members.
    #[inline]
    fn failure(&self) -> &'static str {
        // An exception and nothing else, as most failures are.
        if self.flags == Flags::FAILED && self.status().is_none() {
            return ",\"fault\":true";
        }
        self.any_failure()
    }

    #[inline(never)]
    fn any_failure(&self) -> &'static str {
        self.outcome().members()
    }

    /// Appends the operation behind other metadata. What a field of the user's is called already goes without.
    #[inline(never)]
    fn write_operation(&self, out: &mut Buffer, operation: &Operation) {
        if self.value_of(Part::Metadata, keys::OPERATION).is_none() {
            out.put(",");
            out.put(keys::OPERATION.json());
            self.put_operation(out, operation);
        }
    }

    /// Appends metadata with nothing but the operation.
    #[inline(never)]
    fn write_operation_alone(&self, out: &mut Buffer, operation: &Operation) {
        out.put(METADATA);
        out.put(keys::OPERATION.json());
        self.put_operation(out, operation);
        out.put("}}");
    }

    /// Appends the operation: the name that a field gives, or else the span's.
    pub(super) fn put_operation(&self, out: &mut Buffer, operation: &Operation) {
        match self.value_of(Part::NamePiece, keys::OTEL) {
            Some(name) => {
                out.put("\"");
                out.put_bytes(name);
                out.put("\"");
            }
            None => out.put(operation.json()),
        }
    }

    /// Returns the rows of a usual body with members of one part, and no namespace; `None` for any other.
    #[inline]
    fn rows(&self) -> Option<Rows<'_>> {
        const USUAL: u16 =
            Part::HttpRequest.bit() | Part::Exception.bit() | Part::Annotation.bit() | Part::Metadata.bit();
        // A flag without an exception takes one that stands for it, and one that was taken back moves those there are.
        let is_explained = (self.flags != Flags::default()) == (self.exceptions == 1);
        if self.parts & !USUAL != 0
            || !is_explained
            || self.exceptions > 1
            || self.flags.has(Flags::SUCCEEDED)
            || self.namespace.is_some()
            || self.losses != Truncation::default()
        {
            return None;
        }
        let text = self.text.as_bytes();
        let (before, exception) = match self.entries.last() {
            Some(last) if last.part() == Some(Part::Exception) => self.split_at_exception(last)?,
            _ => (text, &[][..]),
        };
        let part = self.parts & !Part::Exception.bit();
        let is_row = self.dead == 0
            && part & part.wrapping_sub(1) == 0
            && exception.is_empty() == (self.exceptions == 0);
        if !is_row {
            return None;
        }
        // Without the last comma, the members of a single part are a row.
        let row = before.split_last().map_or(before, |(_, row)| row);
        Some(Rows { part, members: row, exception })
    }

    /// Returns what stands before an exception, and the exception; `None` if it names a cause, as the cause of a single
    /// exception is not there.
    #[inline]
    fn split_at_exception(&self, entry: &Entry) -> Option<(&[u8], &[u8])> {
        let Content::Exception { stack_at } = entry.content else { return None };
        let exception = self.bytes_of(entry);
        let is_alone = cause_of(exception.get(..stack_at.into())?).is_none();
        is_alone.then_some((self.text.as_bytes().get(..entry.start as usize)?, exception))
    }

    /// Returns whether the body has nothing but what is written by rows.
    #[inline]
    fn is_usual(&self, is_segment: bool) -> bool {
        const OF_SEGMENTS: u16 = Part::HttpRequest.bit()
            | Part::Exception.bit()
            | Part::Annotation.bit()
            | Part::Metadata.bit()
            | Part::HttpResponse.bit()
            | Part::UrlPiece.bit()
            | Part::NamePiece.bit();
        const USUAL: u16 = OF_SEGMENTS | Part::Sql.bit();
        // A flag without an exception takes one that stands for it, and one that was taken back moves those there are.
        let is_explained = (self.flags != Flags::default()) == (self.exceptions == 1);
        self.parts & !(if is_segment { OF_SEGMENTS } else { USUAL }) == 0
            && is_explained
            && self.exceptions <= 1
            && !self.flags.has(Flags::SUCCEEDED)
            && self.losses == Truncation::default()
    }

    /// Finds the rows of a usual body. Returns `false` if the members of a part don't stand together, one was replaced, or
    /// an exception names a cause. Pieces are no members.
    #[inline]
    fn find_rows(&self, places: &mut Places) -> bool {
        let first = self.indexed_from(self.text.len()) as u32;
        // Annotations and metadata may stand in front of all entries, with a comma behind each.
        if first > 0 {
            let split = first.min(self.split);
            places[Part::Annotation as usize] = (0, split.saturating_sub(1));
            places[Part::Metadata as usize] = if first > split { (split, first - 1) } else { (0, 0) };
        }
        for entry in &self.entries {
            let Some(part) = entry.part() else { return false };
            let row = &mut places[part as usize];
            if row.1 == 0 {
                row.0 = entry.start;
            } else if row.1 + 1 != entry.start && !part.is_piece() {
                return false;
            }
            row.1 = entry.start + entry.len;
            if part == Part::Exception && self.split_at_exception(entry).is_none() {
                return false;
            }
        }
        (places[Part::Exception as usize].1 > 0) == (self.exceptions > 0)
    }
}

/// Appends an object that few documents have, out of the way of the others.
#[inline(never)]
fn put_object(out: &mut Buffer, open: &str, row: &[u8]) {
    out.put(open);
    out.put_bytes(row);
    out.put("}");
}

#[cfg(test)]
mod tests {
    use super::super::exception::{Exception, StackFrame};
    use super::super::internal::{Children, Frame, Kind, Opening, Operation, PlainKey, Preamble};
    use super::super::keys::{self, Key};
    use super::super::section::{Namespace, Piece, Section};
    use super::super::truncation::Written;
    use super::*;
    use proptest::prelude::*;

    /// What is done to a body, and how often it may follow itself.
    fn put(body: &mut Body, what: u8, text: &str) {
        match what {
            0..=3 => body.put_str(Section::HttpRequest, 0, keys::METHOD, text),
            4..=6 => body.put_str(Section::HttpRequest, 0, keys::URL, text),
            7..=9 => body.annotate(text, &text.into()),
            10..=13 => body.metadata("", text, &text),
            14..=16 => body.set_status(100 + text.len() as u16 * 50 % 500),
            17..=19 => {
                let frame = StackFrame::new("src/main.rs", 7, text);
                body.add_exception(&Exception::new("Error", text).with_frame(frame));
            }
            20 => body.add_exception(&Exception::new("Error", text).caused_by(crate::SegmentId::random())),
            21 => body.set_error(),
            22 => body.set_succeeded(),
            23 => body.set_namespace(Namespace::Remote),
            24 => body.metadata("other", text, &text),
            25 => body.put(Section::Sql, 0, keys::SQL, |_| Written::Nothing),
            26 => body.metadata("", "operation", &text),
            29..=31 => {
                put_piece(body, Piece::Name, [keys::HOST, keys::DB, keys::OTEL][what as usize - 29], text);
            }
            32..=34 => {
                put_piece(body, Piece::Url, [keys::HOST, keys::PATH, keys::SCHEME][what as usize - 32], text);
            }
            35..=37 => body.put_str(Section::Sql, 0, keys::DATABASE_TYPE, text),
            38..=40 => body.put_str(Section::Sql, 0, keys::SANITIZED_QUERY, text),
            41..=43 => body.set_namespace(Namespace::Remote),
            44..=46 => body.put(Section::HttpResponse, 0, keys::CONTENT_LENGTH, |out| {
                out.put_int(text.len() as u64);
                Written::Whole
            }),
            _ => body.put_str(Section::Top, 0, keys::USER, text),
        }
    }

    /// Puts members that have no entry at once: some annotations, and behind these some metadata.
    fn put_quickly(body: &mut Body, (annotations, metadata): (usize, usize)) {
        let keys = ["\"q.a\":", "\"q.b\":", "\"q.c\":", "\"q.d\":"];
        let sections = [Section::Annotation, Section::Metadata];
        let counted =
            std::iter::repeat_n(sections[0], annotations).chain(std::iter::repeat_n(sections[1], metadata));
        for (section, key) in counted.zip(keys) {
            body.make_room();
            let key = PlainKey::new(section, 0, Key::of_json(key)).unwrap();
            assert!(body.append_bland(&key, "value"));
        }
    }

    fn put_piece(body: &mut Body, piece: Piece, key: Key<'_>, text: &str) {
        body.put_piece(piece, 0, key, |out| {
            out.put_escaped(text);
            Written::Whole
        });
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]
        #[test]
        fn usual_bodies_are_written_as_any_other(
            puts in prop::collection::vec((0_u8..48, "[a-z\"]{1,10}"), 0..6), is_segment: bool, rule: bool, named: bool,
            quick in (0_usize..3, 0_usize..3),
        ) {
            let mut body = Body::new();
            put_quickly(&mut body, quick);
            puts.iter().for_each(|(what, text)| put(&mut body, *what, text));
            let (preamble, operation) = (Preamble::default(), Operation::new("GET /"));
            let own = is_segment.then_some(Own {
                preamble: &preamble, rule: rule.then_some("a rule"), operation: named.then_some(&operation),
            });
            let (mut usual, mut any) = (Buffer::new(), Buffer::new());
            if body.write_usual(&mut usual, own) {
                body.write(&mut any, own);
                prop_assert_eq!(usual.as_str(), any.as_str());
            } else {
                prop_assert!(usual.is_empty());
                let is_special = |(what, _): &(u8, String)| *what >= 20 || (17..=19).contains(what);
                prop_assert!(puts.iter().any(is_special) || body.entries.len() > 1);
            }
        }
    }

    proptest! {
        #[test]
        fn documents_with_usual_bodies_are_those_of_frames(
            puts in prop::collection::vec((0_u8..48, "[a-z\"]{1,50}"), 0..6), id: u64, quick in (0_usize..3, 0_usize..3),
            start in 1_000_000_000_000_000_u64..1_100_000_000_000_000, lasted in 0_u64..1_500_000, times in 1..3,
        ) {
            let (mut body, none) = (Body::new(), Children::new());
            put_quickly(&mut body, quick);
            puts.iter().for_each(|(what, text)| put(&mut body, *what, text));
            let (opening, id) = (Opening::new("load").unwrap(), crate::SegmentId::from(id));
            let frame = Frame {
                kind: Kind::EMBEDDED, id, name: "load", start, end: Some(start + lasted), body: &body, children: &none,
            };
            let (mut usual, mut framed) = (Children::new(), Children::new());
            for _ in 0..times {
                let before = usual.bytes().len();
                if usual.add_usual(&opening, id, start, start + lasted, &body) {
                    frame.fold_into(&mut framed);
                    let size = usual.bytes().len() - before;
                    prop_assert!(size <= Frame::HEAD_BOUND + frame.name.len() + body.usual_size_bound());
                }
            }
            // Both print every field that there is.
            prop_assert_eq!(format!("{usual:?}"), format!("{framed:?}"));
        }
    }

    #[test]
    fn calls_and_queries_are_usual() {
        let mut call = Body::new();
        call.set_namespace(Namespace::Remote);
        put(&mut call, 0, "GET");
        put(&mut call, 4, "https://h/p");
        put_piece(&mut call, Piece::Name, keys::HOST, "h");
        call.set_status(200);
        put(&mut call, 44, "of a length");
        let mut query = Body::new();
        query.set_namespace(Namespace::Remote);
        put_piece(&mut query, Piece::Name, keys::DB, "orders");
        put(&mut query, 35, "sqlite");
        put(&mut query, 38, "select ?");
        for body in [&call, &query] {
            assert!(body.write_usual(&mut Buffer::new(), None));
        }
    }

    #[test]
    fn a_request_that_failed_is_usual() {
        let mut body = Body::new();
        put(&mut body, 0, "GET");
        put(&mut body, 4, "https://h/p");
        put(&mut body, 7, "a");
        put(&mut body, 10, "m");
        body.set_status(503);
        put(&mut body, 17, "no luck");
        assert!(body.write_usual(&mut Buffer::new(), None));
        // A member that comes later stands apart from its row.
        put(&mut body, 10, "n");
        assert!(!body.write_usual(&mut Buffer::new(), None));
    }
}
