//! Members that are short and need no escapes, appended as one block: key, value and comma.
//!
//! A block has a fixed length, so that it is copied by a few words and looked at for room once. What follows the
//! member in it is cut off again.

use super::buffer::Buffer;
use super::digits::{ShortDecimal, decimal_digits};
use super::escape::{blanks, unbland};

/// A key made ready to be copied as a block, with room for a short value behind it.
#[derive(Clone, Debug)]
pub(crate) struct MemberKey {
    /// `"key":"`, and zeros.
    block: [u8; BLOCK],
    /// The length without the last quote, which only a string takes.
    len: usize,
}

impl MemberKey {
    /// Makes a key ready, `"key":` for instance. Returns `None` if it is longer than 24 bytes.
    #[must_use]
    pub(crate) fn new(ready: &str) -> Option<Self> {
        let mut block = [0; BLOCK];
        block[..MAX_KEY].get_mut(..ready.len())?.copy_from_slice(ready.as_bytes());
        block[ready.len()] = b'"';
        Some(Self { block, len: ready.len() })
    }

    /// Returns the length of the ready key.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }
}

impl Buffer {
    /// Returns whether a block fits without growing.
    #[inline(always)]
    pub(crate) fn has_room_for_member(&self) -> bool {
        self.capacity() - self.len() >= BLOCK
    }

    /// Makes room for a block; in a buffer that never had any, for a few, and for no more.
    pub(crate) fn make_room_for_member(&mut self) {
        if self.capacity() == 0 {
            self.bytes_mut().reserve_exact(FIRST_ROOM);
        }
        self.reserve(BLOCK);
    }

    /// Appends a member and a comma, if its value is a string of at most 16 bytes that are all
    /// [bland](unbland), and too short for a word with a token behind it, or one word. Otherwise appends nothing and
    /// returns `false`.
    #[inline(always)]
    pub(crate) fn put_bland_member(&mut self, key: &MemberKey, text: &str) -> bool {
        let bytes = text.as_bytes();
        let len = bytes.len();
        let (word, seen) = match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
            (Some(first), Some(last)) if len <= MAX_TEXT => {
                let (first, last) = (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
                let word = u128::from(first) | u128::from(last) << (8 * (len - 8));
                let blanks = if len >= MIN_TOKEN { blanks(first) | blanks(last) } else { 0 };
                (word, unbland(first) | unbland(last) | blanks)
            }
            (None, None) => {
                let Some(word) = word_of(bytes) else { return false };
                // What a short string has not is as bland as a letter.
                let rest = (u64::MAX << (8 * len)) & u64::from_le_bytes([b'a'; 8]);
                (u128::from(word), unbland(word | rest))
            }
            _ => return false,
        };
        if seen != 0 {
            return false;
        }
        // The bounds are for the compiler, which then knows that all of this is within the block.
        let (at, len) = (key.len.min(MAX_KEY) + 1, len.min(MAX_TEXT));
        self.put_block(key, at + len + 2, |room| {
            room[at..][..MAX_TEXT].copy_from_slice(&word.to_le_bytes());
            room[at + len..][..2].copy_from_slice(b"\",");
        });
        true
    }

    /// Appends a member and a comma. Its value is a string of any length that needs no escapes.
    #[inline(always)]
    pub(crate) fn put_unescaped_member(&mut self, key: &MemberKey, text: &str) {
        self.put_block(key, key.len.min(MAX_KEY) + 1, |_| ());
        self.put_row(text.as_bytes());
        self.put("\",");
    }

    /// Appends a member and a comma, if its value has at most eight digits. Otherwise appends nothing and returns
    /// `false`.
    #[inline(always)]
    pub(crate) fn put_small_member(&mut self, key: &MemberKey, value: i64) -> bool {
        let size = value.unsigned_abs();
        if size >= 100_000_000 {
            return false;
        }
        let digits = u64::from_le_bytes(decimal_digits(size as u32));
        // The last digit is written whatever it is.
        let zeros = ((digits ^ 0x3030_3030_3030_3030) | 1 << 56).trailing_zeros() / 8;
        let (sign, len) = (usize::from(value < 0), 8 - zeros.min(7) as usize);
        let at = key.len.min(MAX_KEY);
        self.put_block(key, at + sign + len + 1, |room| {
            room[at] = b'-';
            room[at + sign..][..8].copy_from_slice(&(digits >> (8 * zeros)).to_le_bytes());
            room[at + sign + len] = b',';
        });
        true
    }

    /// Appends a member and a comma, if its value is below 10,000 and has at most four decimals. Otherwise appends nothing
    /// and returns `false`.
    #[inline(always)]
    pub(crate) fn put_decimal_member(&mut self, key: &MemberKey, value: f64) -> bool {
        let Some(decimal) = ShortDecimal::of(value) else { return false };
        let at = key.len.min(MAX_KEY);
        let len = decimal.len();
        self.put_block(key, at + len + 1, |room| {
            if let Some(text) = room[at..].first_chunk_mut() {
                decimal.write(text);
            }
            room[at + len] = b',';
        });
        true
    }

