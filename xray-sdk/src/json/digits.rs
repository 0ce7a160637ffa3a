//! Decimal digits of numbers below 100,000,000, all at once: the times of a document are made of these, and most numbers
//! in its fields.

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

/// Returns the digits as [`decimal_digits`] does, out of line, so that the code stands once.
#[inline]
pub(crate) fn decimal_digits_apart(value: u32) -> [u8; 8] {
    #[inline(never)]
    fn called(value: u32) -> u64 {
        u64::from_le_bytes(decimal_digits(value))
    }
    called(value).to_le_bytes()
}

/// An HTTP status as its three digits.
#[inline]
pub(super) fn status_digits(status: u16) -> [u8; 3] {
    let [.., hundreds, tens, ones] = decimal_digits_apart(status.into());
    [hundreds, tens, ones]
}

/// A number below 10,000 with at most four decimals, as JSON. Most of those that people record are: prices, ratios,
/// milliseconds.
#[derive(Clone, Copy)]
pub(super) struct ShortDecimal {
    /// The digits before the point, the first in the lowest byte.
    whole: u32,
    whole_len: usize,
    fraction: u32,
    fraction_len: usize,
    is_negative: bool,
}

impl ShortDecimal {
    /// The room that [`write`](Self::write) needs: sign, digits and point.
    pub(super) const ROOM: usize = 1 + 4 + 1 + 4;

    /// Returns `None` for any other number. `-0.0` is one of those.
    #[inline]
    pub(super) fn of(value: f64) -> Option<Self> {
        let size = value.abs();
        // What is no number is not smaller either.
        let scaled = if size < 9_999.999_95 { size * 10_000.0 + 0.5 } else { return None };
        let units = scaled as u32;
        // The quotient is the number that the decimal stands for, and of eight digits there is no second decimal for it.
        let is_whole = f64::from(units) / 10_000.0 == size;
        if !is_whole || (units == 0 && value.is_sign_negative()) {
            return None;
        }
        let digits = u64::from_le_bytes(decimal_digits(units));
        let (whole, fraction) = (digits as u32, (digits >> 32) as u32);
        // One digit on either side of the point is written whatever it is.
        let leading = ((whole ^ ZEROS) | 1 << 24).trailing_zeros() / 8;
        let trailing = ((fraction ^ ZEROS) | 1).leading_zeros() / 8;
        Some(Self {
            whole: whole >> (8 * leading),
            whole_len: 4 - leading as usize,
            fraction,
            fraction_len: 4 - trailing as usize,
            is_negative: value < 0.0,
        })
    }

    /// Returns the length in bytes, at most [`ROOM`](Self::ROOM).
    #[inline]
    pub(super) fn len(self) -> usize {
        usize::from(self.is_negative) + self.whole_len.min(4) + 1 + self.fraction_len.min(4)
    }

    /// Writes the number to the beginning of `room`, with anything behind it.
    #[inline]
    pub(super) fn write(self, room: &mut [u8; Self::ROOM]) {
        let sign = usize::from(self.is_negative);
        // The bound is for the compiler, which then knows that all of this is within the room.
        let point = sign + self.whole_len.min(4);
        room[0] = b'-';
        room[sign..][..4].copy_from_slice(&self.whole.to_le_bytes());
        room[point] = b'.';
        room[point + 1..][..4].copy_from_slice(&self.fraction.to_le_bytes());
    }
}

/// Four digits of zero.
const ZEROS: u32 = 0x3030_3030;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn short(value: f64) -> Option<String> {
        let mut room = [0; ShortDecimal::ROOM];
        let decimal = ShortDecimal::of(value)?;
        decimal.write(&mut room);
        Some(std::str::from_utf8(&room[..decimal.len()]).unwrap().to_owned())
    }

    proptest! {
        #[test]
        fn a_short_decimal_is_what_serde_json_writes(units in -100_000_000_i64..100_000_000, places in 0..6_i32, any: f64) {
            for value in [units as f64 / 10_f64.powi(places), any] {
                if let Some(short) = short(value) {
                    prop_assert_eq!(short, serde_json::to_string(&value).unwrap());
                }
            }
        }
    }

    #[test]
    fn a_status_has_its_three_digits() {
        for status in 100..1_000 {
            assert_eq!(std::str::from_utf8(&status_digits(status)).unwrap(), status.to_string());
        }
    }

    #[test]
    fn numbers_with_few_decimals_are_short() {
        for (value, expected) in [
            (0.0, "0.0"),
            (0.1, "0.1"),
            (-0.1, "-0.1"),
            (12.5, "12.5"),
            (1_000.0, "1000.0"),
            (0.0001, "0.0001"),
            (-9_999.999_9, "-9999.9999"),
            (0.3, "0.3"),
        ] {
            assert_eq!(short(value).as_deref(), Some(expected));
        }
        for value in
            [-0.0, 0.1 + 0.2, 10_000.0, 9_999.999_95, 0.000_01, f64::NAN, f64::INFINITY, f64::MIN_POSITIVE]
        {
            assert_eq!(short(value), None, "{value}");
        }
    }
}
