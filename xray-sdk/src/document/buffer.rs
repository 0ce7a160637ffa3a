//! A byte buffer that only grows by whole JSON tokens, so that what it holds is always UTF-8 and always
//! escaped. The hot path of the whole project ends here; nothing in this file knows X-Ray's key names.

use std::fmt;

use crate::id::{SegmentId, TraceId};

/// Append-only JSON text.
///
/// Methods that start with `put` add one token or one piece of text and never fail. Commas and colons
/// are the caller's.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Buffer {
    bytes: Vec<u8>,
}

impl Buffer {
    /// An empty buffer. Allocates nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    /// What was written so far.
    #[inline]
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What was written so far, as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only whole tokens go in, so this can't fail; if it did, no text is better than a panic.
        std::str::from_utf8(&self.bytes).unwrap_or_default()
    }

    /// Length in bytes.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was written.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Bytes that fit without growing.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Forgets the text and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Makes room for so many more bytes.
    #[inline]
    pub fn reserve(&mut self, additional: usize) {
        self.bytes.reserve(additional);
    }

    /// Gives memory above `capacity` bytes back.
    pub fn shrink_to(&mut self, capacity: usize) {
        self.bytes.shrink_to(capacity);
    }

    /// Takes back everything after `len`, which must be where a token began.
    #[inline]
    pub fn truncate(&mut self, len: usize) {
        self.bytes.truncate(len);
    }

    /// Appends JSON text as it is: punctuation, literals, keys that were made ready beforehand.
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

    /// Appends text escaped for the inside of a string token.
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

    /// Appends a string token of at most `max` characters; a longer text is cut and ends in `…`, which counts
    /// as one of them. Returns whether it was cut.
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
    /// A longer text is cut and ends in `…`. Returns whether it was cut.
    ///
    /// The value is written straight into the buffer: no `String` in between.
    pub fn put_display_within(&mut self, value: impl fmt::Display, max: usize) -> bool {
        self.bytes.push(b'"');
        let cut = self.put_escaped_within(value, max.saturating_sub("…".len()));
        self.put(if cut { "…\"" } else { "\"" });
        cut
    }

    /// Appends whatever `value` displays, escaped for the inside of a string token, up to `max` encoded bytes.
    /// Returns whether it was cut.
    pub fn put_escaped_within(&mut self, value: impl fmt::Display, max: usize) -> bool {
        use fmt::Write;
        let mut writer = EscapingWriter { until: self.bytes.len() + max, out: self, cut: false };
        // A `Display` that fails half-way leaves what it wrote; there is nobody to tell.
        let _ = write!(writer, "{value}");
        writer.cut
    }

    /// Appends an integer.
    #[inline]
    pub fn put_int(&mut self, value: impl itoa::Integer) {
        self.bytes.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
    }

    /// Appends a number, or returns `false` and appends nothing when it has no JSON form (NaN, infinities).
    #[inline]
    pub fn put_float(&mut self, value: f64) -> bool {
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
        let [_, _, fraction @ ..] = eight_digits((micros % 1_000_000) as u32);
        self.put_int(micros / 1_000_000);
        self.put(".");
        self.put_bytes(&fraction);
    }

    /// Appends a text of fixed length with an id's digits in it: each document begins with `{"id":"…"`.
    #[inline]
    pub(super) fn put_head<const N: usize>(&mut self, mut head: [u8; N], id: SegmentId) {
        head[ID_DIGITS].copy_from_slice(&id.encode());
        self.put_bytes(&head);
    }

    /// The same, of a document that says which trace it belongs to.
    #[inline]
    pub(super) fn put_head_in(&mut self, id: SegmentId, trace_id: TraceId) {
        const TRACE_ID: usize = "{\"id\":\"________________\",\"trace_id\":\"".len();
        let mut head = *b"{\"id\":\"________________\",\"trace_id\":\"___________________________________\"";
        head[TRACE_ID..TRACE_ID + TraceId::LEN].copy_from_slice(&trace_id.encode());
        self.put_head(head, id);
    }

    /// Appends a text of fixed length that begins as [`TIMES`] does, with start and end in it.
    #[inline]
    pub(super) fn put_times<const N: usize>(&mut self, mut times: [u8; N], start: u64, end: u64) {
        let seconds = start / 1_000_000;
        let end_fraction = end.wrapping_sub(seconds * 1_000_000);
        // Ten digits from 2001 to 2286, and most work is done within the second it began in.
        if (1_000_000_000..10_000_000_000).contains(&seconds) && end_fraction < 1_000_000 {
            let first = eight_digits((seconds / 100) as u32);
            let [.., tens, ones] = eight_digits((seconds % 100) as u32);
            let fractions = [start - seconds * 1_000_000, end_fraction].map(|f| eight_digits(f as u32));
            // One copy instead of ten: each looks whether there is room.
            for (at, [_, _, fraction @ ..]) in [15, 44].into_iter().zip(fractions) {
                times[at..at + 8].copy_from_slice(&first);
                times[at + 8..at + 10].copy_from_slice(&[tens, ones]);
                times[at + 11..at + 17].copy_from_slice(&fraction);
            }
            self.put_bytes(&times);
        } else {
            self.put("\",\"start_time\":");
            self.put_micros(start);
            self.put(",\"end_time\":");
            self.put_micros(end);
            self.put_bytes(&times[TIMES.len()..]);
        }
    }
}

