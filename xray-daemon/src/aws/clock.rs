//! The wall clock that signatures are made by, corrected by what X-Ray's answers say of the time.
//!
//! A machine whose clock is off by more than a few minutes gets every call refused. Each answer carries the date; a
//! difference above [`TOLERANCE`] is taken over at once, so that the call that is made again is signed with a time
//! that X-Ray accepts.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The machine's clock plus a correction.
#[derive(Debug, Default)]
pub struct Clock {
    correction_ms: AtomicI64,
}

impl Clock {
    /// The corrected time.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        shift(machine_time(), self.correction_ms.load(Ordering::Relaxed))
    }

    /// The correction in whole seconds: positive if the machine's clock is behind.
    #[must_use]
    pub fn correction(&self) -> i64 {
        self.correction_ms.load(Ordering::Relaxed) / 1000
    }

    /// Sets the correction.
    pub fn correct(&self, seconds: i64) {
        self.correction_ms.store(seconds.saturating_mul(1000), Ordering::Relaxed);
    }

    /// Takes over the header `Date` of an answer, if it is off by more than [`TOLERANCE`].
    ///
    /// Returns the new correction in seconds, if it changed.
    pub fn learn(&self, date: &str) -> Option<i64> {
        self.learn_at(date, machine_time())
    }

    fn learn_at(&self, date: &str, machine: SystemTime) -> Option<i64> {
        let theirs = httpdate::parse_http_date(date).ok()?;
        // A plausible date only: something between us and X-Ray may have no clock at all.
        if !(UNIX_EPOCH + EARLIEST..UNIX_EPOCH + LATEST).contains(&theirs) {
            return None;
        }
        let off = millis_between(machine, theirs);
        let before = self.correction_ms.load(Ordering::Relaxed);
        let tolerance = TOLERANCE.as_millis() as i64;
        if (off - before).abs() <= tolerance {
            return None;
        }
        let correction = if off.abs() <= tolerance { 0 } else { off };
        self.correction_ms.store(correction, Ordering::Relaxed);
        Some(correction / 1000)
    }
}

/// The largest difference that is left alone.
pub const TOLERANCE: Duration = Duration::from_secs(60);

/// 2020-01-01, before which no answer of X-Ray can be.
const EARLIEST: Duration = Duration::from_secs(1_577_836_800);

/// 2200-01-01, from which on no date is believed.
///
/// Signatures have no place for a year of five digits, which a date near the year 9999 soon leads to.
const LATEST: Duration = Duration::from_secs(7_258_118_400);

fn millis_between(from: SystemTime, to: SystemTime) -> i64 {
    let millis = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    match to.duration_since(from) {
        Ok(ahead) => millis(ahead),
        Err(behind) => -millis(behind.duration()),
    }
}

fn shift(time: SystemTime, millis: i64) -> SystemTime {
    let by = Duration::from_millis(millis.unsigned_abs());
    let shifted = if millis < 0 { time.checked_sub(by) } else { time.checked_add(by) };
    shifted.unwrap_or(time)
}

#[expect(clippy::disallowed_methods, reason = "the one place of this room that reads the wall clock")]
fn machine_time() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn date(seconds: u64) -> String {
        httpdate::fmt_http_date(at(seconds))
    }

    #[test]
    fn an_hour_is_corrected_and_taken_back() {
        let clock = Clock::default();
        let machine = 1_800_000_000;
        assert_eq!(clock.learn_at(&date(machine + 3600), at(machine)), Some(3600));
        assert_eq!(clock.learn_at(&date(machine + 3610), at(machine + 10)), None, "reported once");
        assert_eq!(clock.correction(), 3600);
        assert_eq!(clock.learn_at(&date(machine + 20), at(machine + 20)), Some(0));
        assert_eq!(clock.learn_at(&date(machine - 3600), at(machine)), Some(-3600));
    }

    #[test]
    fn small_differences_and_nonsense_are_left_alone() {
        let clock = Clock::default();
        let machine = 1_800_000_000;
        let far = "Fri, 31 Dec 9999 23:59:59 GMT".to_owned();
        let nonsense = ["yesterday".to_owned(), date(0), String::new(), far];
        for date in nonsense.into_iter().chain([date(machine + 60), date(machine - 60)]) {
            assert_eq!(clock.learn_at(&date, at(machine)), None, "{date}");
        }
        assert_eq!(clock.correction(), 0);
    }
}
