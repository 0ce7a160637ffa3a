//! [`Batch`]: which packets are sent together, and how they are made equal. Sizes and bytes only; nothing is sent here.
//! Used by the queue's sender, and by the emitter without a queue for documents that it is given together.
//!
//! The kernel cuts a run into datagrams of one size, of which only the last may be shorter. So the others are filled
//! up with blanks, inside the header line: the daemon reads that line as JSON and throws it away.
//!
//! ```text
//!  {"format":"json","version":1}⏎{"id":...,"name":"a longer one"}
//!  {"format":"json","version":1        }⏎{"id":...,"name":"short"}
//! ```

use crate::daemon::Packet;
use crate::daemon::receive_buffer::{cost_alone, cost_in_run};

/// The packets that are sent together, each in a datagram of `size` bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::daemon) struct Batch {
    pub(in crate::daemon) count: usize,
    pub(in crate::daemon) size: usize,
}

impl Batch {
    /// Returns the bytes that the batch occupies in the receiver's buffer.
    pub(in crate::daemon) fn cost(self) -> usize {
        match self.count {
            0 | 1 => cost_alone(self.size),
            count => cost_in_run(count, self.size),
        }
    }
}

/// Returns how many of the packets with these lengths are sent together, beginning with the first.
///
/// A run is one payload until the kernel cuts it, so [`LARGEST`] bounds it as a whole. `largest` is the size up to
/// which there are runs, `most_cost` what the receiver can be given at once.
pub(in crate::daemon) fn next_batch(
    mut lengths: impl Iterator<Item = usize>,
    largest: usize,
    most_cost: usize,
) -> Batch {
    let Some(first) = lengths.next() else { return Batch { count: 0, size: 0 } };
    let mut batch = Batch { count: 1, size: first };
    let mut shortest = first;
    if first > largest {
        return batch;
    }
    for next in lengths {
        let (less, more) = (shortest.min(next), batch.size.max(next));
        let longer = Batch { count: batch.count + 1, size: more };
        let fits = longer.count <= MOST_DATAGRAMS
            && longer.count * more <= LARGEST
            && longer.cost() <= most_cost
            && more <= largest;
        if !fits {
            break;
        }
        if more - less > (less / 4).max(BLANKS_FOR_FREE) {
            // One that is too short to be filled up may still be the last.
            if next <= batch.size {
                batch = longer;
            }
            break;
        }
        (batch, shortest) = (longer, less);
    }
    batch
}

/// Writes a run: all but the last are filled up to `batch`'s size.
pub(in crate::daemon) fn write_run<'a>(
    run: &mut Vec<u8>,
    packets: impl Iterator<Item = &'a [u8]>,
    batch: Batch,
) {
    run.clear();
    for (at, packet) in packets.take(batch.count).enumerate() {
        let split = HEADER_SPLIT.min(packet.len());
        run.extend_from_slice(packet.get(..split).unwrap_or_default());
        if at + 1 < batch.count {
            run.resize(run.len() + batch.size.saturating_sub(packet.len()), b' ');
        }
        run.extend_from_slice(packet.get(split..).unwrap_or_default());
    }
}

/// Blanks are inserted in front of the header's closing brace.
const HEADER_SPLIT: usize = Packet::HEADER.len() - "}\n".len();

/// The kernel's bound on a run (`UDP_MAX_SEGMENTS`).
const MOST_DATAGRAMS: usize = 64;

/// Packets that differ by less than a quarter are made equal, and by less than this in any case: more bytes than that
/// are taken at the receiver by a datagram that has none, and sending one alone takes as long as writing thousands.
const BLANKS_FOR_FREE: usize = 512;

/// The largest UDP/IPv4 payload: 65,535 less the headers of IP and UDP.
pub(in crate::daemon) const LARGEST: usize = 65_535 - 20 - 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn plans(lengths: &[usize]) -> Vec<(usize, usize)> {
        let mut rest = lengths;
        std::iter::from_fn(|| {
            let batch = next_batch(rest.iter().copied(), usize::MAX, usize::MAX);
            rest = &rest[batch.count..];
            (batch.count > 0).then_some((batch.count, batch.size))
        })
        .collect()
    }

    #[test]
    fn packets_of_about_one_size_go_together() {
        for (lengths, expected) in [
            (&[][..], &[][..]),
            (&[600], &[(1, 600)]),
            (&[600, 600, 600], &[(3, 600)]),
            (&[600, 700, 500], &[(3, 700)]),
            // 512 more are for free, and a quarter of the shortest is.
            (&[600, 1112], &[(2, 1112)]),
            (&[600, 1113], &[(1, 600), (1, 1113)]),
            (&[4000, 5000], &[(2, 5000)]),
            (&[4000, 5001], &[(1, 4000), (1, 5001)]),
            (&[5000, 4400, 5600], &[(2, 5000), (1, 5600)]),
            // The last one may be as short as it likes.
            (&[4000, 4000, 100, 4000], &[(3, 4000), (1, 4000)]),
            (&[100, 4000, 100], &[(1, 100), (2, 4000)]),
            (&[60_000, 60_000], &[(1, 60_000), (1, 60_000)]),
            (&[32_000, 32_000, 32_000], &[(2, 32_000), (1, 32_000)]),
        ] {
            assert_eq!(plans(lengths), expected, "{lengths:?}");
        }
        assert_eq!(plans(&[300; 130]), [(64, 300), (64, 300), (2, 300)]);
        assert_eq!(plans(&[1024; 64]), [(63, 1024), (1, 1024)], "65,507 bytes hold 63");
    }

    #[test]
    fn a_run_keeps_within_its_limits() {
        let lengths = || std::iter::repeat_n(2000, 64);
        assert_eq!(next_batch(lengths(), 1999, usize::MAX).count, 1);
        assert_eq!(next_batch(lengths(), 2000, usize::MAX).count, 32);
        let least = next_batch(lengths(), 2000, 30_000);
        assert_eq!((least.count, least.cost()), (10, 28_400));
    }

    #[test]
    fn costs_bound_what_was_measured() {
        // Size, and how many of them fit into 212,992 bytes: alone, and in runs.
        for (size, alone, in_runs) in [
            (100, 256, 242),
            (167, 256, 234),
            (400, 166, 172),
            (600, 166, 148),
            (700, 92, 139),
            (1000, 92, 116),
            (2000, 48, 75),
            (4000, 25, 44),
            (8000, 12, 24),
        ] {
            for (count, fitting) in [(1, alone), (64, in_runs)] {
                let cost = Batch { count, size }.cost() / count;
                let measured = 212_992 / fitting;
                assert!(
                    cost >= measured * 9 / 10 && cost <= measured * 13 / 10,
                    "{size}: {cost}, {measured}"
                );
            }
        }
    }

    #[test]
    fn blanks_go_into_the_header_line_and_the_document_stays() {
        let packet = |document: &str| format!("{}{document}", Packet::HEADER).into_bytes();
        let packets = [packet("{\"a\":1}"), packet("{\"a\":123}"), packet("{}")];
        let batch = next_batch(packets.iter().map(Vec::len), usize::MAX, usize::MAX);
        let mut run = Vec::new();
        write_run(&mut run, packets.iter().map(Vec::as_slice), batch);
        assert_eq!(
            run.chunks(batch.size).map(|packet| str::from_utf8(packet).unwrap()).collect::<Vec<_>>(),
            [
                "{\"format\":\"json\",\"version\":1  }\n{\"a\":1}",
                "{\"format\":\"json\",\"version\":1}\n{\"a\":123}",
                "{\"format\":\"json\",\"version\":1}\n{}",
            ]
        );
    }
}
