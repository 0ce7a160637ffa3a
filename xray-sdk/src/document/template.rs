//! Beginnings of documents that have a fixed length: one copy each, with an id and two times written into it, where
//! token by token it would be ten.

use std::ops::Range;

use crate::id::{SegmentId, TraceId};
use crate::json::{Buffer, decimal_digits};

/// Appends a template that begins with `{"id":"…"`, as each document does, with the id's digits in it.
#[inline]
pub(super) fn put_head<const N: usize>(out: &mut Buffer, head: &[u8; N], id: SegmentId) {
    let digits = id.encode_apart();
    let out = out.bytes_mut();
    out.extend_from_slice(head);
    if let Some(head) = out.last_chunk_mut::<N>() {
        head[ID_DIGITS].copy_from_slice(&digits);
    }
}

/// Appends the head of a document that names its trace.
#[inline]
pub(super) fn put_head_in(out: &mut Buffer, id: SegmentId, trace_id: TraceId) {
    let mut head = *HEAD_IN_TRACE;
    head[TRACE_ID..TRACE_ID + TraceId::LEN].copy_from_slice(&trace_id.encode());
    put_head(out, &head, id);
}

/// Appends a template that begins as [`TIMES`] does, with start and end in it, in microseconds.
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
        for (at, [_, _, fraction @ ..]) in [START, END].into_iter().zip(fractions) {
            times[at..at + 8].copy_from_slice(&first);
            times[at + 8..at + 10].copy_from_slice(&[tens, ones]);
            times[at + 11..at + 17].copy_from_slice(&fraction);
        }
        out.put_bytes(&times);
    } else {
        put_times_by_token(out, start, end);
        out.put_bytes(&times[TIMES.len()..]);
    }
}

/// Appends what [`TIMES`] stands for, of any length: the form that the template has to agree with.
fn put_times_by_token(out: &mut Buffer, start: u64, end: u64) {
    out.put("\",\"start_time\":");
    out.put_micros(start);
    out.put(",\"end_time\":");
    out.put_micros(end);
}

/// An embedded document's first bytes, with room for its id.
pub(super) const HEAD: &[u8; 24] = b"{\"id\":\"________________\"";

const HEAD_IN_TRACE: &[u8; 73] =
    b"{\"id\":\"________________\",\"trace_id\":\"___________________________________\"";

/// The end of a name, and when its work began and ended.
pub(super) const TIMES: &[u8; 61] = b"\",\"start_time\":__________.______,\"end_time\":__________.______";

/// A document's two times, and the beginning of metadata.
pub(super) const TIMES_AND_METADATA: &[u8; 85] =
    b"\",\"start_time\":__________.______,\"end_time\":__________.______,\"metadata\":{\"default\":{";

/// The range of an id's digits in a document.
pub(super) const ID_DIGITS: Range<usize> = {
    let start = blank(HEAD, 0);
    start..start + SegmentId::LEN
};

const TRACE_ID: usize = blank(HEAD_IN_TRACE, ID_DIGITS.end);
pub(super) const START: usize = blank(TIMES, 0);
pub(super) const END: usize = blank(TIMES, START + "__________.______".len());

/// Returns the place of the first blank at or after `from`. A template without one does not compile.
const fn blank(template: &[u8], from: usize) -> usize {
    let mut at = from;
    // `start_time` has an underscore, too: blanks come in runs.
    while !(template[at] == b'_' && template[at + 1] == b'_') {
        at += 1;
    }
    at
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
        fn the_template_says_what_the_tokens_say(start in 0_u64..20_000_000_000_000_000, lasted in 0_u64..3_000_000) {
            let end = start + lasted;
            let by_token = written(|out| put_times_by_token(out, start, end));
            prop_assert_eq!(written(|out| put_times(out, *TIMES, start, end)), by_token);
        }

        #[test]
        fn times_are_exact_within_a_second_and_beyond(start in 0_u64..20_000_000_000_000_000, lasted in 0_u64..3_000_000) {
            let micros = |m: u64| format!("{}.{:06}", m / 1_000_000, m % 1_000_000);
            let text = written(|b| put_times(b, *b"\",\"start_time\":__________.______,\"end_time\":__________.______,", start, start + lasted));
            let expected = format!("\",\"start_time\":{},\"end_time\":{},", micros(start), micros(start + lasted));
            prop_assert_eq!(text, expected);
        }

        #[test]
        fn ids_stand_in_the_blanks(id: u64, trace_id: u128) {
            let (id, trace_id) = (SegmentId::from(id), TraceId::from(trace_id));
            prop_assert_eq!(written(|out| put_head(out, HEAD, id)), format!("{{\"id\":\"{id}\""));
            let expected = format!("{{\"id\":\"{id}\",\"trace_id\":\"{trace_id}\"");
            prop_assert_eq!(written(|out| put_head_in(out, id, trace_id)), expected);
        }
    }
}
