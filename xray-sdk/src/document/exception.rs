//! Errors as X-Ray's `cause`: one exception for each error of a source chain, linked by id.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use super::body::Body;
use super::entry::Content;
use super::limits::MAX_EXCEPTIONS;
use super::serialize::put_text_value;
use super::template::put_head;
use super::truncation::Written;
use crate::id::SegmentId;
use crate::json::Buffer;

/// One entry of `cause.exceptions`.
///
/// ```
/// use xray_sdk::document::{Exception, StackFrame, Subsegment};
///
/// let cause = Exception::new("io::Error", "connection refused").remote();
/// let error = Exception::new("ShopError", "no price")
///     .caused_by(cause.id())
///     .with_frame(StackFrame::new("src/price.rs", 42, "price"));
/// let mut call = Subsegment::begin("prices.example");
/// call.add_exception(&error);
/// call.add_exception(&cause);
/// ```
#[derive(Clone, Debug)]
pub struct Exception<'a> {
    id: SegmentId,
    kind: Cow<'a, str>,
    message: Cow<'a, str>,
    remote: bool,
    cause: Option<SegmentId>,
    stack: Vec<StackFrame<'a>>,
}

/// A line of code on the way to an exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StackFrame<'a> {
    /// The file, relative to whatever the reader knows.
    pub path: &'a str,
    /// The line in it.
    pub line: u32,
    /// The function or module.
    pub label: &'a str,
}

impl<'a> StackFrame<'a> {
    /// A frame in the function or module `label`, at a line of a file.
    #[must_use]
    pub const fn new(path: &'a str, line: u32, label: &'a str) -> Self {
        Self { path, line, label }
    }
}

/// A stack trace as JSON: written once for a line of code, copied into each exception from there.
#[derive(Clone, Debug, Default)]
pub struct Stack {
    json: Buffer,
}

impl Stack {
    /// No frames.
    #[must_use]
    pub const fn none() -> &'static Self {
        static NONE: Stack = Stack { json: Buffer::new() };
        &NONE
    }

    /// Frames, innermost first. At most 50 are kept, as in the official SDKs.
    #[must_use]
    pub fn new(frames: &[StackFrame<'_>]) -> Self {
        let mut json = Buffer::new();
        for (i, frame) in frames.iter().take(MAX_FRAMES).enumerate() {
            json.put(if i == 0 { STACK } else { "," });
            json.put(FRAME);
            json.put_string_within(frame.path, super::MAX_STRING);
            json.put(",\"line\":");
            json.put_int(frame.line);
            json.put(",\"label\":");
            json.put_string_within(frame.label, super::MAX_STRING);
            json.put("}");
        }
        if !frames.is_empty() {
            json.put("]");
        }
        Self { json }
    }
}

impl<'a> Exception<'a> {
    /// Creates an exception with a type, a message, and a new id.
    pub fn new(kind: impl Into<Cow<'a, str>>, message: impl Into<Cow<'a, str>>) -> Self {
        Self {
            id: SegmentId::random(),
            kind: kind.into(),
            message: message.into(),
            remote: false,
            cause: None,
            stack: Vec::new(),
        }
    }

    /// Returns the id that other exceptions name as their cause.
    #[must_use]
    pub fn id(&self) -> SegmentId {
        self.id
    }

    /// Marks the exception as a downstream service's.
    #[must_use]
    pub fn remote(mut self) -> Self {
        self.remote = true;
        self
    }

    /// Sets the exception that led to this one.
    #[must_use]
    pub fn caused_by(mut self, cause: SegmentId) -> Self {
        self.cause = Some(cause);
        self
    }

    /// Adds a stack frame, innermost first. At most 50 are kept, as in the official SDKs.
    #[must_use]
    pub fn with_frame(mut self, frame: StackFrame<'a>) -> Self {
        if self.stack.len() < MAX_FRAMES {
            self.stack.push(frame);
        }
        self
    }
}

const MAX_FRAMES: usize = 50;

/// The beginning of an exception of the type that errors without one have.
const BEGINNING: &[u8; 50] = b"{\"id\":\"________________\",\"type\":\"Error\",\"message\":";

/// The beginning of an exception's stack, and of each frame in it.
pub(super) const STACK: &str = ",\"stack\":[";
pub(super) const FRAME: &str = "{\"path\":";

impl Body {
    /// Adds an exception and marks the work as failed.
    pub fn add_exception(&mut self, exception: &Exception<'_>) {
        self.put_exception(
            exception.id,
            &exception.kind,
            |out| put_text_value(out, &exception.message),
            exception.remote,
            exception.cause,
            &Stack::new(&exception.stack),
        );
    }

