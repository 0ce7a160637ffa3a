//! Targets: the part of a rule's reservoir that each client may use.
//!
//! A quota is a promise until its end. So a client gets what its share would be, but never more than what the promises to
//! all other clients leave: the sum of the quotas that hold at any moment stays within the reservoir, whichever clients
//! come and go. A client that is gone keeps its part only until its quota ends.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::boost::{Boost, BoostStatistics};
use super::rules::{self, Rule, RuleKey};
use super::{share, statistics};
use crate::control::ControlError;
use crate::model::{Length, Time, limits};

/// Report of a client on a rule, `SamplingStatisticsDocument`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientStatistics {
    /// The rule's name.
    pub rule: String,
    /// The client's id.
    pub client: String,
    /// Time of the count.
    pub at: Time,
    /// Requests that matched the rule.
    pub requests: i64,
    /// Those that were sampled.
    pub sampled: i64,
    /// Those that were sampled beyond the quota.
    pub borrowed: i64,
}

/// A report that was not counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unprocessed {
    /// The rule's name.
    pub rule: String,
    /// The error's name.
    pub code: &'static str,
    /// Message.
    pub message: String,
}

/// A client's target for one rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The rule's name.
    pub rule: String,
    /// The rate beyond the quota.
    pub rate: f64,
    /// Requests each second that the client may sample.
    pub quota: u64,
    /// The end of the quota.
    pub until: Time,
    /// Rate and end of a boost.
    pub boost: Option<(f64, Time)>,
}

/// An answer to reports.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// One target for each report that was counted.
    pub targets: Vec<Target>,
    /// Reports that were not.
    pub unprocessed: Vec<Unprocessed>,
    /// Boost reports that were not.
    pub unprocessed_boosts: Vec<Unprocessed>,
    /// The last change of the rules.
    pub last_modification: Time,
}

/// Promises to clients. One for each server; a restart forgets it together with the clients' reports.
#[derive(Debug, Default)]
pub struct Targets {
    rules: BTreeMap<String, RuleState>,
}

#[derive(Debug, Default)]
struct RuleState {
    clients: BTreeMap<String, Client>,
    boost: Boost,
}

#[derive(Debug)]
struct Client {
    reported: Time,
    /// Requests each second, rounded up.
    demand: u64,
    quota: u64,
    until: Time,
}

impl Targets {
    /// Takes reports, keeps the statistics, and answers with targets.
    ///
    /// # Errors
    /// The store's.
    pub fn report(
        &mut self,
        connection: &Connection,
        reports: &[ClientStatistics],
        boosts: &[BoostStatistics],
        now: Time,
    ) -> Result<Outcome, ControlError> {
        let mut outcome =
            Outcome { last_modification: rules::last_modification(connection)?, ..Outcome::default() };
        self.report_boosts(connection, boosts, now, &mut outcome)?;
        for report in reports {
            let rule = match rules::find(connection, &RuleKey::Name(report.rule.clone())) {
                Ok(rule) => rule,
                Err(ControlError::Refused(..)) => {
                    outcome.unprocessed.push(unknown(&report.rule));
                    continue;
                }
                Err(err) => return Err(err),
            };
            if report.at.plus(Length(limits::STATISTICS_TOO_OLD_SECONDS * 1_000_000)) < now {
                outcome.unprocessed.push(Unprocessed {
                    rule: report.rule.clone(),
                    code: limits::UNPROCESSED_STATISTICS.1,
                    message: format!(
                        "The statistics are older than {} minutes",
                        limits::STATISTICS_TOO_OLD_SECONDS / 60
                    ),
                });
                continue;
            }
            statistics::add(connection, &rule.name, [report.requests, report.borrowed, report.sampled], now)?;
            outcome.targets.push(self.rules.entry(rule.name.clone()).or_default().target(&rule, report, now));
        }
        Ok(outcome)
    }

    fn report_boosts(
        &mut self,
        connection: &Connection,
        boosts: &[BoostStatistics],
        now: Time,
        outcome: &mut Outcome,
    ) -> Result<(), ControlError> {
        let mut sums: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for boost in boosts {
            let sum = sums.entry(&boost.rule).or_default();
            sum.0 = sum.0.saturating_add(boost.anomalies);
            sum.1 = sum.1.saturating_add(boost.total);
        }
        for (name, (anomalies, total)) in sums {
            match rules::find(connection, &RuleKey::Name(name.to_owned())) {
                Ok(rule) => {
                    self.rules
                        .entry(rule.name.clone())
                        .or_default()
                        .boost
                        .report(&rule, anomalies, total, now);
                }
                Err(ControlError::Refused(..)) => outcome.unprocessed_boosts.push(unknown(name)),
                Err(err) => return Err(err),
            }
        }
        Ok(())
    }
}

