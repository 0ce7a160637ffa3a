//! A byte buffer that only grows by whole JSON tokens, so that what it holds is always UTF-8 and always
//! escaped. The hot path of the whole project ends here.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::digits::{ShortDecimal, decimal_digits, status_digits};
use super::escape::{HEX, first_special, is_plain};
use crate::id::{SegmentId, TraceId};

/// An append-only JSON writer.
///
/// Methods that start with `put` add one token or one part of a string and never fail. Commas and colons
/// are the caller's.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Buffer {
    bytes: Vec<u8>,
}

impl Buffer {
    /// Creates an empty buffer without allocating.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    /// Returns the bytes written so far.
    #[inline]
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the JSON written so far.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only whole tokens go in, so this can't fail; if it did, no text is better than a panic.
        std::str::from_utf8(&self.bytes).unwrap_or_default()
    }

    /// Returns the length in bytes.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns whether nothing was written.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Returns how many bytes fit without growing.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Clears the buffer and keeps its memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Reserves room for `additional` more bytes.
    #[inline]
    pub fn reserve(&mut self, additional: usize) {
        self.bytes.reserve(additional);
    }

    /// Frees memory above `capacity` bytes.
    pub fn shrink_to(&mut self, capacity: usize) {
        self.bytes.shrink_to(capacity);
    }

    /// Removes everything after `len`, which must be where a token began.
    #[inline]
    pub fn truncate(&mut self, len: usize) {
        self.bytes.truncate(len);
    }

    /// Appends ready JSON: punctuation, literals, keys that were made ready beforehand.
    #[inline]
    pub fn put(&mut self, json: &str) {
        self.bytes.extend_from_slice(json.as_bytes());
    }

    /// Appends what another buffer holds.
    #[inline]
    pub fn put_buffer(&mut self, other: &Self) {
        self.bytes.extend_from_slice(&other.bytes);
    }

    /// Appends bytes that came out of a buffer.
    #[inline]
    pub(crate) fn put_bytes(&mut self, json: &[u8]) {
        self.bytes.extend_from_slice(json);
    }

    /// Appends bytes as [`put_bytes`](Self::put_bytes) does, out of line: for the rows of documents, so that the code stands
    /// once.
    #[inline(never)]
    pub(crate) fn put_row(&mut self, json: &[u8]) {
        self.bytes.extend_from_slice(json);
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Appends a string token: quoted and escaped.
    #[inline]
    pub fn put_string(&mut self, text: &str) {
        self.bytes.push(b'"');
        self.put_escaped(text);
        self.bytes.push(b'"');
    }

    /// Appends a string token of a string that is known to need no escapes.
    #[inline]
    pub fn put_unescaped_string(&mut self, text: &str) {
        self.bytes.reserve(text.len() + "\"\"".len());
        self.bytes.push(b'"');
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.push(b'"');
    }

    /// Appends a string escaped for the inside of a string token.
    #[inline]
    pub fn put_escaped(&mut self, text: &str) {
        let bytes = text.as_bytes();
        if is_plain(bytes) {
            self.bytes.extend_from_slice(bytes);
        } else {
            self.put_escaped_bytes(bytes);
        }
    }

    #[cold]
    fn put_escaped_bytes(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(at) = first_special(rest) {
            self.bytes.extend_from_slice(&rest[..at]);
            self.put_escape(rest[at]);
            rest = &rest[at + 1..];
        }
        self.bytes.extend_from_slice(rest);
    }

    fn put_escape(&mut self, byte: u8) {
        let short = match byte {
            b'"' => b'"',
            b'\\' => b'\\',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            _ => {
                self.bytes.extend_from_slice(b"\\u00");
                self.bytes.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
                return;
            }
        };
        self.bytes.extend_from_slice(&[b'\\', short]);
    }

    /// Appends a string token of at most `max` characters; a longer string is truncated and ends in
    /// `…`, which counts as one of them. Returns whether it was truncated.
    #[inline]
    pub fn put_string_within(&mut self, text: &str, max: usize) -> bool {
        // Bytes are never fewer than characters.
        if text.len() <= max {
            self.put_string(text);
            return false;
        }
        self.put_long_string_within(text, max)
    }

    #[cold]
    fn put_long_string_within(&mut self, text: &str, max: usize) -> bool {
        let keep = match text.char_indices().nth(max) {
            None => return self.put_string_whole(text),
            Some(_) => text.char_indices().nth(max.saturating_sub(1)).map_or(0, |(at, _)| at),
        };
        self.bytes.push(b'"');
        self.put_escaped(&text[..keep]);
        self.put("…\"");
        true
    }

    fn put_string_whole(&mut self, text: &str) -> bool {
        self.put_string(text);
        false
    }

    /// Appends a string token of whatever `value` displays, of at most `max` encoded bytes between its quotes.
    /// A longer string is truncated and ends in `…`. Returns whether it was truncated.
    ///
    /// The value is written straight into the buffer: no `String` in between.
    #[inline]
    pub fn put_display_within(&mut self, value: impl fmt::Display, max: usize) -> bool {
        self.put_format_within(format_args!("{value}"), max)
    }

    /// Appends a string token as [`put_display_within`](Self::put_display_within) does. What is formatted already is not
    /// formatted as a value once more.
    pub fn put_format_within(&mut self, text: fmt::Arguments<'_>, max: usize) -> bool {
        self.bytes.push(b'"');
        let cut = self.put_escaped_format_within(text, max.saturating_sub("…".len()));
        self.put(if cut { "…\"" } else { "\"" });
        cut
    }

    /// Appends whatever `value` displays, escaped for the inside of a string token, up to `max` encoded bytes, or up to a
    /// panic of `value`. Returns whether it was cut.
    #[inline]
    pub fn put_escaped_within(&mut self, value: impl fmt::Display, max: usize) -> bool {
        self.put_escaped_format_within(format_args!("{value}"), max)
    }

    /// Appends a string as [`put_escaped_within`](Self::put_escaped_within) does.
    pub fn put_escaped_format_within(&mut self, text: fmt::Arguments<'_>, max: usize) -> bool {
        let mut writer = EscapingWriter { until: self.bytes.len() + max, out: self, cut: false };
        // A `Display` that fails half-way leaves what it wrote; no caller could act on it. One that panics is cut
        // there. A full writer fails, and some implementations unwrap that.
        let written = catch_unwind(AssertUnwindSafe(|| fmt::write(&mut writer, text)));
        writer.cut |= written.is_err();
        writer.cut
    }

    /// Appends an integer.
    #[inline]
    pub fn put_int(&mut self, value: impl itoa::Integer) {
        self.bytes.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
    }

    /// Appends an HTTP status, which has three digits.
    #[inline]
    pub(crate) fn put_status(&mut self, status: u16) {
        self.put_bytes(&status_digits(status));
    }

    /// Appends a template with `___` for an HTTP status, two bytes before its end.
    #[inline]
    pub(crate) fn put_with_status<const N: usize>(&mut self, mut template: [u8; N], status: u16) {
        template[N - 5..N - 2].copy_from_slice(&status_digits(status));
        self.put_bytes(&template);
    }

    /// Appends a number, or returns `false` and appends nothing when it has no JSON form (NaN, infinities).
    #[inline]
    pub fn put_float(&mut self, value: f64) -> bool {
        if let Some(short) = ShortDecimal::of(value) {
            let mut room = [0; ShortDecimal::ROOM];
            short.write(&mut room);
            self.bytes.extend_from_slice(&room[..short.len()]);
            return true;
        }
        value.is_finite() && serde_json::to_writer(&mut self.bytes, &value).is_ok()
    }

    /// Appends `true` or `false`.
    #[inline]
    pub fn put_bool(&mut self, value: bool) {
        self.put(if value { "true" } else { "false" });
    }

    /// Appends a (sub)segment's id, quoted.
    #[inline]
    pub fn put_segment_id(&mut self, id: SegmentId) {
        self.put("\"");
        self.put_bytes(&id.encode());
        self.put("\"");
    }

    /// Appends a trace id, quoted.
    #[inline]
    pub fn put_trace_id(&mut self, id: TraceId) {
        self.put("\"");
        self.put_bytes(&id.encode());
        self.put("\"");
    }

    /// Appends microseconds since the epoch as seconds with six decimals.
    pub fn put_micros(&mut self, micros: u64) {
        let [_, _, fraction @ ..] = decimal_digits((micros % 1_000_000) as u32);
        self.put_int(micros / 1_000_000);
        self.put(".");
        self.put_bytes(&fraction);
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Escapes what a `Display` or `Debug` writes, and lets nothing through after its bound.
///
/// Past the bound it discards input and does not fail: a `fmt` implementation that unwraps the result of its
/// `write!` would panic in the user's process.
struct EscapingWriter<'a> {
    out: &'a mut Buffer,
    until: usize,
    cut: bool,
}

impl fmt::Write for EscapingWriter<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.cut {
            return Err(fmt::Error);
        }
        let room = self.until.saturating_sub(self.out.len());
        let fits = if text.len() <= room { text } else { &text[..text.floor_char_boundary(room)] };
        let start = self.out.len();
        self.out.put_escaped(fits);
        self.cut = fits.len() < text.len();
        // Escapes make text longer (a control byte becomes six): cut again, by the encoded length.
        if self.out.len() > self.until {
            self.out.truncate(start);
            self.cut = true;
            for c in fits.chars() {
                let before = self.out.len();
                self.out.put_escaped(c.encode_utf8(&mut [0; 4]));
                if self.out.len() > self.until {
                    self.out.truncate(before);
                    break;
                }
            }
        }
        // The value's own formatting ends here: what follows would be formatted for nothing.
        if self.cut { Err(fmt::Error) } else { Ok(()) }
    }
}