    /// Appends a member and a comma: `true` or `false`.
    #[inline(always)]
    pub(crate) fn put_flag_member(&mut self, key: &MemberKey, value: bool) {
        let text = if value { *b"true,," } else { *b"false," };
        let at = key.len.min(MAX_KEY);
        self.put_block(key, at + text.len() - usize::from(value), |room| {
            room[at..][..text.len()].copy_from_slice(&text);
        });
    }

    #[inline(always)]
    fn put_block(&mut self, key: &MemberKey, len: usize, fill: impl FnOnce(&mut [u8; BLOCK])) {
        let bytes = self.bytes_mut();
        let start = bytes.len();
        bytes.extend_from_slice(&key.block);
        if let Some(block) = bytes.last_chunk_mut() {
            fill(block);
        }
        bytes.truncate(start + len);
    }
}

/// Room for a few short members, with the rest of the last one's block.
const FIRST_ROOM: usize = 72;

/// Up to seven bytes as one word, the first in the lowest; `None` without any.
#[inline(always)]
fn word_of(bytes: &[u8]) -> Option<u64> {
    let len = bytes.len();
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        return Some(u64::from(first) | u64::from(last) << (8 * (len - 4)));
    }
    // Of three bytes or less, the first, the middle one and the last are all.
    let (first, last) = (u64::from(*bytes.first()?), u64::from(*bytes.last()?));
    let middle = u64::from(*bytes.get(len / 2)?);
    Some(first | middle << (8 * (len / 2)) | last << (8 * (len - 1)))
}

const MAX_KEY: usize = 24;
const MAX_TEXT: usize = 16;

/// The length of the shortest text that shows a token: `Bearer`, a blank, and six characters.
const MIN_TOKEN: usize = 13;

/// The longest key, two quotes, the longest value, and a comma.
const BLOCK: usize = MAX_KEY + 1 + MAX_TEXT + 3;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn by_token(key: &str, value: impl FnOnce(&mut Buffer)) -> String {
        let mut buffer = Buffer::new();
        buffer.put("before,");
        buffer.put(key);
        value(&mut buffer);
        buffer.put(",");
        buffer.as_str().to_owned()
    }

    fn by_block(key: &str, put: impl FnOnce(&mut Buffer, &MemberKey) -> bool) -> Option<String> {
        let mut buffer = Buffer::new();
        buffer.put("before,");
        let key = MemberKey::new(key)?;
        let done = put(&mut buffer, &key);
        assert!(done || buffer.as_str() == "before,");
        done.then(|| buffer.as_str().to_owned())
    }

    proptest! {
        #[test]
        fn a_block_is_what_its_tokens_are(key in "\"[a-z.]{0,40}\":", text in "[a-zA-Z0-9 _./-]{0,20}|.{0,20}", number: i64, shift in 0_u32..64, flag: bool) {
            let number = number >> shift;
            let may_be_token = text.len() >= MIN_TOKEN && text.contains(' ');
            if let Some(block) = by_block(&key, |out, key| out.put_bland_member(key, &text)) {
                prop_assert!(!may_be_token);
                prop_assert_eq!(block, by_token(&key, |out| out.put_string(&text)));
            } else {
                let is_bland = |b: u8| unbland(u64::from_le_bytes([b; 8])) == 0;
                let is_short = !text.is_empty() && text.len() <= MAX_TEXT && text.bytes().all(is_bland);
                prop_assert!(key.len() > MAX_KEY || may_be_token || !is_short);
            }
            if let Some(block) = by_block(&key, |out, key| out.put_small_member(key, number)) {
                prop_assert_eq!(block, by_token(&key, |out| out.put_int(number)));
            } else {
                prop_assert!(key.len() > MAX_KEY || number.unsigned_abs() >= 100_000_000);
            }
            for value in [number as f64, (number % 100_000_000) as f64 / 10_000.0] {
                if let Some(block) = by_block(&key, |out, key| out.put_decimal_member(key, value)) {
                    prop_assert_eq!(block, by_token(&key, |out| assert!(out.put_float(value))));
                }
            }
            let block = by_block(&key, |out, key| {
                out.put_flag_member(key, flag);
                true
            });
            prop_assert!(block.is_none_or(|block| block == by_token(&key, |out| out.put_bool(flag))));
        }
    }

    #[test]
    fn numbers_at_the_bounds_are_right() {
        for number in [0, 1, -1, 9, 10, -10, 99_999_999, -99_999_999] {
            let block = by_block("\"n\":", |out, key| out.put_small_member(key, number));
            assert_eq!(block, Some(format!("before,\"n\":{number},")));
        }
        for number in [100_000_000, -100_000_000, i64::MAX, i64::MIN] {
            assert_eq!(by_block("\"n\":", |out, key| out.put_small_member(key, number)), None);
        }
    }
}
