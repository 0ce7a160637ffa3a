//! Boosts: after anomalies, a rule that allows it samples more for a minute.
//!
//! Source: developer guide, "adaptive sampling", and the API reference. A boost belongs to a rule, so all its clients get
//! it.

use crate::control::sampling::Rule;
use crate::model::{Length, Time, limits};

/// Report of a client on anomalies, `SamplingBoostStatisticsDocument`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoostStatistics {
    /// The rule's name.
    pub rule: String,
    /// Traces with an anomaly.
    pub anomalies: u64,
    /// All traces.
    pub total: u64,
}

/// A rule's boost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Boost {
    rate: f64,
    until: Time,
    /// No other boost begins before.
    cooled_down: Time,
}

impl Boost {
    /// Takes reports. A boost begins if there are anomalies, none is on, and the last one is long enough ago.
    pub(super) fn report(&mut self, rule: &Rule, anomalies: u64, total: u64, now: Time) {
        let Some((max_rate, minutes)) = rule.boost() else {
            *self = Self::default();
            return;
        };
        if anomalies == 0 || now < self.cooled_down || now < self.until {
            return;
        }
        let share = anomalies as f64 / total.max(anomalies) as f64;
        *self = Self {
            rate: max_rate.min(share.max(rule.rate())),
            until: now.plus(Length(limits::BOOST_SECONDS * 1_000_000)),
            cooled_down: now.plus(Length(minutes.saturating_mul(60_000_000))),
        };
    }

    /// The rate and its end, while the boost is on.
    pub(super) fn current(&self, now: Time) -> Option<(f64, Time)> {
        (now < self.until).then_some((self.rate, self.until))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_boost_follows_anomalies_once_in_a_window() {
        let rule = Rule {
            name: "r".to_owned(),
            rule: json!({"FixedRate": 0.1, "SamplingRateBoost": {"MaxRate": 0.5, "CooldownWindowMinutes": 5}}),
            created: Time(0),
            modified: Time(0),
        };
        let at = |seconds: i64| Time(seconds * 1_000_000);
        let mut boost = Boost::default();
        boost.report(&rule, 0, 100, at(1_000));
        assert_eq!(boost.current(at(1_000)), None);
        boost.report(&rule, 30, 100, at(1_000));
        assert_eq!(boost.current(at(1_001)), Some((0.3, at(1_060))));
        boost.report(&rule, 100, 100, at(1_010));
        assert_eq!(boost.current(at(1_010)), Some((0.3, at(1_060))));
        assert_eq!(boost.current(at(1_060)), None);
        boost.report(&rule, 100, 100, at(1_299));
        assert_eq!(boost.current(at(1_299)), None);
        boost.report(&rule, 100, 100, at(1_300));
        assert_eq!(boost.current(at(1_300)), Some((0.5, at(1_360))));
        let without = Rule { rule: json!({"FixedRate": 0.1}), ..rule };
        boost.report(&without, 100, 100, at(1_301));
        assert_eq!(boost.current(at(1_301)), None);
    }
}
