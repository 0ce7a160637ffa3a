//! Counts of response times per millisecond, as the `*_minutes` tables hold them.
//!
//! The bytes are pairs in ascending order: the distance from the value before, and the count, each as a LEB128
//! number. Values are whole milliseconds up to ten seconds; longer ones are kept to four digits, which bounds a
//! histogram whatever arrives.

use std::collections::BTreeMap;

/// Counts by milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram(BTreeMap<i64, i64>);

impl Histogram {
    /// Counts a value in milliseconds. A negative count takes values away.
    pub fn add(&mut self, milliseconds: i64, count: i64) {
        let value = coarse(milliseconds.max(0));
        let sum = self.0.entry(value).or_default();
        *sum += count;
        if *sum == 0 {
            self.0.remove(&value);
        }
    }

    /// Adds the counts of another histogram.
    pub fn merge(&mut self, other: &Self) {
        for (&value, &count) in &other.0 {
            self.add(value, count);
        }
    }

    /// Values in milliseconds with their counts, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = (i64, i64)> {
        self.0.iter().map(|(&value, &count)| (value, count))
    }

    /// Reports whether nothing is counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads a column. Bytes that are no histogram give what can be read of them.
    #[must_use]
    pub fn from_bytes(mut bytes: &[u8]) -> Self {
        let (mut histogram, mut value) = (Self::default(), 0_i64);
        while let Some((distance, count)) = read(&mut bytes).zip(read(&mut bytes)) {
            value = value.saturating_add(distance);
            histogram.0.insert(value, count);
        }
        histogram
    }

    /// Writes a column. Counts below one are left out.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let (mut bytes, mut before) = (Vec::with_capacity(self.0.len() * 3), 0);
        for (&value, &count) in self.0.iter().filter(|(_, count)| **count > 0) {
            write(&mut bytes, value - before);
            write(&mut bytes, count);
            before = value;
        }
        bytes
    }
}

/// A value of more than ten seconds, to four digits.
fn coarse(milliseconds: i64) -> i64 {
    let mut unit = 1;
    while milliseconds / unit >= 10_000 {
        unit *= 10;
    }
    milliseconds / unit * unit
}

fn write(bytes: &mut Vec<u8>, number: i64) {
    let mut rest = number.max(0) as u64;
    while rest >= 0x80 {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
}

fn read(bytes: &mut &[u8]) -> Option<i64> {
    let mut number = 0_u64;
    for shift in (0..63).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return i64::try_from(number).ok();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_survive_the_column() {
        let mut histogram = Histogram::default();
        for (value, count) in
            [(0, 3), (1, 1), (127, 2), (128, 5), (9_999, 1), (123_456, 1), (123_459, 1), (-4, 1)]
        {
            histogram.add(value, count);
        }
        let pairs: Vec<_> = histogram.iter().collect();
        assert_eq!(pairs, [(0, 4), (1, 1), (127, 2), (128, 5), (9_999, 1), (123_400, 2)]);
        assert_eq!(Histogram::from_bytes(&histogram.to_bytes()), histogram);
        histogram.add(127, -2);
        assert_eq!(histogram.iter().count(), 5);
        let _ = Histogram::from_bytes(&[0xff; 40]);
    }
}
