//! Sampling rules, kept as the API's JSON.
//!
//! Members that this version does not know are kept as well, so that clients read back what they wrote. The list is in the
//! order in which clients try rules.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::{Map, Value, json};

use crate::control::{ControlError, Limits, settings, tags};
use crate::model::{Home, Time, limits};

/// The rule that every account has, and that comes last.
const DEFAULT: &str = "Default";

/// Members of a rule that have to be there.
const REQUIRED: [&str; 10] = [
    "ResourceARN",
    "Priority",
    "FixedRate",
    "ReservoirSize",
    "ServiceName",
    "ServiceType",
    "Host",
    "HTTPMethod",
    "URLPath",
    "Version",
];

/// A sampling rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The name.
    pub name: String,
    /// `SamplingRule` of the API.
    pub rule: Value,
    /// Time at which the rule was made; 0 for the default rule.
    pub created: Time,
    /// Time of the last change.
    pub modified: Time,
}

impl Rule {
    /// The API's `SamplingRuleRecord`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "SamplingRule": self.rule,
            "CreatedAt": self.created.seconds(),
            "ModifiedAt": self.modified.seconds(),
        })
    }

    /// Requests each second that are sampled before the rate counts.
    #[must_use]
    pub fn reservoir(&self) -> u64 {
        self.rule["ReservoirSize"].as_u64().unwrap_or(0)
    }

    /// The share of the other requests that are sampled.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.rule["FixedRate"].as_f64().unwrap_or(0.0)
    }

    /// `SamplingRateBoost`: the highest rate, and the minutes between two boosts.
    pub(super) fn boost(&self) -> Option<(f64, i64)> {
        let boost = self.rule.get("SamplingRateBoost")?;
        Some((boost["MaxRate"].as_f64()?, boost["CooldownWindowMinutes"].as_i64()?))
    }
}

/// Reference to a rule in a request: its name or its ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleKey {
    /// `RuleName`
    Name(String),
    /// `RuleARN`
    Arn(String),
}

impl RuleKey {
    /// # Errors
    /// Both are given, or none.
    pub fn of(name: Option<&str>, arn: Option<&str>) -> Result<Self, ControlError> {
        match (name, arn) {
            (Some(name), None) => Ok(Self::Name(name.to_owned())),
            (None, Some(arn)) => Ok(Self::Arn(arn.to_owned())),
            _ => Err(ControlError::invalid("Exactly one of RuleName and RuleARN must be given")),
        }
    }
}

/// The ARN of the rule of this name.
#[must_use]
pub fn arn(home: &Home, name: &str) -> String {
    home.xray_arn(&format!("sampling-rule/{name}"))
}

/// Makes the default rule unless it is there. Here it samples every request: on one's own machine nothing shall be missed.
///
/// # Errors
/// The store's.
pub fn ensure_default(connection: &Connection, home: &Home) -> Result<(), ControlError> {
    let rule = json!({
        "RuleName": DEFAULT,
        "RuleARN": arn(home, DEFAULT),
        "ResourceARN": "*",
        "Priority": 10_000,
        "FixedRate": 1.0,
        "ReservoirSize": 1,
        "ServiceName": "*",
        "ServiceType": "*",
        "Host": "*",
        "HTTPMethod": "*",
        "URLPath": "*",
        "Version": 1,
        "Attributes": {},
    });
    connection.execute(
        "INSERT OR IGNORE INTO sampling_rules (name, arn, priority, rule, created_us, modified_us)
         VALUES (?, ?, 10000, ?, 0, 0)",
        params![DEFAULT, arn(home, DEFAULT), rule.to_string()],
    )?;
    Ok(())
}

