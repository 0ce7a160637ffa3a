//! [`RuleState`]: what one rule did so far, and what it may do this second. A state outlives its set of rules: a rule
//! that is fetched again under the same name goes on with its state.
//!
//! Decisions touch atomics only. The [`PendingStats`], behind a lock, are the poller's: what was counted since the last report
//! that the service took. A report that fails changes nothing in them, so nothing is lost.
//!
//! All atomics are relaxed: each of them is whole by itself, and none publishes anything else.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::sampling::SamplingResult;
use crate::sampling::ratio::Ratio;
use crate::sampling::reservoir::Reservoir;
use crate::sampling::result::Central;

#[derive(Debug)]
pub(super) struct RuleState {
    name: Arc<str>,
    /// No other state of this process has it.
    number: u32,
    tally: Tally,
    /// Decisions that were given back.
    returned: Tally,
    /// Slots of this second, whether they are assigned or borrowed.
    slots: Reservoir,
    /// Slots a second in the upper half, until when in the lower; 0 while none were assigned.
    quota: AtomicU64,
    /// The share that is drawn, as [`Ratio::to_bits`].
    rate: AtomicU64,
    /// The share while a boost lasts, and until when that is.
    boost_rate: AtomicU64,
    boost_until: AtomicU32,
    /// Traces with an anomaly in the upper half, sampled ones among them in the lower.
    anomalies: AtomicU64,
    pending_stats: Mutex<PendingStats>,
}

/// Counts that are to be reported to the service, and when.
#[derive(Debug)]
pub(super) struct PendingStats {
    pub(super) pending: Counts,
    pub(super) boost: BoostCounts,
    /// The time when the service took a report last, on the poller's clock.
    pub(super) reported: Duration,
    /// The interval that the service asks for.
    pub(super) interval: Duration,
}

/// Decisions. Signed, since one may be given back after it was reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) requests: i64,
    /// Borrowed ones among them, as in the developer guide's worked example ("Using sampling rules with the
    /// X-Ray API").
    pub(super) sampled: i64,
    pub(super) borrowed: i64,
}

/// Counts of how traces ended, for a rule that may be boosted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct BoostCounts {
    pub(super) total: i64,
    pub(super) anomalies: i64,
    pub(super) sampled_anomalies: i64,
}

/// The parts of a rule's record that limit its state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    pub(super) may_borrow: bool,
    pub(super) may_boost: bool,
}

impl RuleState {
    pub(super) fn new(name: Arc<str>, rate: f64) -> Self {
        Self {
            name,
            number: NEXT.fetch_add(1, Relaxed),
            tally: Tally::default(),
            returned: Tally::default(),
            slots: Reservoir::new(0),
            quota: AtomicU64::new(0),
            rate: AtomicU64::new(Ratio::new(rate).to_bits()),
            boost_rate: AtomicU64::new(0),
            boost_until: AtomicU32::new(0),
            anomalies: AtomicU64::new(0),
            pending_stats: Mutex::new(PendingStats {
                pending: Counts::default(),
                boost: BoostCounts::default(),
                reported: Duration::ZERO,
                interval: Duration::ZERO,
            }),
        }
    }

    /// Decides about one trace that the rule is for.
    #[inline]
    pub(super) fn decide(
        &self,
        allowed: Allowance,
        now: u32,
        random: impl FnOnce() -> u64,
    ) -> SamplingResult {
        let quota = self.quota(now);
        let slots = quota.unwrap_or_else(|| u32::from(allowed.may_borrow));
        let second = self.slots.take_of(now, slots);
        let borrowed = second.is_some() && quota.is_none();
        let sampled = second.is_some() || self.rate(allowed, now).draw(random());
        self.tally.add(sampled, borrowed);
        let central = Central { rule: self.number, borrowed };
        SamplingResult::of_central_rule(sampled, &self.name, second, central, allowed.may_boost)
    }

    pub(super) fn number(&self) -> u32 {
        self.number
    }

    #[inline]
    fn quota(&self, now: u32) -> Option<u32> {
        let quota = self.quota.load(Relaxed);
        (quota as u32 >= now).then_some((quota >> u32::BITS) as u32)
    }

    #[inline]
    fn rate(&self, allowed: Allowance, now: u32) -> Ratio {
        let rate = self.rate.load(Relaxed);
        let boosted = allowed.may_boost && self.boost_until.load(Relaxed) >= now;
        Ratio::from_bits(if boosted { rate.max(self.boost_rate.load(Relaxed)) } else { rate })
    }

