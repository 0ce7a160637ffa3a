//! The two calls of the sampling API, as JSON (X-Ray API reference, `GetSamplingRules` and
//! `GetSamplingTargets`). Times on the wire are seconds since 1970, with a fraction.
//!
//! Answers are read member by member: what is missing or of a wrong type leaves out one rule or one target, not
//! all of them. Only an answer of another kind altogether is an error.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::rule::RuleSpec;
use super::rule_state::{BoostCounts, Counts};

pub(super) const RULES_PATH: &str = "/GetSamplingRules";
pub(super) const TARGETS_PATH: &str = "/SamplingTargets";

/// Statistics documents that one call takes.
pub(super) const MAX_DOCUMENTS: usize = 25;

/// A service's name in the statistics for a boost, in characters.
const MAX_SERVICE: usize = 64;

/// One page of rules.
#[derive(Debug)]
pub(super) struct RulesPage {
    pub(super) rules: Vec<RuleSpec>,
    pub(super) next: Option<String>,
}

/// The service's response to statistics.
#[derive(Debug, Default)]
pub(super) struct Targets {
    pub(super) targets: Vec<Target>,
    /// The time when any rule was changed last, in seconds since 1970.
    pub(super) rules_modified: Option<f64>,
    /// Rules of which the statistics were not taken, and whether the service knows no such rule.
    pub(super) unprocessed: Vec<(String, bool)>,
    pub(super) unprocessed_boost: Vec<String>,
}

/// A rule's new limits. A limit that is `None` stays as it was.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) rule: String,
    pub(super) rate: Option<f64>,
    pub(super) quota: Option<u32>,
    pub(super) quota_until: Option<u32>,
    pub(super) interval: Option<Duration>,
    /// A higher rate, and until when.
    pub(super) boost: Option<(f64, u32)>,
}

/// One rule's part of a report.
#[derive(Clone, Copy, Debug)]
pub(super) struct Report<'a> {
    pub(super) rule: &'a str,
    pub(super) counts: Counts,
    /// For a rule that may be boosted.
    pub(super) boost: Option<BoostCounts>,
}

pub(super) fn rules_request(next: Option<&str>) -> Vec<u8> {
    match next {
        None => b"{}".to_vec(),
        Some(token) => json!({ "NextToken": token }).to_string().into_bytes(),
    }
}

pub(super) fn parse_rules(answer: &[u8]) -> Result<RulesPage, String> {
    let answer = object(answer)?;
    let Some(Value::Array(records)) = answer.get("SamplingRuleRecords") else {
        return Err("the answer holds no rules".to_owned());
    };
    let next = answer.get("NextToken").and_then(Value::as_str).filter(|token| !token.is_empty());
    Ok(RulesPage {
        rules: records.iter().filter_map(RuleSpec::from_record).collect(),
        next: next.map(str::to_owned),
    })
}

