//! The form of a call: `Action=AssumeRole&Version=2011-06-15&RoleArn=…`, in the body or in the query.
//!
//! STS shares its path with the console's first page. A call is recognized by its form: a posted one, or an `Action` in
//! the query.

use http::Method;

use crate::access::refusal::Refusal;
use crate::access::signature::Received;

/// Version of STS's API.
const VERSION: &str = "2011-06-15";

/// A call's parameters.
#[derive(Clone, Debug, Default)]
pub struct Form {
    pairs: Vec<(String, String)>,
}

/// An operation of STS that exists here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Makes a session of a role.
    AssumeRole,
    /// Says who the caller is.
    GetCallerIdentity,
    /// Makes a session of the calling user.
    GetSessionToken,
}

impl Operation {
    /// The operation's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AssumeRole => "AssumeRole",
            Self::GetCallerIdentity => "GetCallerIdentity",
            Self::GetSessionToken => "GetSessionToken",
        }
    }
}

/// Reports whether a request to `/` is meant for STS: a form that is posted, or a presigned URL with an action.
pub fn is_call(request: &Received<'_>) -> bool {
    let is_form = request
        .headers
        .get("content-type")
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"));
    let query = request.uri.query().unwrap_or_default();
    let has_action = form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "Action");
    request.uri.path() == "/" && ((*request.method == Method::POST && is_form) || has_action)
}

impl Form {
    /// Reads the form from query and body.
    #[must_use]
    pub fn read(request: &Received<'_>) -> Self {
        let query = request.uri.query().unwrap_or_default();
        let mut pairs: Vec<(String, String)> =
            form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        pairs.extend(form_urlencoded::parse(request.body).into_owned());
        Self { pairs }
    }

    /// The operation that is called.
    ///
    /// # Errors
    /// There is none, or it does not exist here.
    pub fn operation(&self) -> Result<Operation, Refusal> {
        let action = self.get("Action").unwrap_or_default();
        if action.is_empty() {
            return Err(Refusal::Invalid(
                "MissingAction",
                "The request must contain the parameter Action.".to_owned(),
            ));
        }
        [Operation::AssumeRole, Operation::GetCallerIdentity, Operation::GetSessionToken]
            .into_iter()
            .find(|operation| operation.name() == action && self.get("Version").is_none_or(|v| v == VERSION))
            .ok_or_else(|| {
                let version = self.get("Version").unwrap_or_default();
                Refusal::Invalid(
                    "InvalidAction",
                    format!(
                        "Could not find operation {action} for version {version}; xray-local has AssumeRole, \
                             GetCallerIdentity and GetSessionToken of version {VERSION}"
                    ),
                )
            })
    }

    /// A parameter's value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that has to be there.
    ///
    /// # Errors
    /// The parameter is missing.
    pub(super) fn need(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).filter(|value| !value.is_empty()).ok_or_else(|| {
            let member = name[..1].to_lowercase() + &name[1..];
            validation(format!(
                "Value null at '{member}' failed to satisfy constraint: Member must not be null"
            ))
        })
    }

    /// `PolicyArns.member.1.arn`, `PolicyArns.member.2.arn`, …
    pub(super) fn members(&self, list: &str, member: &str) -> Vec<&str> {
        (1..).map_while(|number| self.get(&format!("{list}.member.{number}{member}"))).collect()
    }

    /// `DurationSeconds`, at least 15 minutes.
    pub(super) fn duration(&self, default: i64, longest: i64) -> Result<i64, Refusal> {
        let Some(given) = self.get("DurationSeconds") else { return Ok(default.min(longest)) };
        given.parse().ok().filter(|seconds| (900..=longest).contains(seconds)).ok_or_else(|| {
            validation(format!(
                "Value '{given}' at 'durationSeconds' failed to satisfy constraint: Member must have value between 900 and \
                 {longest}"
            ))
        })
    }
}

/// The error of a parameter that breaks a rule.
pub(super) fn validation(what: impl std::fmt::Display) -> Refusal {
    Refusal::Invalid("ValidationError", format!("1 validation error detected: {what}"))
}
