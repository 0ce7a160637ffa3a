//! Decimal digits of numbers below 100,000,000, all at once: the times of a document are made of these.

/// A number below 100,000,000 as eight digits, all at once: halves of four, then of two, then of one digit lie
/// side by side in one word. The divisions by 100 and 10 are multiplications by 10,486 / 2^20 and
/// 103 / 2^10, exact for numbers below 10,000 and below 100.
#[inline]
pub(crate) fn decimal_digits(value: u32) -> [u8; 8] {
    let fours = u64::from(value / 10_000) | u64::from(value % 10_000) << 32;
    let hundreds = ((fours * 10_486) >> 20) & 0x7f_0000_007f;
    let twos = hundreds | (fours - hundreds * 100) << 16;
    let tens = ((twos * 103) >> 10) & 0x0f_000f_000f_000f;
    let ones = tens | (twos - tens * 10) << 8;
    (ones + 0x3030_3030_3030_3030).to_le_bytes()
}
