//! Condition operators: their names, what a policy may compare with, and how a request's value is held against that.
//!
//! Names are those of IAM, with their capitals. An unknown one is an error, since a condition that never holds would make
//! a `Deny` without effect.

use std::cmp::Ordering;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::arn::ArnPattern;
use super::net::Network;
use super::pattern::{Grammar, Template};
use super::{Context, timestamp};

/// An operator with its prefix and suffix, such as `ForAnyValue:StringLikeIfExists`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Operator {
    pub(super) quantifier: Quantifier,
    pub(super) test: Test,
    /// `Not…`: the values listed are those that may not be there.
    pub(super) negated: bool,
    pub(super) if_exists: bool,
}

/// Rule for several values of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quantifier {
    /// No prefix.
    Plain,
    ForAllValues,
    ForAnyValue,
}

/// Comparison of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Test {
    String { ignore_case: bool, wildcards: bool },
    Number(Comparison),
    Date(Comparison),
    Bool,
    Binary,
    Address,
    Arn,
    Null,
}

/// Orders that satisfy a comparison of a request's value with a policy's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A value of a policy, as its operator compares it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand {
    String(Template),
    Number(f64),
    Instant(i128),
    Bool(bool),
    Binary(Vec<u8>),
    Network(Network),
    Arn(ArnPattern),
}

impl Operator {
    /// # Errors
    /// A name that IAM does not have.
    pub(super) fn parse(name: &str) -> Result<Self, String> {
        let (quantifier, rest) = match name.split_once(':') {
            None => (Quantifier::Plain, name),
            Some(("ForAllValues", rest)) => (Quantifier::ForAllValues, rest),
            Some(("ForAnyValue", rest)) => (Quantifier::ForAnyValue, rest),
            Some(_) => return Err(unknown(name)),
        };
        let (base, if_exists) = match rest.strip_suffix("IfExists") {
            Some(base) => (base, true),
            None => (rest, false),
        };
        let (test, negated) = match base {
            "StringEquals" => (Test::String { ignore_case: false, wildcards: false }, false),
            "StringNotEquals" => (Test::String { ignore_case: false, wildcards: false }, true),
            "StringEqualsIgnoreCase" => (Test::String { ignore_case: true, wildcards: false }, false),
            "StringNotEqualsIgnoreCase" => (Test::String { ignore_case: true, wildcards: false }, true),
            "StringLike" => (Test::String { ignore_case: false, wildcards: true }, false),
            "StringNotLike" => (Test::String { ignore_case: false, wildcards: true }, true),
            "NumericEquals" => (Test::Number(Comparison::Equal), false),
            "NumericNotEquals" => (Test::Number(Comparison::Equal), true),
            "NumericLessThan" => (Test::Number(Comparison::Less), false),
            "NumericLessThanEquals" => (Test::Number(Comparison::LessOrEqual), false),
            "NumericGreaterThan" => (Test::Number(Comparison::Greater), false),
            "NumericGreaterThanEquals" => (Test::Number(Comparison::GreaterOrEqual), false),
            "DateEquals" => (Test::Date(Comparison::Equal), false),
            "DateNotEquals" => (Test::Date(Comparison::Equal), true),
            "DateLessThan" => (Test::Date(Comparison::Less), false),
            "DateLessThanEquals" => (Test::Date(Comparison::LessOrEqual), false),
            "DateGreaterThan" => (Test::Date(Comparison::Greater), false),
            "DateGreaterThanEquals" => (Test::Date(Comparison::GreaterOrEqual), false),
            "Bool" => (Test::Bool, false),
            "BinaryEquals" => (Test::Binary, false),
            "IpAddress" => (Test::Address, false),
            "NotIpAddress" => (Test::Address, true),
            "ArnEquals" | "ArnLike" => (Test::Arn, false),
            "ArnNotEquals" | "ArnNotLike" => (Test::Arn, true),
            "Null" if quantifier == Quantifier::Plain && !if_exists => (Test::Null, false),
            _ => return Err(unknown(name)),
        };
        Ok(Self { quantifier, test, negated, if_exists })
    }

    /// Reads a value that a policy compares with.
    ///
    /// # Errors
    /// A value that the operator can't compare.
    pub(super) fn operand(&self, source: &str, variables: bool) -> Result<Operand, String> {
        Ok(match self.test {
            Test::String { wildcards, .. } => {
                Operand::String(Template::parse(source, Grammar { wildcards, variables })?)
            }
            Test::Number(_) => {
                Operand::Number(number(source).ok_or_else(|| format!("\"{source}\" is not a number"))?)
            }
            Test::Date(_) => Operand::Instant(timestamp::parse(source).ok_or_else(|| {
                format!("\"{source}\" is not a date such as \"2026-01-31T00:00:00Z\" or a number of seconds")
            })?),
            Test::Bool | Test::Null => Operand::Bool(
                boolean(source).ok_or_else(|| format!("\"{source}\" is neither true nor false"))?,
            ),
            Test::Binary => {
                Operand::Binary(STANDARD.decode(source).map_err(|_| format!("\"{source}\" is not base64"))?)
            }
            Test::Address => Operand::Network(Network::parse(source)?),
            Test::Arn => Operand::Arn(ArnPattern::parse(source, variables)?),
        })
    }

    /// Reports whether a request's value equals, or relates to, one of a policy's; negation is not applied here.
    pub(super) fn compares(&self, operand: &Operand, value: &str, context: &Context) -> bool {
        match (operand, self.test) {
            (Operand::String(template), Test::String { ignore_case, .. }) => {
                template.matches(value, context, ignore_case)
            }
            (Operand::Number(policy), Test::Number(comparison)) => number(value)
                .and_then(|value| value.partial_cmp(policy))
                .is_some_and(|order| comparison.accepts(order)),
            (Operand::Instant(policy), Test::Date(comparison)) => {
                timestamp::parse(value).is_some_and(|value| comparison.accepts(value.cmp(policy)))
            }
            (Operand::Bool(policy), _) => boolean(value) == Some(*policy),
            (Operand::Binary(policy), _) => STANDARD.decode(value).is_ok_and(|value| value == *policy),
            (Operand::Network(policy), _) => {
                value.parse::<IpAddr>().is_ok_and(|address| policy.contains(address))
            }
            (Operand::Arn(policy), _) => policy.matches(value, context),
            _ => false,
        }
    }
}

impl Comparison {
    fn accepts(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order == Ordering::Equal,
            Self::Less => order == Ordering::Less,
            Self::LessOrEqual => order != Ordering::Greater,
            Self::Greater => order == Ordering::Greater,
            Self::GreaterOrEqual => order != Ordering::Less,
        }
    }
}

fn unknown(name: &str) -> String {
    format!("\"{name}\" is not a condition operator of IAM")
}

fn number(source: &str) -> Option<f64> {
    source.parse::<f64>().ok().filter(|number| number.is_finite())
}

fn boolean(source: &str) -> Option<bool> {
    match source {
        _ if source.eq_ignore_ascii_case("true") => Some(true),
        _ if source.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}