/// Rules in the order in which clients try them, after the first `skip`.
///
/// # Errors
/// The store's.
pub fn list(connection: &Connection, skip: usize, limit: usize) -> Result<Vec<Rule>, ControlError> {
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let mut statement =
        connection.prepare_cached(&format!("{SELECT} ORDER BY priority, name LIMIT ? OFFSET ?"))?;
    let rows = statement.query_map([number(limit), number(skip)], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The time of the last change of any rule, deletions included.
///
/// # Errors
/// The store's.
pub fn last_modification(connection: &Connection) -> Result<Time, ControlError> {
    let changed: i64 =
        connection
            .query_row("SELECT coalesce(max(modified_us), 0) FROM sampling_rules", [], |row| row.get(0))?;
    let deleted = settings::get(connection, "rule_deleted_us")?.and_then(|value| value.as_i64()).unwrap_or(0);
    Ok(Time(changed.max(deleted)))
}

/// The rule of this name or ARN.
///
/// # Errors
/// The store's, or there is none.
pub(super) fn find(connection: &Connection, key: &RuleKey) -> Result<Rule, ControlError> {
    let (column, value) = match key {
        RuleKey::Name(name) => ("name", name),
        RuleKey::Arn(arn) => ("arn", arn),
    };
    let rule = connection
        .prepare_cached(&format!("{SELECT} WHERE {column} = ?"))?
        .query_row([value], read)
        .optional()?;
    rule.ok_or_else(|| ControlError::invalid(format!("Sampling rule not found: {value}")))
}

/// Makes a rule.
///
/// # Errors
/// The name is missing or taken, a member is missing or out of range, or there are 25 rules.
pub fn create(
    connection: &Connection,
    home: &Home,
    rule: &Map<String, Value>,
    limits: Limits,
    now: Time,
) -> Result<Rule, ControlError> {
    let text = |name: &str| rule.get(name).and_then(Value::as_str);
    let (Some(name), None) = (text("RuleName"), text("RuleARN")) else {
        return Err(ControlError::invalid("A new rule must have a RuleName, and gets its RuleARN"));
    };
    if find(connection, &RuleKey::Name(name.to_owned())).is_ok() {
        return Err(ControlError::invalid(format!("Sampling rule already exists: {name}")));
    }
    let count: i64 =
        connection
            .query_row("SELECT count(*) FROM sampling_rules WHERE name <> ?", [DEFAULT], |row| row.get(0))?;
    if limits.exceeded(usize::try_from(count).unwrap_or_default() + 1, limits::SAMPLING_RULES) {
        let message = format!("An account can have at most {} sampling rules", limits::SAMPLING_RULES);
        return Err(ControlError::Refused("RuleLimitExceededException", message));
    }
    let mut rule = rule.clone();
    rule.insert("RuleARN".to_owned(), Value::from(arn(home, name)));
    rule.entry("Attributes").or_insert_with(|| json!({}));
    check(&rule)?;
    connection.execute(
        "INSERT INTO sampling_rules (name, arn, priority, rule, created_us, modified_us) VALUES (?, ?, ?, ?, ?, ?)",
        params![
            name,
            arn(home, name),
            rule["Priority"].as_i64(),
            Value::Object(rule.clone()).to_string(),
            now.0,
            now.0
        ],
    )?;
    find(connection, &RuleKey::Name(name.to_owned()))
}

/// Changes members of a rule. Of the default rule only rate and reservoir can be changed.
///
/// # Errors
/// There is no such rule, or a member can't have its value.
pub fn update(
    connection: &Connection,
    changes: &Map<String, Value>,
    now: Time,
) -> Result<Rule, ControlError> {
    let text = |name: &str| changes.get(name).and_then(Value::as_str);
    let key = RuleKey::of(text("RuleName"), text("RuleARN"))?;
    let before = find(connection, &key)?;
    let changes = changes
        .iter()
        .filter(|(name, value)| !matches!(name.as_str(), "RuleName" | "RuleARN") && !value.is_null());
    let mut rule = before.rule.as_object().cloned().unwrap_or_default();
    for (name, value) in changes {
        let is_changeable = before.name != DEFAULT || matches!(name.as_str(), "FixedRate" | "ReservoirSize");
        if !is_changeable && rule.get(name) != Some(value) {
            return Err(ControlError::invalid("Invalid update request for default sampling rule"));
        }
        rule.insert(name.clone(), value.clone());
    }
    check(&rule)?;
    connection.execute(
        "UPDATE sampling_rules SET priority = ?2, rule = ?3, modified_us = ?4 WHERE name = ?1",
        params![before.name, rule["Priority"].as_i64(), Value::Object(rule.clone()).to_string(), now.0],
    )?;
    find(connection, &key)
}

/// Deletes a rule and its tags.
///
/// # Errors
/// There is no such rule, or it is the default one.
pub fn delete(connection: &Connection, key: &RuleKey, now: Time) -> Result<Rule, ControlError> {
    let rule = find(connection, key)?;
    if rule.name == DEFAULT {
        return Err(ControlError::invalid("The default sampling rule can't be deleted"));
    }
    connection.execute("DELETE FROM sampling_rules WHERE name = ?", [&rule.name])?;
    settings::put(connection, "rule_deleted_us", &Value::from(now.0))?;
    let arn = rule.rule["RuleARN"].as_str().unwrap_or_default();
    tags::forget(connection, arn)?;
    Ok(rule)
}

/// Checks what the shape of a request leaves open: an update brings single members without the bounds of a whole rule.
fn check(rule: &Map<String, Value>) -> Result<(), ControlError> {
    if let Some(missing) = REQUIRED.into_iter().find(|name| !rule.contains_key(*name)) {
        return Err(ControlError::invalid(format!("{missing} is missing")));
    }
    let is_default = rule.get("RuleName").and_then(Value::as_str) == Some(DEFAULT);
    let priority = rule["Priority"].as_i64().unwrap_or(0);
    if !is_default && !(1..=9_999).contains(&priority) {
        return Err(ControlError::invalid(format!("Priority is {priority}, but must be between 1 and 9999")));
    }
    let rate = rule["FixedRate"].as_f64().unwrap_or(-1.0);
    if !(0.0..=1.0).contains(&rate) {
        return Err(ControlError::invalid(format!("FixedRate is {rate}, but must be between 0 and 1")));
    }
    if rule["ReservoirSize"].as_u64().is_none() {
        return Err(ControlError::invalid(format!(
            "ReservoirSize is {}, but must be 0 or more",
            rule["ReservoirSize"]
        )));
    }
    if rule["Version"].as_i64() != Some(1) {
        return Err(ControlError::invalid(format!("Version is {}, but must be 1", rule["Version"])));
    }
    Ok(())
}

const SELECT: &str = "SELECT name, rule, created_us, modified_us FROM sampling_rules";

fn read(row: &Row<'_>) -> Result<Rule, rusqlite::Error> {
    let rule: String = row.get(1)?;
    let rule = serde_json::from_str(&rule).map_err(|err| {
        rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, Box::new(err))
    })?;
    Ok(Rule { name: row.get(0)?, rule, created: Time(row.get(2)?), modified: Time(row.get(3)?) })
}