/// Where an id's digits are in a document.
pub(super) const ID_DIGITS: std::ops::Range<usize> = 7..23;

/// The end of a name, and when its work began and ended.
pub(super) const TIMES: &[u8; 61] = b"\",\"start_time\":__________.______,\"end_time\":__________.______";

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Escapes what a `Display` or `Debug` writes, and lets nothing through after its bound.
///
/// It goes on taking text then, and does not fail: a `fmt` implementation that unwraps the result of its
/// `write!` would panic in the user's process.
struct EscapingWriter<'a> {
    out: &'a mut Buffer,
    until: usize,
    cut: bool,
}

impl fmt::Write for EscapingWriter<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.cut {
            return Ok(());
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
        Ok(())
    }
}

/// A number below 100,000,000 as eight digits, all at once: halves of four, then of two, then of one digit lie
/// side by side in one word. The divisions by 100 and 10 are multiplications by 10,486 / 2^20 and
/// 103 / 2^10, exact for numbers below 10,000 and below 100.
#[inline]
fn eight_digits(value: u32) -> [u8; 8] {
    let fours = u64::from(value / 10_000) | u64::from(value % 10_000) << 32;
    let hundreds = ((fours * 10_486) >> 20) & 0x7f_0000_007f;
    let twos = hundreds | (fours - hundreds * 100) << 16;
    let tens = ((twos * 103) >> 10) & 0x0f_000f_000f_000f;
    let ones = tens | (twos - tens * 10) << 8;
    (ones + 0x3030_3030_3030_3030).to_le_bytes()
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Whether nothing in it has to be escaped, as in nearly all text. Eight bytes at a time; what is left goes as one word
/// as well: the last eight bytes, some of them for the second time, or all there is.
#[inline]
fn is_plain(bytes: &[u8]) -> bool {
    if let Some(last) = bytes.last_chunk::<8>() {
        let (words, _) = bytes.as_chunks::<8>();
        let seen = words.iter().fold(specials(u64::from_le_bytes(*last)), |seen, word| {
            seen | specials(u64::from_le_bytes(*word))
        });
        return seen == 0;
    }
    match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(first), Some(last)) => {
            let word = u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last));
            specials(word) == 0
        }
        _ => !bytes.iter().copied().any(is_special),
    }
}

/// Where the first byte is that has to be escaped.
fn first_special(bytes: &[u8]) -> Option<usize> {
    let (words, _) = bytes.as_chunks::<8>();
    let plain = words.iter().take_while(|word| specials(u64::from_le_bytes(**word)) == 0).count() * 8;
    bytes[plain..].iter().copied().position(is_special).map(|at| plain + at)
}

/// Not 0 if one of eight bytes is special. The top bit of each tells whether it is below 0x20, or equals a quote or a
/// backslash once XORed with it; a borrow into the next byte can only follow a true hit, so the answer is certain.
#[inline]
fn specials(w: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;
    let control = w.wrapping_sub(ONES * 0x20) & !w;
    let quote = (w ^ (ONES * 0x22)).wrapping_sub(ONES) & !(w ^ (ONES * 0x22));
    let backslash = (w ^ (ONES * 0x5c)).wrapping_sub(ONES) & !(w ^ (ONES * 0x5c));
    (control | quote | backslash) & TOPS
}

