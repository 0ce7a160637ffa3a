//! Hex digits into numbers and back. The ids and `traceparent` are written with this; nothing here knows how
//! long an id is.

/// The sixteen lower-case digits of a number.
///
/// Word arithmetic instead of a table: the digits come about in two registers, and go from there to wherever
/// they are written. Through a table they would be stored in pairs and loaded in one piece, for which a CPU
/// has to wait.
#[inline]
pub(super) fn encode(number: u64) -> [u8; 16] {
    let [first, last] = words(number);
    (u128::from(last) << 64 | u128::from(first)).to_le_bytes()
}

/// Encodes as [`encode`] does, out of line: for ids of which a span has few, so that the code stands once.
#[inline]
pub(super) fn encode_apart(number: u64) -> [u8; 16] {
    #[inline(never)]
    fn called(number: u64) -> u128 {
        u128::from_le_bytes(encode(number))
    }
    called(number).to_le_bytes()
}

/// The digits in two words, the first in the lowest byte.
#[inline]
fn words(number: u64) -> [u64; 2] {
    [(number >> 32) as u32, number as u32].map(|half| hex_digits(half).swap_bytes())
}

#[inline]
fn hex_digits(number: u32) -> u64 {
    // One digit in each byte, the first in the highest.
    let mut x = u64::from(number);
    x = (x << 16 | x) & 0x0000_ffff_0000_ffff;
    x = (x << 8 | x) & 0x00ff_00ff_00ff_00ff;
    x = (x << 4 | x) & 0x0f0f_0f0f_0f0f_0f0f;
    // `a` comes 39 after `9` and its like: one bit per byte for digits above nine.
    let letters = ((x + 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101;
    x + 0x3030_3030_3030_3030 + letters * 39
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
    // Hex digits are ASCII, so this can't fail; if it did, no text is better than a panic.
    std::str::from_utf8(text).unwrap_or_default()
}

/// The value of every digit, and [`NO_DIGIT`] for all other bytes.
static VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        let digit = b"0123456789abcdef"[value as usize];
        values[digit as usize] = value;
        values[digit.to_ascii_uppercase() as usize] = value;
        value += 1;
    }
    values
};

/// All bits are set, so that it outlasts every digit it is ORed with.
const NO_DIGIT: u8 = 0xff;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn digits_are_those_of_the_number(number in any::<u64>()) {
            let digits = encode(number);
            prop_assert_eq!(ascii(&digits), format!("{number:016x}"));
            prop_assert_eq!(decode(&digits), Some(number));
        }
    }
}
