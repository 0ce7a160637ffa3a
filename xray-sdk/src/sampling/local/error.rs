//! What is wrong with a file of sampling rules, said so that it can be mended without looking anything up.
//! Whoever wrote the rules is at fault.

use std::error::Error;
use std::{fmt, io};

/// Why sampling rules can't be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum RulesError {
    /// The file can't be read.
    Read(io::Error),
    /// The text is not JSON.
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
        /// What is wrong with it.
        problem: RuleProblem,
    },
}

/// What is wrong with one rule.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RuleProblem {
    /// It isn't a JSON object.
    NotAnObject,
    /// A member is missing.
    Missing(&'static str),
    /// A member is not a text.
    NotText(&'static str),
    /// `fixed_target` is not a whole number from 0 to 4,294,967,295; this is what it is.
    FixedTarget(String),
    /// `rate` is not a share from 0 to 1; this is what it is.
    Rate(String),
    /// The member belongs to the other version of the file's form.
    OtherVersion {
        /// The member.
        member: &'static str,
        /// What takes its place in this version.
        instead: &'static str,
    },
    /// The default rule is for everything, and can't have this condition.
    DefaultCondition(&'static str),
}

impl fmt::Display for RulesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(_) => f.write_str("sampling rules can't be read"),
            Self::Json(_) => f.write_str("sampling rules are not JSON"),
            Self::Shape(expected) => write!(f, "sampling rules: {expected}"),
            Self::Version(found) => write!(f, "sampling rules: `version` is {found}, not 1 or 2"),
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
            Self::Read(err) => Some(err),
            Self::Json(err) => Some(err),
            _ => None,
        }
    }
}

impl fmt::Display for RuleProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject => f.write_str("it is not an object"),
            Self::Missing(member) => write!(f, "`{member}` is missing"),
            Self::NotText(member) => write!(f, "`{member}` is not a text"),
            Self::FixedTarget(found) => {
                write!(f, "`fixed_target` is {found}, not a whole number of traces a second")
            }
            Self::Rate(found) => write!(f, "`rate` is {found}, not a share from 0 to 1"),
            Self::OtherVersion { member, instead } => {
                write!(f, "`{member}` belongs to another version, write `{instead}`")
            }
            Self::DefaultCondition(member) => {
                write!(f, "it is for everything, `{member}` can't restrict it")
            }
        }
    }
}