    /// Adds an error with its chain of sources, one exception each, and marks the work as failed.
    ///
    /// The type is what the error's `Debug` form begins with, if that looks like a type or a variant, else
    /// `Error`; of an I/O error it is the kind. `stack` says where the error was seen.
    /// Returns the id of the first, for others to name as their cause.
    pub fn add_error(&mut self, error: &(dyn Error + 'static), stack: &Stack) -> SegmentId {
        self.add_error_with(error, stack, |error, out| {
            Written::cut_if(out.put_display_within(error, super::MAX_VALUE))
        })
    }

    /// Adds an error as [`add_error`](Self::add_error) does, with messages that `message` writes.
    ///
    /// For each error of the chain, `message` writes one JSON string.
    pub fn add_error_with(
        &mut self,
        error: &(dyn Error + 'static),
        stack: &Stack,
        mut message: impl FnMut(&(dyn Error + 'static), &mut Buffer) -> Written,
    ) -> SegmentId {
        let first = SegmentId::random();
        let mut next = Some((error, first));
        let mut stack = stack;
        while let Some((error, id)) = next {
            // A chain that ends only at the bound may have no end at all.
            let room = self.exceptions + 1 < MAX_EXCEPTIONS;
            next = error.source().filter(|_| room).map(|source| (source, SegmentId::random()));
            let cause = next.map(|(_, id)| id);
            let kind = TypeName::of(error);
            self.put_exception(id, kind.as_str(), |out| message(error, out), false, cause, stack);
            stack = Stack::none();
        }
        first
    }

    /// Begins an exception of the type `Error` in an empty buffer. Its message has to follow, one JSON string, before
    /// [`put_begun`](Self::put_begun) takes it.
    #[inline]
    pub fn begin_exception(begun: &mut Buffer) {
        put_head(begun, BEGINNING, SegmentId::random_apart());
    }

    /// Adds an exception that was begun by [`begin_exception`](Self::begin_exception), and marks the work as failed.
    pub fn put_begun(&mut self, begun: &Buffer, is_cut: bool, stack: &Stack) {
        self.set_failed();
        let stack_at = u16::try_from(begun.len()).ok().filter(|_| self.exceptions < MAX_EXCEPTIONS);
        let Some(stack_at) = stack_at else {
            self.losses.dropped += 1;
            return;
        };
        let start = self.text.len();
        self.text.put_row(begun.as_bytes());
        self.text.put_row(stack.json.as_bytes());
        self.exceptions += 1;
        self.losses.cut += u32::from(is_cut);
        self.text.put(",");
        self.keep_ready(start, Content::Exception { stack_at });
    }

    /// Adds an exception whose message is written by `message`, and marks the work as failed.
    pub fn put_exception(
        &mut self,
        id: SegmentId,
        kind: &str,
        message: impl FnOnce(&mut Buffer) -> Written,
        remote: bool,
        cause: Option<SegmentId>,
        stack: &Stack,
    ) {
        self.set_failed();
        let start = self.text.len();
        if self.exceptions >= MAX_EXCEPTIONS {
            self.losses.dropped += 1;
            return;
        }
        let out = &mut self.text;
        put_head(out, b"{\"id\":\"________________\",\"type\":", id);
        out.put_string_within(kind, super::MAX_STRING);
        out.put(",\"message\":");
        let written = match message(out) {
            Written::Nothing => {
                out.put("\"\"");
                Written::Cut
            }
            written => written,
        };
        if remote {
            out.put(",\"remote\":true");
        }
        if let Some(cause) = cause {
            out.put(",\"cause\":");
            out.put_segment_id(cause);
        }
        // A message is bounded well below this; an exception that is not has no form that could be kept.
        let Ok(stack_at) = u16::try_from(out.len() - start) else {
            out.truncate(start);
            self.losses.dropped += 1;
            return;
        };
        out.put_buffer(&stack.json);
        self.exceptions += 1;
        self.losses.cut += u32::from(written == Written::Cut);
        // The closing brace is written with the document: a stack that has to go leaves its length before it.
        self.keep(Content::Exception { stack_at }, start);
    }
}

/// The beginning of an error's `Debug` form, if it reads like the name of a type or a variant.
struct TypeName {
    text: [u8; 64],
    len: usize,
}

impl TypeName {
    fn of(error: &(dyn Error + 'static)) -> Self {
        let mut name = Self { text: [0; 64], len: 0 };
        let _ = match error.downcast_ref::<std::io::Error>() {
            // Its own `Debug` shows how it is stored, its kind what it is.
            Some(error) => fmt::write(&mut name, format_args!("{:?}", error.kind())),
            None => fmt::write(&mut name, format_args!("{error:?}")),
        };
        name
    }

    fn as_str(&self) -> &str {
        let text = &self.text[..self.len];
        let end = text.iter().position(|b| !(b.is_ascii_alphanumeric() || *b == b'_')).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let is_type = name.first().is_some_and(u8::is_ascii_uppercase)
            && (rest.is_empty() || rest[0] == b'(' || rest.starts_with(b" {"));
        if is_type { std::str::from_utf8(name).unwrap_or(DEFAULT_TYPE) } else { DEFAULT_TYPE }
    }
}

const DEFAULT_TYPE: &str = "Error";

impl fmt::Write for TypeName {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = &mut self.text[self.len..];
        let len = text.len().min(room.len());
        room[..len].copy_from_slice(&text.as_bytes()[..len]);
        self.len += len;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_names_come_from_debug_when_they_look_like_one() {
        #[derive(Debug)]
        #[expect(dead_code, reason = "read by Debug")]
        enum Failure {
            OutOfStock { sku: u32 },
            Io(u8),
            Gone,
        }
        impl fmt::Display for Failure {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("failed")
            }
        }
        impl Error for Failure {}
        struct Message(&'static str);
        impl fmt::Debug for Message {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.0)
            }
        }
        impl fmt::Display for Message {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.0)
            }
        }
        impl Error for Message {}
        let refused = std::io::Error::from_raw_os_error(111);
        let cases: [(&(dyn Error + 'static), &str); 7] = [
            (&refused, "ConnectionRefused"),
            (&Failure::OutOfStock { sku: 1 }, "OutOfStock"),
            (&Failure::Io(1), "Io"),
            (&Failure::Gone, "Gone"),
            (&Message("Connection refused"), "Error"),
            (&Message("no such order"), "Error"),
            (&Message(""), "Error"),
        ];
        for (error, expected) in cases {
            assert_eq!(TypeName::of(error).as_str(), expected, "{error:?}");
        }
    }
}