    /// Takes a decision back, slot and count.
    pub(super) fn give_back(&self, result: &SamplingResult, borrowed: bool) {
        if let Some(second) = result.reservoir_second() {
            self.slots.give_back(second);
        }
        self.returned.add(result.is_sampled(), borrowed);
    }

    /// Notes how a trace ended.
    pub(super) fn observe(&self, sampled: bool, anomaly: bool) {
        if anomaly {
            self.anomalies.fetch_add(1 << u32::BITS | u64::from(sampled), Relaxed);
        }
    }

    pub(super) fn set_rate(&self, rate: f64) {
        self.rate.store(Ratio::new(rate).to_bits(), Relaxed);
    }

    /// Assigns slots a second, for as long as `until`.
    pub(super) fn assign(&self, quota: u32, until: u32) {
        self.quota.store(u64::from(quota) << u32::BITS | u64::from(until), Relaxed);
    }

    /// Returns the quota that was assigned last.
    pub(super) fn assigned(&self) -> (u32, u32) {
        let quota = self.quota.load(Relaxed);
        ((quota >> u32::BITS) as u32, quota as u32)
    }

    pub(super) fn boost(&self, rate: f64, until: u32) {
        self.boost_rate.store(Ratio::new(rate).to_bits(), Relaxed);
        self.boost_until.store(until, Relaxed);
    }

    /// Locks the books, after bringing them up to date.
    pub(super) fn pending_stats(&self) -> MutexGuard<'_, PendingStats> {
        let mut pending_stats = self.pending_stats.lock().unwrap_or_else(PoisonError::into_inner);
        // In this order, so that whatever is returned was counted before.
        let returned = self.returned.take();
        let counted = self.tally.take();
        pending_stats.boost.total += counted.requests - returned.requests;
        pending_stats.pending = pending_stats.pending.plus(counted).minus(returned);
        let anomalies = self.anomalies.swap(0, Relaxed);
        pending_stats.boost.anomalies += (anomalies >> u32::BITS) as i64;
        pending_stats.boost.sampled_anomalies += i64::from(anomalies as u32);
        pending_stats
    }
}

impl PendingStats {
    pub(super) fn is_due(&self, now: Duration) -> bool {
        self.pending.requests > 0 && now >= self.reported + self.interval
    }
}

impl Counts {
    pub(super) const fn plus(self, other: Self) -> Self {
        Self {
            requests: self.requests + other.requests,
            sampled: self.sampled + other.sampled,
            borrowed: self.borrowed + other.borrowed,
        }
    }

    pub(super) const fn minus(self, other: Self) -> Self {
        Self {
            requests: self.requests - other.requests,
            sampled: self.sampled - other.sampled,
            borrowed: self.borrowed - other.borrowed,
        }
    }

    /// The part that can be reported now. What is negative waits for its counterpart.
    pub(super) fn reportable(self) -> Self {
        let requests = self.requests.max(0);
        let sampled = self.sampled.clamp(0, requests);
        Self { requests, sampled, borrowed: self.borrowed.clamp(0, sampled) }
    }
}

/// Three counts in one word, so that a decision is one step and no reader ever sees half of it.
#[derive(Debug, Default)]
struct Tally(AtomicU64);

// The poller empties it every ten seconds: thirteen million decisions a second fit, and a hundred times the one
// that may be borrowed.
const COUNT_BITS: u32 = 27;
const BORROWED_BITS: u32 = u64::BITS - 2 * COUNT_BITS;
const SAMPLED_ONE: u64 = 1 << BORROWED_BITS;
const REQUEST_ONE: u64 = 1 << (BORROWED_BITS + COUNT_BITS);

impl Tally {
    #[inline]
    fn add(&self, sampled: bool, borrowed: bool) {
        let counts = REQUEST_ONE + SAMPLED_ONE * u64::from(sampled) + u64::from(borrowed);
        self.0.fetch_add(counts, Relaxed);
    }

    fn take(&self) -> Counts {
        let counts = self.0.swap(0, Relaxed);
        Counts {
            requests: (counts / REQUEST_ONE) as i64,
            sampled: (counts % REQUEST_ONE / SAMPLED_ONE) as i64,
            borrowed: (counts % SAMPLED_ONE) as i64,
        }
    }
}

