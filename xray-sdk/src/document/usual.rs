//! Usual bodies: a request, a status, an exception, annotations and metadata, the members of each in one row. Most
//! segments have such a body, and most spans that failed. Rows are found by one look at the entries, and copied whole.
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

/// The members of each part as they are written; empty without any.
#[derive(Clone, Copy, Default)]
struct Rows<'a> {
    request: &'a [u8],
    /// Without its closing brace.
    exception: &'a [u8],
    annotations: &'a [u8],
    metadata: &'a [u8],
}

impl Rows<'_> {
    fn of(&self, part: Part) -> &[u8] {
        match part {
            Part::HttpRequest => self.request,
            Part::Annotation => self.annotations,
            Part::Metadata => self.metadata,
            _ => &[],
        }
    }
}

impl Body {
    /// Appends every member, each after a comma. Appends nothing and returns `false` if the body is not usual.
    #[inline(never)]
    pub(super) fn write_usual(&self, out: &mut Buffer, own: Option<Own<'_>>) -> bool {
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
            return false;
        }
        let text = self.text.as_bytes();
        let (before, exception) = match self.entries.last() {
            Some(last) if last.part() == Some(Part::Exception) => match self.split_at_exception(last) {
                Some(split) => split,
                None => return false,
            },
            _ => (text, &[][..]),
        };
        let part = self.parts & !Part::Exception.bit();
        let is_row = self.dead == 0
            && part & part.wrapping_sub(1) == 0
            && exception.is_empty() == (self.exceptions == 0);
        if !is_row {
            return self.write_several(out, own);
        }
        // Without the last comma, the members of a single part are a row.
        let row = before.split_last().map_or(before, |(_, row)| row);
        self.write_rows(|one| if part == one.bit() { row } else { &[] }, exception, out, own);
        true
    }

    /// Appends a body with several parts, as [`write_usual`](Self::write_usual) does.
    #[inline(never)]
    fn write_several(&self, out: &mut Buffer, own: Option<Own<'_>>) -> bool {
        let Some(rows) = self.rows_of_several() else { return false };
        self.write_rows(|part| rows.of(part), rows.exception, out, own);
        true
    }

    /// Appends the members of each part from its row, empty without any.
    #[inline(always)]
    fn write_rows<'a>(
        &self,
        row_of: impl Fn(Part) -> &'a [u8],
        exception: &[u8],
        out: &mut Buffer,
        own: Option<Own<'_>>,
    ) {
        if self.has_failed() {
            out.put_row(self.failure().as_bytes());
        }
        let request = row_of(Part::HttpRequest);
        if !request.is_empty() {
            out.put(",\"http\":{\"request\":{");
            out.put_row(request);
        }
        if let Some(status) = self.status() {
            out.put(if request.is_empty() { ",\"http\":{\"response\":{" } else { "},\"response\":{" });
            out.put_with_status(*b"\"status\":___}}", status);
        } else if !request.is_empty() {
            out.put("}}");
        }
        if let Some(own) = own {
            own.write_aws(out);
        }
        if !exception.is_empty() {
            out.put(",\"cause\":{\"exceptions\":[");
            out.put_row(exception);
            out.put("}]}");
        }
        let annotations = row_of(Part::Annotation);
        if !annotations.is_empty() {
            put_annotations(out, annotations);
        }
        let operation = own.and_then(|own| own.operation);
        let metadata = row_of(Part::Metadata);
        if !metadata.is_empty() {
            out.put(METADATA);
            out.put_row(metadata);
            if let Some(operation) = operation {
                self.write_operation(out, operation);
            }
            out.put("}}");
        } else if let Some(operation) = operation {
            out.put_row(operation.alone().as_bytes());
        }
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
            out.put(operation.json());
        }
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

    /// Returns the rows of a body with several parts, if the members of each stand together.
    #[inline(never)]
    fn rows_of_several(&self) -> Option<Rows<'_>> {
        let mut rows = Rows::default();
        let mut entries = self.members().peekable();
        while let Some(first) = entries.next() {
            let part = first.part()?;
            let mut last = first;
            while let Some(next) = entries.next_if(|next| next.part() == Some(part)) {
                last = next;
            }
            let row = match part {
                Part::HttpRequest => &mut rows.request,
                Part::Exception => &mut rows.exception,
                Part::Annotation => &mut rows.annotations,
                Part::Metadata => &mut rows.metadata,
                _ => return None,
            };
            if !row.is_empty() {
                return None;
            }
            *row = match part {
                Part::Exception => self.split_at_exception(&first)?.1,
                _ => self.text.as_bytes().get(first.start as usize..(last.start + last.len) as usize)?,
            };
        }
        Some(rows)
    }
}

#[inline(never)]
fn put_annotations(out: &mut Buffer, row: &[u8]) {
    out.put(",\"annotations\":{");
    out.put_bytes(row);
    out.put("}");
}

#[cfg(test)]
mod tests {
    use super::super::exception::{Exception, StackFrame};
    use super::super::internal::{Children, Frame, Kind, Opening, Operation, Preamble};
    use super::super::keys;
    use super::super::section::{Namespace, Section};
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
            14..=16 => body.set_status(100 + text.len() as u16 * 50),
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
            _ => body.put_str(Section::Top, 0, keys::USER, text),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn usual_bodies_are_written_as_any_other(
            puts in prop::collection::vec((0_u8..29, "[a-z\"]{1,10}"), 0..6), is_segment: bool, rule: bool, named: bool,
        ) {
            let mut body = Body::new();
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
            puts in prop::collection::vec((0_u8..29, "[a-z\"]{1,50}"), 0..6), id: u64,
            start in 1_000_000_000_000_000_u64..1_100_000_000_000_000, lasted in 0_u64..1_500_000, times in 1..3,
        ) {
            let (mut body, none) = (Body::new(), Children::new());
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