impl RuleState {
    fn target(&mut self, rule: &Rule, report: &ClientStatistics, now: Time) -> Target {
        self.clients.retain(|_, client| client.until > now);
        let elapsed = match self.clients.get(&report.client) {
            Some(client) => (now - client.reported).seconds().max(1.0),
            None => limits::TARGETS_INTERVAL_SECONDS as f64,
        };
        let demand = (report.requests.max(0) as f64 / elapsed).ceil().max(1.0) as u64;
        let reservoir = rule.reservoir();
        let others: u64 =
            self.clients.iter().filter(|(id, _)| **id != report.client).map(|(_, client)| client.quota).sum();
        let is_known = self.clients.contains_key(&report.client);
        let until = now.plus(Length(limits::QUOTA_SECONDS * 1_000_000));
        let quota = if is_known || self.clients.len() < limits::SAMPLING_CLIENTS {
            let client = Client { reported: now, demand, quota: 0, until };
            self.clients.insert(report.client.clone(), client);
            let demands: Vec<u64> = self.clients.values().map(|client| client.demand).collect();
            let position = self.clients.keys().position(|id| *id == report.client).unwrap_or(0);
            share::split(reservoir, &demands)[position].min(reservoir.saturating_sub(others))
        } else {
            0
        };
        if let Some(client) = self.clients.get_mut(&report.client) {
            client.quota = quota;
        }
        Target { rule: rule.name.clone(), rate: rule.rate(), quota, until, boost: self.boost.current(now) }
    }
}

fn unknown(rule: &str) -> Unprocessed {
    Unprocessed {
        rule: rule.to_owned(),
        code: limits::UNPROCESSED_STATISTICS.0,
        message: format!("Sampling rule not found: {rule}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rule(reservoir: u64) -> Rule {
        Rule {
            name: "r".to_owned(),
            rule: json!({"FixedRate": 0.05, "ReservoirSize": reservoir}),
            created: Time(0),
            modified: Time(0),
        }
    }

    fn report(client: &str, requests: i64) -> ClientStatistics {
        ClientStatistics {
            rule: "r".to_owned(),
            client: client.to_owned(),
            at: Time(0),
            requests,
            sampled: 0,
            borrowed: 0,
        }
    }

    fn at(seconds: i64) -> Time {
        Time(seconds * 1_000_000)
    }

    #[test]
    fn the_only_client_gets_the_whole_reservoir_and_shares_it_when_others_come() {
        let mut state = RuleState::default();
        let rule = rule(10);
        let mut quota =
            |client: &str, requests, second| state.target(&rule, &report(client, requests), at(second)).quota;
        assert_eq!(quota("a", 5, 0), 10);
        // Everything is promised to the first, which learns of the second when it asks again.
        assert_eq!(quota("b", 1_000, 5), 0);
        assert_eq!(quota("a", 1_000, 10), 5);
        assert_eq!(quota("b", 1_000, 15), 5);
        // Half a minute after it was last heard of, the first is gone.
        assert_eq!(quota("b", 1_000, 35), 5);
        assert_eq!(quota("b", 1_000, 41), 10);
    }

    #[test]
    fn a_client_beyond_ten_thousand_gets_no_quota_and_is_not_remembered() {
        let rule = rule(20_000);
        let mut state = RuleState::default();
        let client = || Client { reported: at(0), demand: 1, quota: 1, until: at(30) };
        state.clients.extend((0..9_999).map(|number| (format!("client{number}"), client())));
        assert!(state.target(&rule, &report("last", 5), at(1)).quota > 0);
        assert_eq!(state.target(&rule, &report("beyond", 5), at(1)).quota, 0);
        assert_eq!(state.clients.len(), 10_000);
        assert!(state.target(&rule, &report("client7", 5), at(2)).quota > 0);
    }

    #[test]
    fn quotas_that_hold_at_one_moment_never_exceed_the_reservoir() {
        let mut seed = 0x9e37_79b9_u64;
        let mut random = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        for reservoir in [0, 1, 2, 7, 50] {
            let rule = rule(reservoir);
            let mut state = RuleState::default();
            let mut promises: BTreeMap<String, (u64, Time)> = BTreeMap::new();
            let mut most = 0;
            for step in 0..5_000 {
                let now = Time(step * 500_000);
                let client = format!("client{}", random(12));
                let target = state.target(&rule, &report(&client, random(10_000) as i64), now);
                promises.insert(client, (target.quota, target.until));
                let held: u64 =
                    promises.values().filter(|(_, until)| *until > now).map(|(quota, _)| quota).sum();
                assert!(held <= reservoir, "{held} of {reservoir} at step {step}");
                most = most.max(held);
            }
            assert_eq!(most, reservoir, "the whole reservoir is used");
        }
    }
}
