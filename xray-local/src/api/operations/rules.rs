//! Sampling rules, targets and statistics.
//!
//! Rules are kept as the JSON that the API has for them. Targets are decided in the writer's transaction, so that reports
//! of several clients come one after the other.

use std::sync::{Arc, PoisonError};

use serde_json::{Value, json};

use crate::api::call::{Call, time, with_token};
use crate::api::error::ApiError;
use crate::control::sampling::{
    self, BoostStatistics, ClientStatistics, Outcome, Rule, RuleKey, Target, Unprocessed,
};
use crate::control::{ControlError, tags};
use crate::model::limits::{LIST_PAGE, STATISTICS_PAGE, TARGETS_INTERVAL_SECONDS};

pub(in crate::api) fn list(call: &Call) -> Result<Value, ApiError> {
    let (rules, next) =
        call.page(LIST_PAGE, |skip, limit| call.read(|connection| sampling::list(connection, skip, limit)))?;
    let records: Vec<Value> = rules.iter().map(Rule::to_json).collect();
    Ok(with_token(json!({"SamplingRuleRecords": records}), next))
}

pub(in crate::api) fn create(call: &Call) -> Result<Value, ApiError> {
    let rule = call.object("SamplingRule");
    let (home, limits, now, given) = (call.home().clone(), call.limits(), call.now, call.tags());
    let rule = call.write(move |connection| {
        let made = sampling::create(connection, &home, &rule, limits, now)?;
        tags::set(connection, made.rule["RuleARN"].as_str().unwrap_or_default(), &given, limits)?;
        Ok::<_, ControlError>(made)
    })?;
    Ok(json!({"SamplingRuleRecord": rule.to_json()}))
}

pub(in crate::api) fn update(call: &Call) -> Result<Value, ApiError> {
    let (changes, now) = (call.object("SamplingRuleUpdate"), call.now);
    let rule = call.write(move |connection| sampling::update(connection, &changes, now))?;
    Ok(json!({"SamplingRuleRecord": rule.to_json()}))
}

pub(in crate::api) fn delete(call: &Call) -> Result<Value, ApiError> {
    let key = RuleKey::of(call.text("RuleName"), call.text("RuleARN"))?;
    let now = call.now;
    let rule = call.write(move |connection| sampling::delete(connection, &key, now))?;
    Ok(json!({"SamplingRuleRecord": rule.to_json()}))
}

pub(in crate::api) fn targets(call: &Call) -> Result<Value, ApiError> {
    let reports: Vec<ClientStatistics> =
        call.list("SamplingStatisticsDocuments").iter().map(client_statistics).collect();
    let boosts: Vec<BoostStatistics> =
        call.list("SamplingBoostStatisticsDocuments").iter().map(boost_statistics).collect();
    let (targets, now) = (Arc::clone(&call.server.0.targets), call.now);
    let outcome: Outcome = call.write(move |connection| {
        let mut targets = targets.lock().unwrap_or_else(PoisonError::into_inner);
        targets.report(connection, &reports, &boosts, now)
    })?;
    Ok(json!({
        "SamplingTargetDocuments": outcome.targets.iter().map(target).collect::<Vec<_>>(),
        "LastRuleModification": outcome.last_modification.seconds(),
        "UnprocessedStatistics": outcome.unprocessed.iter().map(unprocessed).collect::<Vec<_>>(),
        "UnprocessedBoostStatistics": outcome.unprocessed_boosts.iter().map(unprocessed).collect::<Vec<_>>(),
    }))
}

pub(in crate::api) fn statistics(call: &Call) -> Result<Value, ApiError> {
    let (windows, next) = call.page(STATISTICS_PAGE, |skip, limit| {
        call.read(|connection| sampling::windows(connection, skip, limit))
    })?;
    let summaries: Vec<Value> = windows
        .iter()
        .map(|window| {
            json!({
                "RuleName": window.rule,
                "Timestamp": window.at as f64,
                "RequestCount": window.requests,
                "BorrowCount": window.borrowed,
                "SampledCount": window.sampled,
            })
        })
        .collect();
    Ok(with_token(json!({"SamplingStatisticSummaries": summaries}), next))
}

fn client_statistics(document: &Value) -> ClientStatistics {
    let count = |name: &str| document.get(name).and_then(Value::as_i64).unwrap_or(0);
    ClientStatistics {
        rule: text(document, "RuleName"),
        client: text(document, "ClientID"),
        at: time(document.get("Timestamp")),
        requests: count("RequestCount"),
        sampled: count("SampledCount"),
        borrowed: count("BorrowCount"),
    }
}

fn boost_statistics(document: &Value) -> BoostStatistics {
    let count = |name: &str| document.get(name).and_then(Value::as_u64).unwrap_or(0);
    BoostStatistics {
        rule: text(document, "RuleName"),
        anomalies: count("AnomalyCount"),
        total: count("TotalCount"),
    }
}

fn text(document: &Value, name: &str) -> String {
    document.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn target(target: &Target) -> Value {
    let mut json = json!({
        "RuleName": target.rule,
        "FixedRate": target.rate,
        "ReservoirQuota": target.quota,
        "ReservoirQuotaTTL": target.until.seconds(),
        "Interval": TARGETS_INTERVAL_SECONDS,
    });
    if let Some((rate, until)) = target.boost {
        json["SamplingBoost"] = json!({"BoostRate": rate, "BoostRateTTL": until.seconds()});
    }
    json
}

fn unprocessed(unprocessed: &Unprocessed) -> Value {
    json!({"RuleName": unprocessed.rule, "ErrorCode": unprocessed.code, "Message": unprocessed.message})
}
