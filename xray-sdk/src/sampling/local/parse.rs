//! The form of rule files (X-Ray Developer Guide, "Configuring sampling rules" of each SDK). Version 1 calls
//! `service_name` what version 2 calls `host`; both mean the request's `Host`.
//!
//! Unknown members are ignored, as in three of the four official SDKs.

use serde_json::{Map, Value};

use super::error::{RuleProblem, RulesError};
use super::rule::LocalRule;

/// The rules in order, and the default.
pub(super) fn parse(text: &str) -> Result<(Vec<LocalRule>, LocalRule), RulesError> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let document: Value = serde_json::from_str(text).map_err(RulesError::Json)?;
    let Value::Object(document) = document else {
        return Err(RulesError::Shape("the document must be an object"));
    };
    let form = match document.get("version") {
        None => return Err(RulesError::Shape("`version` is missing, expected 1 or 2")),
        Some(version) => Form::of(version).ok_or_else(|| RulesError::Version(version.to_string()))?,
    };
    let default =
        document.get("default").ok_or(RulesError::Shape("`default` is missing, expected a rule"))?;
    let default = default_rule(default).map_err(|problem| at(0, default, problem))?;
    let rules = match document.get("rules") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(rules)) => (1..)
            .zip(rules)
            .map(|(number, rule)| form.rule(rule).map_err(|problem| at(number, rule, problem)))
            .collect::<Result<_, _>>()?,
        Some(_) => return Err(RulesError::Shape("`rules` must be a list")),
    };
    Ok((rules, default))
}

fn at(number: usize, rule: &Value, problem: RuleProblem) -> RulesError {
    let description = rule.get("description").and_then(Value::as_str).map(str::to_owned);
    RulesError::Rule { number, description, problem }
}

/// The name of the request's host in one version of the format, and in the other.
struct Form {
    host: &'static str,
    other: &'static str,
}

impl Form {
    fn of(version: &Value) -> Option<Self> {
        match version.as_f64()? {
            1.0 => Some(Self { host: "service_name", other: "host" }),
            2.0 => Some(Self { host: "host", other: "service_name" }),
            _ => None,
        }
    }

    fn rule(&self, rule: &Value) -> Result<LocalRule, RuleProblem> {
        let Value::Object(rule) = rule else { return Err(RuleProblem::NotAnObject) };
        if rule.contains_key(self.other) {
            return Err(RuleProblem::OtherVersion { member: self.other, instead: self.host });
        }
        let (host, method) = (text(rule, self.host)?, text(rule, "http_method")?);
        let path = text(rule, "url_path")?;
        let made = LocalRule::new(fixed_target(rule)?, rate(rule)?).host(host).method(method).path(path);
        Ok(match rule.get("description").and_then(Value::as_str) {
            Some(description) => made.description(description),
            None => made,
        })
    }
}

fn default_rule(rule: &Value) -> Result<LocalRule, RuleProblem> {
    let Value::Object(rule) = rule else { return Err(RuleProblem::NotAnObject) };
    for condition in ["host", "service_name", "http_method", "url_path"] {
        if rule.contains_key(condition) {
            return Err(RuleProblem::DefaultCondition(condition));
        }
    }
    Ok(LocalRule::new(fixed_target(rule)?, rate(rule)?))
}

fn text<'a>(rule: &'a Map<String, Value>, member: &'static str) -> Result<&'a str, RuleProblem> {
    match rule.get(member) {
        None => Err(RuleProblem::Missing(member)),
        Some(value) => value.as_str().ok_or(RuleProblem::NotText(member)),
    }
}

fn fixed_target(rule: &Map<String, Value>) -> Result<u32, RuleProblem> {
    let value = rule.get("fixed_target").ok_or(RuleProblem::Missing("fixed_target"))?;
    // A whole number with a fraction of zero, `1.0`, is what some tools make of `1`.
    let whole =
        value.as_f64().filter(|target| target.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(target));
    whole.map(|target| target as u32).ok_or_else(|| RuleProblem::FixedTarget(value.to_string()))
}

fn rate(rule: &Map<String, Value>) -> Result<f64, RuleProblem> {
    let value = rule.get("rate").ok_or(RuleProblem::Missing("rate"))?;
    value.as_f64().ok_or_else(|| RuleProblem::Rate(value.to_string()))
}

/// The mark that some editors put before a file's first character.
const BYTE_ORDER_MARK: char = '\u{feff}';
