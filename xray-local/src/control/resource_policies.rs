//! X-Ray's resource policies.
//!
//! A policy that is kept holds for the next request: access control reads them from the same table.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::{Value, json};

use super::{ControlError, Limits};
use crate::access::policy::{Context, Kind, Named, Outcome, Policies, Policy, Principal, Question, evaluate};
use crate::model::{Time, limits};

/// A stored resource policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourcePolicy {
    /// The name.
    pub name: String,
    /// The document as it was put.
    pub document: String,
    /// Counted up with each change.
    pub revision: String,
    /// The last change.
    pub updated: Time,
}

impl ResourcePolicy {
    /// The API's `ResourcePolicy`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "PolicyName": self.name,
            "PolicyDocument": self.document,
            "PolicyRevisionId": self.revision,
            "LastUpdatedTime": self.updated.seconds(),
        })
    }
}

/// Puts a policy, new or in place of the one of its name.
///
/// # Errors
/// A document that is not understood, is too large, or would lock the caller out; another revision than the one that is
/// there; too many policies.
pub fn put(
    connection: &Connection,
    policy: &ResourcePolicy,
    expected_revision: Option<&str>,
    caller: Option<&Principal>,
    limits: Limits,
) -> Result<ResourcePolicy, ControlError> {
    let ResourcePolicy { name, document, updated, .. } = policy;
    if limits.exceeded(document.len(), limits::RESOURCE_POLICIES.1) {
        let message = format!("A policy document can have at most {} bytes.", limits::RESOURCE_POLICIES.1);
        return Err(ControlError::Refused("PolicySizeLimitExceededException", message));
    }
    let parsed = Policy::parse(document, Kind::Resource).map_err(|err| {
        ControlError::Refused("MalformedPolicyDocumentException", format!("Invalid policy: {err}"))
    })?;
    if let Some(caller) = caller.filter(|caller| locks_out(caller, name, parsed)) {
        let message = format!("The policy would deny {} to change it again.", caller.arn);
        return Err(ControlError::Refused("LockoutPreventionException", message));
    }
    let before = find(connection, name)?;
    check_revision(before.as_ref(), expected_revision)?;
    if before.is_none() {
        let count: i64 =
            connection.query_row("SELECT count(*) FROM resource_policies", [], |row| row.get(0))?;
        if limits.exceeded(usize::try_from(count).unwrap_or_default() + 1, limits::RESOURCE_POLICIES.0) {
            let message =
                format!("An account can have at most {} resource policies.", limits::RESOURCE_POLICIES.0);
            return Err(ControlError::Refused("PolicyCountLimitExceededException", message));
        }
    }
    let revision = before.and_then(|policy| policy.revision.parse::<u64>().ok()).unwrap_or(0) + 1;
    connection.execute(
        "INSERT OR REPLACE INTO resource_policies (name, document, revision, updated_us) VALUES (?, ?, ?, ?)",
        params![name, document, revision.to_string(), updated.0],
    )?;
    Ok(ResourcePolicy { revision: revision.to_string(), ..policy.clone() })
}

/// Deletes a policy.
///
/// # Errors
/// There is none of this name, or its revision is another.
pub fn delete(
    connection: &Connection,
    name: &str,
    expected_revision: Option<&str>,
) -> Result<(), ControlError> {
    let before = find(connection, name)?;
    if before.is_none() {
        return Err(ControlError::invalid(format!("Resource policy not found: {name}")));
    }
    check_revision(before.as_ref(), expected_revision)?;
    connection.execute("DELETE FROM resource_policies WHERE name = ?", [name])?;
    Ok(())
}

/// Policies in alphabetical order, after the first `skip`.
///
/// # Errors
/// The store's.
pub fn list(connection: &Connection, skip: usize, limit: usize) -> Result<Vec<ResourcePolicy>, ControlError> {
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(&format!("{SELECT} ORDER BY name LIMIT ? OFFSET ?"))?;
    let rows = statement.query_map([number(limit), number(skip)], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn find(connection: &Connection, name: &str) -> Result<Option<ResourcePolicy>, ControlError> {
    Ok(connection.prepare_cached(&format!("{SELECT} WHERE name = ?"))?.query_row([name], read).optional()?)
}

/// A revision that is given has to be that of the policy; `0` says that there is none yet.
fn check_revision(before: Option<&ResourcePolicy>, expected: Option<&str>) -> Result<(), ControlError> {
    let found = before.map_or("0", |policy| policy.revision.as_str());
    match expected {
        Some(expected) if expected != found => {
            let message = format!("The policy has revision {found}, not {expected}.");
            Err(ControlError::Refused("InvalidPolicyRevisionIdException", message))
        }
        _ => Ok(()),
    }
}

fn locks_out(caller: &Principal, name: &str, policy: Policy) -> bool {
    let resource = vec![Named { name: name.to_owned(), policy: Arc::new(policy) }];
    let policies = Policies { resource, ..Policies::default() };
    let mut context = Context::default();
    context.set("xray:ResourcePolicyName", name);
    ["xray:PutResourcePolicy", "xray:DeleteResourcePolicy"].into_iter().any(|action| {
        let question = Question { principal: caller, action, resource: "*", context: &context };
        evaluate(&question, &policies).outcome == Outcome::ExplicitlyDenied
    })
}

const SELECT: &str = "SELECT name, document, revision, updated_us FROM resource_policies";

fn read(row: &Row<'_>) -> Result<ResourcePolicy, rusqlite::Error> {
    Ok(ResourcePolicy {
        name: row.get(0)?,
        document: row.get(1)?,
        revision: row.get(2)?,
        updated: Time(row.get(3)?),
    })
}
