//! Hex digits into numbers and back. The ids and `traceparent` are written with this; nothing here knows how
//! long an id is.

/// Writes `bytes` as lower-case digits. `digits` is twice as long.
#[inline]
pub(super) fn encode(bytes: &[u8], digits: &mut [u8]) {
    for (byte, pair) in bytes.iter().zip(digits.as_chunks_mut::<2>().0) {
        *pair = PAIRS[usize::from(*byte)];
    }
}

/// Reads at most 16 digits of either case.
#[inline]
pub(super) fn decode(digits: &[u8]) -> Option<u64> {
    // Looked at once, at the end: digits are nearly always digits.
    let mut seen = 0;
    let number = digits.iter().fold(0, |number, digit| {
        let value = VALUES[usize::from(*digit)];
        seen |= value;
        number << 4 | u64::from(value)
    });
    (seen != NO_DIGIT).then_some(number)
}

/// Text that we wrote ourselves, out of digits and dashes.
pub(super) fn ascii(text: &[u8]) -> &str {
    // It is ASCII, so this can't fail; if it did, no text is better than a panic.
    std::str::from_utf8(text).unwrap_or_default()
}

/// Both digits of every byte: one load and one store per byte, ten times as fast as `write!("{:x}")`.
static PAIRS: [[u8; 2]; 256] = {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [DIGITS[byte >> 4], DIGITS[byte & 15]];
        byte += 1;
    }
    pairs
};

/// The value of every digit, and [`NO_DIGIT`] for all other bytes.
static VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        let digit = PAIRS[value as usize][1];
        values[digit as usize] = value;
        values[digit.to_ascii_uppercase() as usize] = value;
        value += 1;
    }
    values
};

/// All bits are set, so that it outlasts every digit it is ORed with.
const NO_DIGIT: u8 = 0xff;
