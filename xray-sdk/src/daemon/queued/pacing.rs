//! [`Pacer`]: how fast the receiver may be given more, and how long the sender naps until that is worth it.
//!
//! Arithmetic on times that are arguments; the sender naps.
//!
//! A sender of UDP can't learn in general how full the receiver's buffer is, so this is a guess on the safe side: at once
//! no more than part of the buffer, and then no faster than the daemon reads. When the queue itself runs full, being
//! careful is no use any more, for what is not lost there is lost here. So the fuller it is, the faster it goes.
//!
//! Where the kernel says how full the buffer is (`udp::gauge`), it is asked once the guess is used up. The kernel's
//! reply can spare a nap. The reply never delays what the guess allows: a receiver that has stopped is no reason to keep
//! documents.

use std::time::Duration;

use crate::daemon::receive_buffer::{PERIOD, burst};
use crate::daemon::udp::Level;

pub(super) struct Pacer {
    /// Bytes of the receiver's buffer that may be filled at once.
    depth: i64,
    /// Those that the receiver is expected to read in a period: the depth by the guess, without the kernel's word.
    rate: i64,
    /// Those that may be filled now. Less than none after what was let go a little early.
    left: i64,
    /// The time when `left` was computed.
    then: Duration,
}

impl Pacer {
    /// Creates a pacer for a receiver with a buffer of `receive_buffer` bytes.
    pub(super) fn new(receive_buffer: usize, now: Duration) -> Self {
        let depth = burst(receive_buffer);
        Self { depth, rate: depth, left: depth, then: now }
    }

    /// Returns whether what may be filled now is too little for a send, so that it is worth asking for the level.
    pub(super) fn is_used_up(&mut self, fill: u32, now: Duration) -> bool {
        self.refill(period(fill), now);
        self.left < self.depth / LEAST_PART
    }

    /// Takes the kernel's word for the buffer's size, and for what is free of it if that is more than was guessed.
    pub(super) fn learn(&mut self, level: Level) {
        self.depth = burst(level.size);
        self.left = self.left.max(self.depth - level.used as i64).min(self.depth);
    }

    /// Goes back to the guess: the receiver that the kernel spoke of is gone, or is not the one that is sent to any more.
    pub(super) fn forget(&mut self) {
        self.depth = self.rate;
        self.left = self.left.min(self.depth);
    }

    /// Returns how much to plan for the next send: what may be filled now, if that is worth a send, else the most that is
    /// ever allowed at once, for which the sender waits.
    ///
    /// So the sender naps once per depth, not once per run: it wakes up to cold caches.
    pub(super) fn room(&mut self, fill: u32, now: Duration) -> usize {
        if self.is_used_up(fill, now) { self.most() as usize } else { self.left as usize }
    }

    /// Takes `cost` from what may be filled now, or says how long to wait before asking again. `fill` is how full
    /// the queue is, in 1,024ths.
    pub(super) fn admit(&mut self, cost: usize, fill: u32, now: Duration) -> Result<(), Duration> {
        let period = period(fill);
        self.refill(period, now);
        // More than all that there is goes when there is all.
        let cost = self.most().min(cost as i64);
        let missing = cost - self.left;
        // Rounded up: what comes back is rounded down.
        let wait =
            Duration::from_nanos((missing.max(0) * nanos(period) + self.rate - 1) as u64 / self.rate as u64);
        if wait > SHORTEST_NAP {
            return Err(wait);
        }
        self.left -= cost;
        Ok(())
    }

    /// Returns the most that is waited for: all of the guess, which comes back in a period. A larger buffer is given more only
    /// while that is there.
    fn most(&self) -> i64 {
        self.rate.max(self.left).min(self.depth)
    }

    /// Returns how long to nap after `came` bytes came `within` a time: until a burst is there, at most `longest`.
    pub(super) fn nap(&self, came: usize, within: Duration, longest: Duration) -> Duration {
        let bursts = came as f64 / (self.rate * GATHERED).min(self.depth) as f64;
        let nap = Duration::try_from_secs_f64(within.as_secs_f64() / bursts).unwrap_or(longest);
        nap.clamp(SHORTEST_GATHERING.min(longest), longest)
    }

    /// Adds what came back since the last time.
    fn refill(&mut self, period: Duration, now: Duration) {
        // No buffer is more than some hundred times what is read in a period.
        let passed = now.saturating_sub(self.then).min(LONGEST_REFILL);
        let again = (self.rate * nanos(passed)).checked_div(nanos(period)).unwrap_or(self.depth * 2);
        self.left = (self.left + again).min(self.depth);
        self.then = now;
    }
}

/// Returns the nanoseconds of a time that is not longer than [`LONGEST_REFILL`].
fn nanos(time: Duration) -> i64 {
    time.as_nanos() as i64
}

