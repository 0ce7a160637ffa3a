//! [`Reservoir`]: slots per second, for all threads together, without a lock. Seconds are arguments: no clock here.

use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug)]
pub(super) struct Reservoir {
    per_second: u32,
    /// The second in the upper half, how many of its slots are taken in the lower. One word, so that a new second
    /// and its first slot are one step.
    state: AtomicU64,
}

impl Reservoir {
    pub(super) const fn new(per_second: u32) -> Self {
        Self { per_second, state: AtomicU64::new(0) }
    }

    /// Takes a slot and returns the second that it belongs to, or `None` when all are taken.
    pub(super) fn take(&self, now: u32) -> Option<u32> {
        self.take_of(now, self.per_second)
    }

    /// Takes a slot of a second that has `per_second` slots.
    #[inline]
    pub(super) fn take_of(&self, now: u32, per_second: u32) -> Option<u32> {
        // The word publishes nothing but itself, hence relaxed throughout.
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            let (current, taken) = unpack(state);
            // A thread that read the clock just before the second turned must not bring the old second back, with
            // all its slots. A clock that was set back, on the other hand, must not stop us until it catches up.
            let late = current.wrapping_sub(now) <= LATEST;
            let (second, taken) = if late { (current, taken) } else { (now, 0) };
            if taken >= per_second {
                // Once the slots are gone, this is all that happens: a read.
                return None;
            }
            match self.replace(state, pack(second, taken + 1)) {
                Ok(()) => return Some(second),
                Err(newer) => state = newer,
            }
        }
    }

    /// Gives a slot of that second back. Once the second is over, it is of no use to anyone.
    pub(super) fn give_back(&self, second: u32) {
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            let (current, taken) = unpack(state);
            if current != second || taken == 0 {
                return;
            }
            match self.replace(state, pack(current, taken - 1)) {
                Ok(()) => return,
                Err(newer) => state = newer,
            }
        }
    }

    fn replace(&self, old: u64, new: u64) -> Result<(), u64> {
        self.state.compare_exchange_weak(old, new, Ordering::Relaxed, Ordering::Relaxed).map(drop)
    }
}

const fn pack(second: u32, taken: u32) -> u64 {
    (second as u64) << u32::BITS | taken as u64
}

const fn unpack(state: u64) -> (u32, u32) {
    ((state >> u32::BITS) as u32, state as u32)
}

/// The seconds by which a thread may be late. More means that the clock was set back.
const LATEST: u32 = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;

    const NOW: u32 = 1_700_000_000;

    #[test]
    fn each_second_has_its_slots_and_no_more() {
        let reservoir = Reservoir::new(2);
        for now in [NOW, NOW + 1, NOW + 60] {
            assert_eq!([(); 4].map(|()| reservoir.take(now)), [Some(now), Some(now), None, None]);
        }
        assert_eq!(Reservoir::new(0).take(NOW), None);
    }

    #[test]
    fn a_late_thread_does_not_bring_a_second_back() {
        let reservoir = Reservoir::new(2);
        assert_eq!(reservoir.take(NOW), Some(NOW));
        assert_eq!(reservoir.take(NOW - 1), Some(NOW));
        assert_eq!(reservoir.take(NOW - 2), None);
        assert_eq!(reservoir.take(NOW), None);
    }

    #[test]
    fn a_clock_set_back_does_not_stop_sampling() {
        let reservoir = Reservoir::new(1);
        assert_eq!(reservoir.take(NOW), Some(NOW));
        assert_eq!(reservoir.take(NOW - 3600), Some(NOW - 3600));
        assert_eq!(reservoir.take(NOW - 3600), None);
    }

    #[test]
    fn a_slot_comes_back_within_its_second_only() {
        let reservoir = Reservoir::new(1);
        assert_eq!(reservoir.take(NOW), Some(NOW));
        reservoir.give_back(NOW - 1);
        assert_eq!(reservoir.take(NOW), None);
        reservoir.give_back(NOW);
        reservoir.give_back(NOW);
        assert_eq!([reservoir.take(NOW), reservoir.take(NOW)], [Some(NOW), None]);
        assert_eq!(reservoir.take(NOW + 1), Some(NOW + 1));
        reservoir.give_back(NOW);
        assert_eq!(reservoir.take(NOW + 1), None);
    }

    #[test]
    fn eight_threads_take_exactly_what_there_is() {
        const SECONDS: u32 = 200;
        const SLOTS: u32 = 5;
        let (reservoir, barrier) = (&Reservoir::new(SLOTS), &Barrier::new(8));
        let taken: Vec<u32> = std::thread::scope(|scope| {
            let run = move || {
                let mut taken = Vec::new();
                for now in NOW..NOW + SECONDS {
                    barrier.wait();
                    taken.extend((0..20).filter_map(|_| reservoir.take(now)));
                }
                taken
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(run)).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        for now in NOW..NOW + SECONDS {
            assert_eq!(
                taken.iter().filter(|second| **second == now).count(),
                SLOTS as usize,
                "{}",
                now - NOW
            );
        }
    }
}