/// The next state's number.
static NEXT: AtomicU32 = AtomicU32::new(0);

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u32 = 1_700_000_000;
    const BOTH: Allowance = Allowance { may_borrow: true, may_boost: true };
    /// Lots that lose and win whatever the rate, unless it is 1 or 0.
    const LOSE: u64 = u64::MAX;
    const WIN: u64 = 0;

    fn state(rate: f64) -> RuleState {
        RuleState::new("rule".into(), rate)
    }

    fn counts(requests: i64, sampled: i64, borrowed: i64) -> Counts {
        Counts { requests, sampled, borrowed }
    }

    #[test]
    fn without_a_quota_one_a_second_is_borrowed() {
        let state = state(0.5);
        for now in [NOW, NOW + 1] {
            assert!(state.decide(BOTH, now, || LOSE).is_sampled());
            assert!(!state.decide(BOTH, now, || LOSE).is_sampled());
            assert!(state.decide(BOTH, now, || WIN).is_sampled());
        }
        assert_eq!(state.pending_stats().pending, counts(6, 4, 2));
        let stingy = Allowance { may_borrow: false, may_boost: false };
        assert!(!state.decide(stingy, NOW + 2, || LOSE).is_sampled());
    }

    #[test]
    fn a_quota_is_used_until_it_expires_and_then_borrowing_goes_on() {
        let state = state(0.5);
        state.assign(2, NOW + 1);
        for now in [NOW, NOW + 1] {
            let taken = [(); 3].map(|()| state.decide(BOTH, now, || LOSE).is_sampled());
            assert_eq!(taken, [true, true, false]);
        }
        assert_eq!(state.pending_stats().pending, counts(6, 4, 0));
        let taken = [(); 2].map(|()| state.decide(BOTH, NOW + 2, || LOSE).is_sampled());
        assert_eq!(taken, [true, false]);
        assert_eq!(state.pending_stats().pending, counts(8, 5, 1));
    }

    #[test]
    fn a_quota_that_comes_within_a_second_counts_what_was_borrowed_in_it() {
        let state = state(0.5);
        assert!(state.decide(BOTH, NOW, || LOSE).is_sampled());
        state.assign(2, NOW + 10);
        let taken = [(); 2].map(|()| state.decide(BOTH, NOW, || LOSE).is_sampled());
        assert_eq!(taken, [true, false]);
    }

    #[test]
    fn what_is_given_back_is_not_reported_even_when_it_comes_after_the_report() {
        let state = state(0.5);
        let first = state.decide(BOTH, NOW, || LOSE);
        state.give_back(&first, true);
        assert_eq!(state.pending_stats().pending, counts(0, 0, 0));
        let again = state.decide(BOTH, NOW, || LOSE);
        assert!(again.is_sampled(), "the slot came back");
        {
            let mut pending_stats = state.pending_stats();
            pending_stats.pending = pending_stats.pending.minus(pending_stats.pending.reportable());
        }
        state.give_back(&again, true);
        assert_eq!(state.pending_stats().pending.reportable(), counts(0, 0, 0));
        let _ = state.decide(BOTH, NOW, || WIN);
        let _ = state.decide(BOTH, NOW, || WIN);
        assert_eq!(state.pending_stats().pending, counts(1, 1, 0));
    }

    #[test]
    fn a_boost_raises_the_rate_for_its_time_and_only_where_it_may() {
        let state = state(0.0);
        state.boost(0.5, NOW);
        let drawn = |allowed, now| state.decide(allowed, now, || WIN).is_sampled();
        let both = Allowance { may_borrow: false, ..BOTH };
        assert!(drawn(both, NOW));
        assert!(!drawn(Allowance { may_boost: false, ..both }, NOW));
        assert!(!drawn(both, NOW + 1));
        state.set_rate(1.0);
        assert!(state.decide(both, NOW, || LOSE).is_sampled(), "a boost never lowers the rate");
    }

    #[test]
    fn anomalies_are_counted_for_the_boost() {
        let state = state(0.0);
        for (sampled, anomaly) in [(true, true), (false, true), (true, false)] {
            let _ = state.decide(BOTH, NOW, || WIN);
            state.observe(sampled, anomaly);
        }
        let boost = state.pending_stats().boost;
        assert_eq!(boost, BoostCounts { total: 3, anomalies: 2, sampled_anomalies: 1 });
    }

    #[test]
    fn many_threads_lose_no_count() {
        let state = &state(0.5);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for i in 0..50_000 {
                        let _ = state.decide(BOTH, NOW, || if i % 2 == 0 { WIN } else { LOSE });
                        if i % 1000 == 0 {
                            drop(state.pending_stats());
                        }
                    }
                });
            }
        });
        let pending = state.pending_stats().pending;
        assert_eq!((pending.requests, pending.borrowed), (200_000, 1));
        assert!((100_000..=100_001).contains(&pending.sampled), "{pending:?}");
    }
}