/// In which time the depth comes back. Slow while there is little to send, which is when being slow costs nothing;
/// as fast as the daemon reads while there is more; without a limit when the queue is full.
///
/// ```text
///  8 ms ┤╲
///  4 ms ┤  ╲__________
///     0 ┼───┬────┬────┬╲
///       0  1/4  1/2  3/4 1   of the queue
/// ```
fn period(fill: u32) -> Duration {
    const QUARTER: u32 = 256;
    match fill {
        0..QUARTER => PERIOD + PERIOD * (QUARTER - fill) / QUARTER,
        _ => PERIOD * 1024_u32.saturating_sub(fill).min(QUARTER) / QUARTER,
    }
}

/// The longest time that is reckoned with. Its product with the largest rate is below 2^63.
const LONGEST_REFILL: Duration = Duration::from_secs(8);

/// The part of the depth that is worth a send of its own: less than an eighth is a few documents.
const LEAST_PART: i64 = 8;

/// The most that is waited for in a nap, in bursts by the guess. More documents are more memory, which the callers' cores
/// have to fetch from the sender's.
const GATHERED: i64 = 4;

/// The shortest nap between two looks. More than a burst comes in it only when the queue fills quickly, and the pace sets
/// in.
const SHORTEST_GATHERING: Duration = Duration::from_millis(10);

