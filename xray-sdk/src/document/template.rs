//! Beginnings of documents that have a fixed length: one copy each, with an id and two times written into it, where
//! token by token it would be ten.

use crate::id::{SegmentId, TraceId};
use crate::json::{Buffer, decimal_digits};

/// Appends a text of fixed length with an id's digits in it: each document begins with `{"id":"…"`.
#[inline]
pub(super) fn put_head<const N: usize>(out: &mut Buffer, mut head: [u8; N], id: SegmentId) {
    head[ID_DIGITS].copy_from_slice(&id.encode());
    out.put_bytes(&head);
}

/// The same, of a document that says which trace it belongs to.
#[inline]
pub(super) fn put_head_in(out: &mut Buffer, id: SegmentId, trace_id: TraceId) {
    const TRACE_ID: usize = "{\"id\":\"________________\",\"trace_id\":\"".len();
    let mut head = *b"{\"id\":\"________________\",\"trace_id\":\"___________________________________\"";
    head[TRACE_ID..TRACE_ID + TraceId::LEN].copy_from_slice(&trace_id.encode());
    put_head(out, head, id);
}

/// Appends a text of fixed length that begins as [`TIMES`] does, with start and end in it.
#[inline]
pub(super) fn put_times<const N: usize>(out: &mut Buffer, mut times: [u8; N], start: u64, end: u64) {
    let seconds = start / 1_000_000;
    let end_fraction = end.wrapping_sub(seconds * 1_000_000);
    // Ten digits from 2001 to 2286, and most work is done within the second it began in.
    if (1_000_000_000..10_000_000_000).contains(&seconds) && end_fraction < 1_000_000 {
        let first = decimal_digits((seconds / 100) as u32);
        let [.., tens, ones] = decimal_digits((seconds % 100) as u32);
        let fractions = [start - seconds * 1_000_000, end_fraction].map(|f| decimal_digits(f as u32));
        // One copy instead of ten: each looks whether there is room.
        for (at, [_, _, fraction @ ..]) in [15, 44].into_iter().zip(fractions) {
            times[at..at + 8].copy_from_slice(&first);
            times[at + 8..at + 10].copy_from_slice(&[tens, ones]);
            times[at + 11..at + 17].copy_from_slice(&fraction);
        }
        out.put_bytes(&times);
    } else {
        out.put("\",\"start_time\":");
        out.put_micros(start);
        out.put(",\"end_time\":");
        out.put_micros(end);
        out.put_bytes(&times[TIMES.len()..]);
    }
}

/// Where an id's digits are in a document.
pub(super) const ID_DIGITS: std::ops::Range<usize> = 7..23;

/// The end of a name, and when its work began and ended.
pub(super) const TIMES: &[u8; 61] = b"\",\"start_time\":__________.______,\"end_time\":__________.______";

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
        fn times_are_exact_within_a_second_and_beyond(start in 0_u64..20_000_000_000_000_000, lasted in 0_u64..3_000_000) {
            let micros = |m: u64| format!("{}.{:06}", m / 1_000_000, m % 1_000_000);
            let text = written(|b| put_times(b, *b"\",\"start_time\":__________.______,\"end_time\":__________.______,", start, start + lasted));
            let expected = format!("\",\"start_time\":{},\"end_time\":{},", micros(start), micros(start + lasted));
            prop_assert_eq!(text, expected);
        }
    }
}
