//! A policy document as a whole.
//!
//! Version, statements and their uniqueness are checked here, each statement by itself in its own room. The source is kept
//! beside what was parsed, for those who show it.

use std::error::Error;
use std::fmt;

use super::json::Json;
use super::statement::{Kind, Statement};

/// A policy whose every element was understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    pub(super) statements: Vec<Statement>,
    source: String,
}

/// A policy document that is not accepted, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError(String);

impl fmt::Display for PolicyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Error for PolicyError {}

impl Policy {
    /// Parses a policy document.
    ///
    /// # Errors
    /// JSON that is none or repeats a key; an element, operator or version that IAM does not have; a value that can't be
    /// compared by its operator.
    ///
    /// ```
    /// use xray_local::access::policy::{Kind, Policy};
    ///
    /// let policy = r#"{"Version": "2012-10-17", "Statement": {
    ///     "Effect": "Allow", "Action": "xray:Get*", "Resource": "*"
    /// }}"#;
    /// assert!(Policy::parse(policy, Kind::Identity).is_ok());
    ///
    /// let err = Policy::parse(&policy.replace("Effect", "Efect"), Kind::Identity).unwrap_err();
    /// assert_eq!(err.to_string(), "statement 1: \"Efect\" is not an element of a statement");
    /// ```
    pub fn parse(source: &str, kind: Kind) -> Result<Self, PolicyError> {
        let error = |message: String| PolicyError(message);
        let Json::Object(members) =
            Json::parse(source).map_err(|err| error(format!("not a JSON document: {err}")))?
        else {
            return Err(error("a policy must be a JSON object".to_owned()));
        };
        let (mut variables, mut statements) = (false, None);
        for (name, value) in members {
            match (name.as_str(), value) {
                ("Version", Json::String(version)) => match version.as_str() {
                    "2012-10-17" => variables = true,
                    "2008-10-17" => {}
                    _ => {
                        return Err(error(format!(
                            "Version is \"{version}\", but must be \"2012-10-17\" or \"2008-10-17\""
                        )));
                    }
                },
                ("Id", Json::String(_)) => {}
                ("Statement", Json::List(list)) => statements = Some(list),
                ("Statement", one @ Json::Object(_)) => statements = Some(vec![one]),
                ("Version" | "Id" | "Statement", value) => {
                    return Err(error(format!("{name} can't be {}", value.kind())));
                }
                _ => return Err(error(format!("\"{name}\" is not an element of a policy"))),
            }
        }
        let statements = statements
            .filter(|list| !list.is_empty())
            .ok_or_else(|| error("Statement is missing".to_owned()))?;
        let mut parsed: Vec<Statement> = Vec::with_capacity(statements.len());
        for (index, value) in statements.into_iter().enumerate() {
            let statement = Statement::parse(value, kind, variables)
                .map_err(|err| error(format!("statement {}: {err}", index + 1)))?;
            if statement.sid.is_some() && parsed.iter().any(|known| known.sid == statement.sid) {
                return Err(error(format!("statement {}: its Sid occurs twice", index + 1)));
            }
            parsed.push(statement);
        }
        Ok(Self { statements: parsed, source: source.to_owned() })
    }

    /// The document as it was given.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Sentences on what is accepted, but can't have the effect that its author may expect.
    ///
    /// `actions` are the actions that exist, such as `xray:GetGroup`; `keys` are the condition keys that requests have.
    pub fn warnings(&self, actions: &[&str], keys: &[&str]) -> Vec<String> {
        let actions: Vec<String> = actions.iter().map(|action| action.to_ascii_lowercase()).collect();
        let mut warnings = Vec::new();
        for (index, statement) in self.statements.iter().enumerate() {
            for action in statement.idle_actions(&actions) {
                warnings.push(format!("statement {}: \"{action}\" matches no action of X-Ray", index + 1));
            }
            for key in statement.condition_keys() {
                let is_known = keys.iter().any(|known| {
                    let known = known.to_ascii_lowercase();
                    known == key || (known.ends_with('/') && key.starts_with(&known))
                });
                if !is_known {
                    warnings.push(format!(
                        "statement {}: no request has the condition key \"{key}\" here",
                        index + 1
                    ));
                }
            }
        }
        warnings
    }
}