/// A timer is not more precise than this, by Linux's default slack.
const SHORTEST_NAP: Duration = Duration::from_micros(50);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BUFFER: usize = 212_992;

    proptest! {
        #[test]
        fn no_wait_is_longer_than_a_period_whatever_the_kernel_says(
            set in prop_oneof![0..64_usize, any::<usize>()],
            steps in prop::collection::vec((0..3_u8, 0..70_000_usize, any::<u32>(), any::<u32>()), 1..40),
        ) {
            let (mut pacer, mut now) = (Pacer::new(set, Duration::ZERO), Duration::ZERO);
            for (what, cost, used, size) in steps {
                match what {
                    0 => pacer.forget(),
                    1 => pacer.learn(Level { used: used as usize, size: size as usize }),
                    _ => pacer.learn(Level { used: cost, size: BUFFER }),
                }
                if let Err(wait) = pacer.admit(cost, 512, now) {
                    prop_assert!(wait <= PERIOD + SHORTEST_NAP, "{wait:?}");
                    now += wait;
                    prop_assert_eq!(pacer.admit(cost, 512, now), Ok(()));
                }
            }
        }
    }

    #[test]
    fn a_burst_fills_part_of_the_buffer_and_then_flows() {
        let mut pacer = Pacer::new(BUFFER, Duration::ZERO);
        let burst = (0..1000).take_while(|_| pacer.admit(1440, 0, Duration::ZERO).is_ok()).count();
        assert_eq!(burst, 119_808 / 1440);
        let (mut now, mut count) = (Duration::ZERO, 0);
        while now < Duration::from_secs(1) {
            match pacer.admit(1440, 512, now) {
                Ok(()) => count += 1,
                Err(wait) => now += wait,
            }
        }
        assert!((19_000..22_000).contains(&count), "{count}");
    }

    #[test]
    fn a_wait_is_as_long_as_it_has_to_be() {
        let mut pacer = Pacer::new(BUFFER, Duration::ZERO);
        let depth = pacer.depth as usize;
        assert_eq!(pacer.admit(depth, 0, Duration::ZERO), Ok(()));
        let wait = pacer.admit(depth / 2, 0, Duration::ZERO).unwrap_err();
        assert_eq!(wait, PERIOD);
        assert!(pacer.admit(depth / 2, 0, wait - Duration::from_millis(1)).is_err());
        assert_eq!(pacer.admit(depth / 2, 0, wait), Ok(()));
    }

    #[test]
    fn what_is_left_of_a_burst_is_used_before_a_nap_unless_it_is_little() {
        let mut pacer = Pacer::new(BUFFER, Duration::ZERO);
        let depth = pacer.depth as usize;
        assert_eq!(pacer.room(0, Duration::ZERO), depth);
        assert_eq!(pacer.admit(depth - 40_000, 0, Duration::ZERO), Ok(()));
        assert_eq!(pacer.room(0, Duration::ZERO), 40_000);
        assert_eq!(pacer.admit(30_000, 0, Duration::ZERO), Ok(()));
        assert_eq!(pacer.room(0, Duration::ZERO), depth, "10,000 are not worth it");
        assert_eq!(pacer.room(0, PERIOD), depth / 2 + 10_000);
    }

    #[test]
    fn a_receiver_that_has_read_spares_the_wait_and_one_that_has_not_costs_none() {
        let mut pacer = Pacer::new(BUFFER, Duration::ZERO);
        let depth = pacer.depth as usize;
        assert!(!pacer.is_used_up(0, Duration::ZERO));
        assert_eq!(pacer.admit(depth, 0, Duration::ZERO), Ok(()));
        assert!(pacer.is_used_up(0, Duration::ZERO));
        pacer.learn(Level { used: BUFFER, size: BUFFER });
        assert_eq!(pacer.admit(depth / 2, 0, Duration::ZERO), Err(PERIOD), "as without the kernel's word");
        pacer.learn(Level { used: depth / 4, size: BUFFER });
        assert_eq!(pacer.room(0, Duration::ZERO), depth - depth / 4);
        assert_eq!(pacer.admit(depth / 2, 0, Duration::ZERO), Ok(()));
        // Less than was guessed is no reason to wait either.
        pacer.learn(Level { used: depth, size: BUFFER });
        assert_eq!(pacer.admit(depth / 4, 0, Duration::ZERO), Ok(()));
    }

    #[test]
    fn a_larger_buffer_takes_a_larger_burst_and_then_flows_as_before() {
        let mut pacer = Pacer::new(BUFFER, Duration::ZERO);
        let before = pacer.depth as usize;
        pacer.learn(Level { used: 0, size: 100 * BUFFER });
        assert_eq!(pacer.room(0, Duration::ZERO), 100 * before);
        assert_eq!(pacer.admit(100 * before, 0, Duration::ZERO), Ok(()));
        assert_eq!(pacer.admit(before, 1024 / 2, Duration::ZERO), Err(PERIOD));
        // What came back meanwhile, up to the whole depth.
        assert_eq!(pacer.admit(50 * before, 1024 / 2, 50 * PERIOD), Ok(()));
        assert!(pacer.is_used_up(1024 / 2, 50 * PERIOD));
        // Naps don't last until all of that is there.
        let nap = pacer.nap(before, Duration::from_millis(5), Duration::from_secs(1));
        assert_eq!(nap, Duration::from_millis(20));
    }

    #[test]
    fn the_size_of_a_buffer_that_is_gone_is_forgotten() {
        let mut pacer = Pacer::new(BUFFER, Duration::ZERO);
        let before = pacer.depth as usize;
        pacer.learn(Level { used: 0, size: 100 * BUFFER });
        pacer.forget();
        assert_eq!(pacer.room(0, Duration::ZERO), before);
        assert_eq!(pacer.admit(before, 0, Duration::ZERO), Ok(()));
        assert!(pacer.admit(before, 0, Duration::ZERO).is_err());
        assert_eq!(pacer.room(0, 100 * PERIOD), before, "no more comes back than fits");
    }

    #[test]
    fn a_nap_lasts_until_a_burst_is_there_within_bounds() {
        let pacer = Pacer::new(BUFFER, Duration::ZERO);
        let (second, longest) = (Duration::from_secs(1), Duration::from_millis(100));
        for (bursts, nap) in [(0, 100), (9, 100), (20, 50), (50, 20), (200, 10)] {
            let came = pacer.depth as usize * bursts;
            assert_eq!(pacer.nap(came, second, longest).as_millis(), nap, "{bursts} a second");
        }
        assert_eq!(pacer.nap(0, Duration::ZERO, longest), longest);
        assert_eq!(pacer.nap(1, Duration::ZERO, longest), SHORTEST_GATHERING);
        let short = Duration::from_millis(1);
        assert_eq!(pacer.nap(1 << 30, second, short), short);
    }

    #[test]
    fn a_long_pause_saves_up_no_more_than_one_burst() {
        let mut pacer = Pacer::new(BUFFER, Duration::ZERO);
        let later = Duration::from_secs(86_400);
        assert_eq!(pacer.admit(pacer.depth as usize, 0, later), Ok(()));
        assert!(pacer.admit(pacer.depth as usize, 0, later).is_err());
    }

    #[test]
    fn a_queue_that_runs_full_is_sent_faster() {
        let waits = [0, 128, 256, 768, 896, 1000].map(|fill| {
            let mut pacer = Pacer::new(BUFFER, Duration::ZERO);
            let _ = pacer.admit(pacer.depth as usize, fill, Duration::ZERO);
            pacer.admit(pacer.depth as usize, fill, Duration::ZERO).unwrap_err()
        });
        assert_eq!(waits[..5], [PERIOD * 2, PERIOD * 3 / 2, PERIOD, PERIOD, PERIOD / 2]);
        assert!(waits[5] < PERIOD / 10);
        let mut pacer = Pacer::new(BUFFER, Duration::ZERO);
        assert!(
            (0..1000).all(|_| pacer.admit(119_000, 1024, Duration::ZERO).is_ok()),
            "full: as fast as it goes"
        );
    }

    #[test]
    fn what_is_larger_than_the_burst_goes_when_all_is_free() {
        let mut pacer = Pacer::new(4096, Duration::ZERO);
        assert_eq!(pacer.admit(70_000, 0, Duration::ZERO), Ok(()));
        assert!(pacer.admit(70_000, 0, Duration::ZERO).is_err());
    }
}
