//! Finds the bytes that JSON escapes, eight at a time, and where an escaped string may be cut. Bytes and numbers only:
//! nothing is written here.

pub(super) const HEX: &[u8; 16] = b"0123456789abcdef";

/// Returns whether no byte has to be escaped, as in nearly all strings.
///
/// Looks at eight bytes at a time. The rest is one word as well: the last eight bytes, some of them for the second
/// time, or all there is.
#[inline]
pub(super) fn is_plain(bytes: &[u8]) -> bool {
    if let Some(last) = bytes.last_chunk::<8>() {
        let (words, _) = bytes.as_chunks::<8>();
        let is_plain = |word: &[u8; 8]| specials(u64::from_le_bytes(*word)) == 0;
        // One word after the other: a fold becomes four times as much code.
        return words.iter().all(is_plain) && is_plain(last);
    }
    match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(first), Some(last)) => {
            let word = u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last));
            specials(word) == 0
        }
        _ => is_plain_byte_by_byte(bytes),
    }
}

/// Looks as [`is_plain`] does, out of its way: few texts that come here have less than four bytes.
#[inline(never)]
fn is_plain_byte_by_byte(bytes: &[u8]) -> bool {
    !bytes.iter().copied().any(is_special)
}

/// Returns the position of the first byte that has to be escaped.
pub(super) fn first_special(bytes: &[u8]) -> Option<usize> {
    let (words, _) = bytes.as_chunks::<8>();
    let plain = words.iter().take_while(|word| specials(u64::from_le_bytes(**word)) == 0).count() * 8;
    bytes[plain..].iter().copied().position(is_special).map(|at| plain + at)
}

/// Not 0 if one of eight bytes is special. The top bit of each says whether it is below 0x20, or equals a quote or a
/// backslash once XORed with it; a borrow into the next byte can only follow a true hit, so the result is certain.
#[inline]
fn specials(w: u64) -> u64 {
    let control = w.wrapping_sub(ONES * 0x20) & !w;
    let quote = (w ^ (ONES * 0x22)).wrapping_sub(ONES) & !(w ^ (ONES * 0x22));
    let backslash = (w ^ (ONES * 0x5c)).wrapping_sub(ONES) & !(w ^ (ONES * 0x5c));
    (control | quote | backslash) & TOPS
}

/// Returns whether a string has nothing but letters, digits and `-./_`.
///
/// The hosts and paths of most URLs have nothing else.
#[inline]
#[must_use]
pub fn is_plain_path(text: &[u8]) -> bool {
    is_plain_up_to(b'9', text)
}

/// Returns whether a string has nothing but letters, digits and `-./_:`, as most hosts with a port and a path.
#[inline]
#[must_use]
pub fn is_plain_path_or_port(text: &[u8]) -> bool {
    is_plain_up_to(b':', text)
}

#[inline(never)]
fn is_plain_up_to(last_digit: u8, text: &[u8]) -> bool {
    let is_plain = |word: &[u8; 8]| in_plain_path(*word, last_digit) == TOPS;
    let (words, rest) = text.as_chunks::<8>();
    // One word after the other: a fold becomes four times as much code.
    words.iter().all(is_plain)
        && match text.last_chunk() {
            Some(last) => is_plain(last),
            None => is_short_plain(rest, last_digit),
        }
}

#[cold]
#[inline(never)]
fn is_short_plain(text: &[u8], last_digit: u8) -> bool {
    text.iter().all(|byte| in_plain_path([*byte; 8], last_digit) == TOPS)
}

/// The top bit of each byte says whether that is a letter, a digit, one of `-./_`, or up to another last digit.
#[inline]
fn in_plain_path(bytes: [u8; 8], last_digit: u8) -> u64 {
    let word = u64::from_le_bytes(bytes);
    let low = word & !TOPS;
    // With this bit, upper-case letters are lower-case ones, and no other byte is a letter.
    let letters = within(low | (ONES * 0x20), b'a', b'z');
    (letters | within(low, b'-', last_digit) | within(low, b'_', b'_')) & !word & TOPS
}

/// The top bit of each byte says whether it is one of `first..=last`, if it has no top bit itself.
#[inline]
fn within(low: u64, first: u8, last: u8) -> u64 {
    // A byte has room for a sum, which sets that bit from some number on: in between, in one of two sums.
    (low + ONES * u64::from(0x80 - first)) ^ (low + ONES * u64::from(0x7f - last))
}

/// Returns the position of the first slash or colon, or the length.
#[inline]
#[must_use]
pub fn end_of_host(text: &[u8]) -> usize {
    let (words, rest) = text.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        // A borrow into the next byte can only follow a hit, and the first is the lowest.
        let found = [b'/', b':'].into_iter().fold(0, |found, byte| {
            let differs = u64::from_le_bytes(*word) ^ (ONES * u64::from(byte));
            found | (differs.wrapping_sub(ONES) & !differs)
        }) & TOPS;
        if found != 0 {
            return at * 8 + (found.trailing_zeros() / 8) as usize;
        }
    }
    words.len() * 8 + rest.iter().position(|byte| matches!(byte, b'/' | b':')).unwrap_or(rest.len())
}

const ONES: u64 = 0x0101_0101_0101_0101;
const TOPS: u64 = 0x8080_8080_8080_8080;

/// Not 0 if one of eight bytes is not bland: a control character, below `,` and no blank, from `:` to `@`, a backslash, or
/// not of ASCII.
///
/// A bland string needs no escapes in JSON. No URL with a scheme, no pair of key and value, no quoted literal and no
/// call is bland.
#[inline]
pub(super) fn unbland(w: u64) -> u64 {
    // Without its top bit a byte has room for a sum, which sets that bit from some number on.
    let low = w & !TOPS;
    let from = |first: u8| low + ONES * u64::from(0x80 - first);
    let differs = |byte: u8| (low ^ (ONES * u64::from(byte))) + ONES * 0x7f;
    // From a comma on, and other than a backslash: all bytes are one of both at least.
    let below_comma_or_backslash = (from(b',') ^ differs(b'\\')) & differs(b' ');
    let delete = low + ONES;
    (below_comma_or_backslash | within(low, b':', b'@') | delete | w) & TOPS
}

/// Not 0 if one of eight bytes is a blank.
#[inline]
pub(super) fn blanks(w: u64) -> u64 {
    let differs = ((w & !TOPS) ^ (ONES * u64::from(b' '))) + ONES * 0x7f;
    !(differs | w) & TOPS
}

#[inline]
fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Returns the length of the string token that `bytes` begins with.
pub(crate) fn string_token_len(bytes: &[u8]) -> usize {
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

/// Returns how many bytes of an escaped string fit into `max` without splitting a character or an escape.
pub(crate) fn escaped_prefix(text: &[u8], max: usize) -> usize {
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
