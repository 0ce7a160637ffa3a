//! A request that access control refuses, with the name, status and message that AWS would answer with.
//!
//! Clients match on these names, and people search for these messages. So both are AWS's own, for X-Ray's JSON protocol
//! and for STS's query protocol.

use std::fmt;

use super::policy::{Layer, Outcome, Principal, Verdict};
use super::signature::SignatureError;
use crate::store::StoreError;

use super::identity::DirectoryError;

/// Reason for which a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The signature is not accepted.
    Signature(SignatureError),
    /// Policies do not allow the action: the message.
    Denied(String),
    /// A request that STS can't take: code and message.
    Invalid(&'static str, String),
    /// The data file can't be read or written.
    Store(StoreError),
    /// A stored policy or key can't be used.
    Broken(String),
}

impl Refusal {
    /// The error's name in X-Ray's API.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Signature(err) => err.code(),
            Self::Denied(_) => "AccessDeniedException",
            Self::Invalid(code, _) => code,
            Self::Store(_) | Self::Broken(_) => "InternalFailure",
        }
    }

    /// The error's name in STS's API.
    pub fn query_code(&self) -> &'static str {
        match self {
            Self::Signature(err) => err.query_code(),
            Self::Denied(_) => "AccessDenied",
            other => other.code(),
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Signature(_) | Self::Denied(_) => 403,
            Self::Invalid(..) => 400,
            Self::Store(_) | Self::Broken(_) => 500,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signature(err) => write!(formatter, "{err}"),
            Self::Denied(message) | Self::Invalid(_, message) | Self::Broken(message) => {
                formatter.write_str(message)
            }
            Self::Store(err) => write!(formatter, "{err}"),
        }
    }
}

impl std::error::Error for Refusal {}

impl From<StoreError> for Refusal {
    fn from(err: StoreError) -> Self {
        Self::Store(err)
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(err: rusqlite::Error) -> Self {
        Self::Store(err.into())
    }
}

impl From<DirectoryError> for Refusal {
    fn from(err: DirectoryError) -> Self {
        match err {
            DirectoryError::Store(err) => Self::Store(err),
            other => Self::Broken(other.to_string()),
        }
    }
}

/// AWS's message for a denied request: principal, action, resource where there is one, and the layer that decided.
///
/// Source: IAM user guide, "Troubleshoot access denied error messages".
pub fn denial(principal: &Principal, action: &str, resource: &str, verdict: &Verdict) -> String {
    let on_resource = if resource == "*" { String::new() } else { format!(" on resource: {resource}") };
    let layer = verdict.layer.name();
    let an = if layer.starts_with('i') { "an" } else { "a" };
    let reason = match (verdict.outcome, verdict.layer) {
        (Outcome::ExplicitlyDenied, _) => format!("with an explicit deny in {an} {layer}"),
        (_, Layer::Trust) => {
            return format!("User: {} is not authorized to perform: {action}{on_resource}", principal.arn);
        }
        _ => format!("because no {layer} allows the {action} action"),
    };
    format!("User: {} is not authorized to perform: {action}{on_resource} {reason}", principal.arn)
}