#[inline]
fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// The length of the string token that `bytes` begins with.
pub(super) fn string_token_len(bytes: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// How much of escaped text fits into `max` bytes without splitting a character or an escape.
pub(super) fn escaped_prefix(text: &[u8], max: usize) -> usize {
    let mut end = 0;
    while let Some(&byte) = text.get(end) {
        let token = match byte {
            b'\\' if text.get(end + 1) == Some(&b'u') => 6,
            b'\\' => 2,
            _ => 1 + text[end + 1..].iter().take_while(|b| **b & 0xc0 == 0x80).count(),
        };
        if end + token > max.min(text.len()) {
            break;
        }
        end += token;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(write: impl FnOnce(&mut Buffer)) -> String {
        let mut buffer = Buffer::new();
        write(&mut buffer);
        buffer.as_str().to_owned()
    }

    proptest! {
        #[test]
        fn strings_read_back_as_they_were(text in any::<String>()) {
            let token = written(|b| b.put_string(&text));
            prop_assert_eq!(serde_json::from_str::<String>(&token).unwrap(), text);
        }

        #[test]
        fn special_bytes_are_found_wherever_they_stand(prefix in "[a-zé]{0,20}", c in "[\\x00-\\x1f\"\\\\]") {
            for tail in ["", "t", "tail", "a long tail"] {
                let (special, plain) = (format!("{prefix}{c}{tail}"), format!("{prefix}{tail}"));
                prop_assert_eq!((is_plain(special.as_bytes()), is_plain(plain.as_bytes())), (false, true));
                prop_assert_eq!(first_special(special.as_bytes()), Some(prefix.len()));
                prop_assert_eq!(first_special(plain.as_bytes()), None);
            }
        }

        #[test]
        fn cut_strings_keep_to_their_bound(text in any::<String>(), max in 1_usize..40) {
            let mut cut = false;
            let token = written(|b| cut = b.put_string_within(&text, max));
            let back: String = serde_json::from_str(&token).unwrap();
            prop_assert!(back.chars().count() <= max);
            prop_assert_eq!(cut, text.chars().count() > max);
            if !cut { prop_assert_eq!(back, text); }
        }

        #[test]
        fn displayed_values_keep_to_their_bound_in_bytes(parts in prop::collection::vec(any::<String>(), 0..5), max in 0_usize..60) {
            struct Parts(Vec<String>);
            impl fmt::Display for Parts {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    self.0.iter().try_for_each(|part| f.write_str(part))
                }
            }
            let whole = parts.concat();
            let mut cut = false;
            let token = written(|b| cut = b.put_display_within(Parts(parts), max));
            let back: String = serde_json::from_str(&token).unwrap();
            if cut {
                prop_assert!(token.len() <= max.max("…".len()) + 2);
                prop_assert!(whole.starts_with(back.trim_end_matches('…')));
            } else {
                prop_assert_eq!(back, whole);
            }
        }

        #[test]
        fn escaped_text_is_cut_between_tokens(text in any::<String>(), max in 0_usize..40) {
            let token = written(|b| b.put_escaped(&text));
            let keep = escaped_prefix(token.as_bytes(), max);
            prop_assert!(keep <= max);
            let back: String = serde_json::from_str(&format!("\"{}\"", &token[..keep])).unwrap();
            prop_assert!(text.starts_with(&back));
        }

        #[test]
        fn micros_are_exact(micros in 0_u64..20_000_000_000_000_000) {
            let text = written(|b| b.put_micros(micros));
            prop_assert_eq!(text, format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000));
        }

        #[test]
        fn times_are_exact_within_a_second_and_beyond(start in 0_u64..20_000_000_000_000_000, lasted in 0_u64..3_000_000) {
            let micros = |m: u64| format!("{}.{:06}", m / 1_000_000, m % 1_000_000);
            let text = written(|b| b.put_times(*b"\",\"start_time\":__________.______,\"end_time\":__________.______,", start, start + lasted));
            let expected = format!("\",\"start_time\":{},\"end_time\":{},", micros(start), micros(start + lasted));
            prop_assert_eq!(text, expected);
        }

        #[test]
        fn eight_digits_are_those_of_the_number(value in 0_u32..100_000_000) {
            let digits = eight_digits(value);
            prop_assert_eq!(std::str::from_utf8(&digits).unwrap(), format!("{value:08}"));
        }

        #[test]
        fn floats_read_back(value in any::<f64>()) {
            let mut finite = false;
            let text = written(|b| finite = b.put_float(value));
            prop_assert_eq!(finite, value.is_finite());
            if finite { prop_assert_eq!(text.parse::<f64>().unwrap(), value); } else { prop_assert_eq!(text, ""); }
        }
    }
}