pub(super) fn targets_request(reports: &[Report<'_>], client: &str, service: &str, now: Duration) -> Vec<u8> {
    let timestamp = now.as_secs();
    let statistics: Vec<Value> = reports
        .iter()
        .map(|report| {
            json!({
                "RuleName": report.rule, "ClientID": client, "Timestamp": timestamp,
                "RequestCount": report.counts.requests, "SampledCount": report.counts.sampled,
                "BorrowCount": report.counts.borrowed,
            })
        })
        .collect();
    let mut request = json!({ "SamplingStatisticsDocuments": statistics });
    let service: String = service.chars().take(MAX_SERVICE).collect();
    let boosts: Vec<Value> = reports
        .iter()
        .filter_map(|report| Some((report.rule, report.boost?)))
        .map(|(rule, boost)| {
            json!({
                "RuleName": rule, "ServiceName": service, "Timestamp": timestamp,
                "AnomalyCount": boost.anomalies, "TotalCount": boost.total,
                "SampledAnomalyCount": boost.sampled_anomalies,
            })
        })
        .collect();
    if !boosts.is_empty() {
        request["SamplingBoostStatisticsDocuments"] = boosts.into();
    }
    request.to_string().into_bytes()
}

pub(super) fn parse_targets(answer: &[u8]) -> Result<Targets, String> {
    let answer = object(answer)?;
    let list = |member| answer.get(member).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let name = |value: &Value| value.get("RuleName")?.as_str().map(str::to_owned);
    if !answer.contains_key("SamplingTargetDocuments") && !answer.contains_key("UnprocessedStatistics") {
        return Err("the answer holds no targets".to_owned());
    }
    let unknown = |value: &Value| {
        let code = value.get("ErrorCode").and_then(Value::as_str).unwrap_or_default();
        code.starts_with('4')
    };
    let unprocessed = list("UnprocessedStatistics").iter();
    Ok(Targets {
        targets: list("SamplingTargetDocuments").iter().filter_map(target).collect(),
        rules_modified: answer.get("LastRuleModification").and_then(Value::as_f64),
        unprocessed: unprocessed.filter_map(|value| Some((name(value)?, unknown(value)))).collect(),
        unprocessed_boost: list("UnprocessedBoostStatistics").iter().filter_map(name).collect(),
    })
}

fn target(document: &Value) -> Option<Target> {
    let number = |member| document.get(member).and_then(Value::as_f64);
    let boost = document.get("SamplingBoost").and_then(|boost| {
        let member = |member| boost.get(member).and_then(Value::as_f64);
        Some((member("BoostRate")?, member("BoostRateTTL")? as u32))
    });
    Some(Target {
        rule: document.get("RuleName")?.as_str()?.to_owned(),
        rate: number("FixedRate"),
        // A cast of a float ends at the nearest number that there is.
        quota: number("ReservoirQuota").map(|quota| quota as u32),
        quota_until: number("ReservoirQuotaTTL").map(|until| until as u32),
        interval: number("Interval").map(|interval| Duration::from_secs(interval as u32 as u64)),
        boost,
    })
}

fn object(answer: &[u8]) -> Result<Map<String, Value>, String> {
    match serde_json::from_slice(answer) {
        Ok(Value::Object(answer)) => Ok(answer),
        Ok(_) => Err("the answer is not an object".to_owned()),
        Err(err) => Err(format!("the answer is not JSON ({err})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_what_the_service_reads() {
        let counts = Counts { requests: 20, sampled: 3, borrowed: 1 };
        let boost = BoostCounts { total: 20, anomalies: 4, sampled_anomalies: 2 };
        let reports = [
            Report { rule: "Default", counts, boost: None },
            Report { rule: "checkout", counts, boost: Some(boost) },
        ];
        let request =
            targets_request(&reports, "b1c3a0f2d4e5968778695a4b", "shop", Duration::from_millis(1_700_500));
        let request: Value = serde_json::from_slice(&request).unwrap();
        assert_eq!(
            request["SamplingStatisticsDocuments"][0],
            json!({"RuleName": "Default", "ClientID": "b1c3a0f2d4e5968778695a4b", "Timestamp": 1700,
                   "RequestCount": 20, "SampledCount": 3, "BorrowCount": 1})
        );
        assert_eq!(
            request["SamplingBoostStatisticsDocuments"],
            json!([{"RuleName": "checkout", "ServiceName": "shop", "Timestamp": 1700, "AnomalyCount": 4,
                    "TotalCount": 20, "SampledAnomalyCount": 2}])
        );
        let plain = targets_request(&reports[..1], "", "", Duration::ZERO);
        assert!(!String::from_utf8(plain).unwrap().contains("Boost"));
    }

    #[test]
    fn answers_are_read_as_far_as_they_can_be() {
        let answer = json!({
            "SamplingTargetDocuments": [
                {"RuleName": "Default", "FixedRate": 0.1, "ReservoirQuota": 5, "ReservoirQuotaTTL": 1700000030.0,
                 "Interval": 10, "SamplingBoost": {"BoostRate": 0.5, "BoostRateTTL": 1700000060}},
                {"RuleName": "short", "FixedRate": 0.2}, {"FixedRate": 1}, 7
            ],
            "LastRuleModification": 1699990000.5,
            "UnprocessedStatistics": [{"RuleName": "gone", "ErrorCode": "400"}, {"RuleName": "busy"}],
        });
        let targets = parse_targets(answer.to_string().as_bytes()).unwrap();
        assert_eq!(targets.rules_modified, Some(1_699_990_000.5));
        assert_eq!(targets.unprocessed, [("gone".to_owned(), true), ("busy".to_owned(), false)]);
        let [full, short] = &targets.targets[..] else { panic!("{targets:?}") };
        assert_eq!((full.quota, full.quota_until), (Some(5), Some(1_700_000_030)));
        assert_eq!(full.boost, Some((0.5, 1_700_000_060)));
        assert_eq!((short.rate, short.quota, short.interval), (Some(0.2), None, None));
    }

    #[test]
    fn answers_of_another_kind_are_errors() {
        for garbage in ["", "<html>404</html>", "[]", "null", "{}", r#"{"Message":"denied"}"#] {
            assert!(parse_rules(garbage.as_bytes()).is_err(), "{garbage}");
            assert!(parse_targets(garbage.as_bytes()).is_err(), "{garbage}");
        }
        let page = parse_rules(br#"{"SamplingRuleRecords":[1,{}],"NextToken":""}"#).unwrap();
        assert!(page.rules.is_empty() && page.next.is_none());
    }
}
