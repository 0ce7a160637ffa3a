//! The share of the receiver's buffer that a datagram takes, and that a burst may fill.
//!
//! Numbers only: the queue's `pacing` and `udp::pace` work with them.

use std::time::Duration;

/// `net.core.rmem_default` of Linux on 64-bit machines: 256 small datagrams, by its own counting.
pub(super) const DEFAULT: usize = 212_992;

/// The time in which a receiver is expected to read a burst of a buffer of that size.
///
/// 120 KB every 4 ms are some 20,000 documents of 600 bytes a second, or 13,000 of 1.5 KB: about what the daemon was
/// seen to read without loss while it shared two cores with everything else, and several times what it uploads. At
/// half of that, a reader that is kept waiting for 10 ms still loses nothing.
pub(super) const PERIOD: Duration = Duration::from_millis(4);

/// Returns how much of a buffer a burst fills at once.
///
/// Nine sixteenths leave room for a quarter that Linux gives back late (it credits a reader in steps of that size), and
/// let a run of 64 datagrams of a kilobyte each pass.
pub(super) fn burst(receive_buffer: usize) -> i64 {
    // Not more than a gibibyte, so that no product of it overflows.
    (receive_buffer.min(1 << 30) / 16 * 9).max(1) as i64
}

/// Returns the bytes that a datagram takes if it comes alone. Measured on Linux 6.18: the next power of two above its bytes
/// and some 345 more, and 256 on top.
pub(super) fn cost_alone(size: usize) -> usize {
    (size + 345).next_power_of_two() + 256
}

/// Returns the bytes that datagrams of a run take: each about 840 more than it has.
#[cfg(feature = "queued-emitter")]
pub(super) fn cost_in_run(count: usize, size: usize) -> usize {
    count * (size + 840)
}
