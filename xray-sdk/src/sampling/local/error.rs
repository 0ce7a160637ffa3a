//! [`RulesError`]: what is wrong with a file of sampling rules, so that its author can correct it without looking
//! anything up.

use std::error::Error;
use std::path::PathBuf;
use std::{fmt, io};

/// The reason why sampling rules can't be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum RulesError {
    /// The file can't be read.
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
    /// The input is not JSON.
    Json(serde_json::Error),
    /// The document isn't an object, or a part of it has a wrong type.
    Shape(&'static str),
    /// `version` is neither 1 nor 2.
    Version(String),
    /// One rule can't be used.
    Rule {
        /// Which: its place among the rules, from 1; 0 for the default.
        number: usize,
        /// Its description, if it has one.
        description: Option<String>,
        /// The problem.
        problem: RuleProblem,
    },
}

/// The problem of one rule.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RuleProblem {
    /// The rule isn't a JSON object.
    NotAnObject,
    /// A member is missing.
    Missing(&'static str),
    /// A member is not a string.
    NotText(&'static str),
    /// `fixed_target` is this value, not a whole number from 0 to 4,294,967,295.
    FixedTarget(String),
    /// `rate` is this value, not a number from 0 to 1.
    Rate(String),
    /// The member belongs to the other version of the file's form.
    OtherVersion {
        /// The member.
        member: &'static str,
        /// The member of this version that replaces it.
        instead: &'static str,
    },
    /// The default rule has this condition, which only other rules may have.
    DefaultCondition(&'static str),
}

impl fmt::Display for RulesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { path, .. } => write!(f, "cannot read sampling rules from {path:?}"),
            Self::Json(err) => {
                write!(f, "sampling rules are not JSON: line {}, column {}", err.line(), err.column())
            }
            Self::Shape(expected) => write!(f, "sampling rules: {expected}"),
            Self::Version(found) => write!(f, "sampling rules: `version` is {found}, expected 1 or 2"),
            Self::Rule { number: 0, problem, .. } => write!(f, "default sampling rule: {problem}"),
            Self::Rule { number, description: Some(description), problem } => {
                write!(f, "sampling rule {number} ({description:?}): {problem}")
            }
            Self::Rule { number, description: None, problem } => {
                write!(f, "sampling rule {number}: {problem}")
            }
        }
    }
}

impl Error for RulesError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Read { error, .. } => Some(error),
            Self::Json(err) => Some(err),
            _ => None,
        }
    }
}

impl fmt::Display for RuleProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject => f.write_str("the rule must be an object"),
            Self::Missing(member) => write!(f, "`{member}` is missing"),
            Self::NotText(member) => write!(f, "`{member}` must be a string"),
            Self::FixedTarget(found) => {
                write!(f, "`fixed_target` is {found}, expected a whole number from 0 to 4294967295")
            }
            Self::Rate(found) => write!(f, "`rate` is {found}, expected a number from 0 to 1"),
            Self::OtherVersion { member, instead } => {
                write!(f, "`{member}` belongs to another version, use `{instead}`")
            }
            Self::DefaultCondition(member) => {
                write!(f, "the default rule must not contain `{member}`")
            }
        }
    }
}
