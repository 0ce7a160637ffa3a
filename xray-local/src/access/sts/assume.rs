//! `AssumeRole`: trust policy, session policies, duration, and the session's key.
//!
//! The guard decides who may assume a role, and the decision is recorded like any other. Restrictions that the caller
//! passes are kept with the session's key and parsed again whenever it is used.

use std::sync::Arc;

use rusqlite::Connection;

use super::form::{Form, validation};
use super::xml;
use crate::access::guard::{Asked, Guard};
use crate::access::identity::{Caller, Identity, IdentityKind, StoredPolicy, directory};
use crate::access::policy::{Kind, Named, Policy, Question, evaluate_trust};
use crate::access::refusal::Refusal;
use crate::model::{Door, Length, Time};

/// Parts of a session that is allowed.
pub(super) struct Grant {
    role: Identity,
    session: String,
    policy: Option<String>,
    expires: Time,
}

/// Decides whether the caller may assume the role.
pub(super) fn decide(
    connection: &Connection,
    guard: &Guard,
    caller: &Caller,
    form: &Form,
    now: Time,
) -> Result<Grant, Refusal> {
    let arn = form.need("RoleArn")?;
    let session = form.need("RoleSessionName")?;
    let is_name = (2..=64).contains(&session.len())
        && session.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte));
    if !is_name {
        return Err(validation(format!(
            "Value '{session}' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression \
             pattern: [\\w+=,.@-]*, with 2 to 64 characters"
        )));
    }
    // One hour by default, as much as a role allows for if it was made without saying more; chained roles get no more.
    let longest = if caller.session_since.is_some() { 3_600 } else { 43_200 };
    let seconds = form.duration(3_600, longest)?;
    let policy = session_policy(form)?;
    let role = directory::find_arn(connection, arn)?.filter(|identity| identity.kind == IdentityKind::Role);
    let asked = Asked {
        action: "sts:AssumeRole".to_owned(),
        resource: arn.to_owned(),
        keys: [("sts:ExternalId", form.get("ExternalId")), ("sts:RoleSessionName", Some(session))]
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), vec![value?.to_owned()])))
            .collect(),
    };
    if let Some(why) = &caller.unproven {
        guard.settle_unproven(caller, why, &asked.action, arn, Door::Api, now)?;
    }
    let Some(role) = role else {
        // As in AWS, the answer does not show whether a role exists.
        return Err(Refusal::Denied(format!(
            "User: {} is not authorized to perform: sts:AssumeRole on resource: {arn}",
            caller.principal.arn
        )));
    };
    let trust = role.trust.clone().unwrap_or_default();
    let trust = Policy::parse(&trust, Kind::Trust).map_err(|err| {
        Refusal::Broken(format!("the trust policy of {} is not understood: {err}", role.name))
    })?;
    let trust = Named { name: format!("trust policy of {}", role.name), policy: Arc::new(trust) };
    let context = guard.context(caller, &asked);
    let question =
        Question { principal: &caller.principal, action: &asked.action, resource: arn, context: &context };
    if caller.unproven.is_none() && guard.mode != crate::access::Mode::Off {
        let verdict = evaluate_trust(&question, &caller.policies, &trust);
        guard.settle(caller, &asked.action, arn, &verdict, Door::Api, now)?;
    }
    let expires = now.plus(Length(seconds * 1_000_000));
    Ok(Grant { role, session: session.to_owned(), policy, expires })
}

/// Makes the session.
pub(super) fn grant(connection: &Connection, grant: &Grant, now: Time) -> Result<String, Refusal> {
    let Grant { role, session, policy, expires } = grant;
    let key = directory::add_session(connection, role, Some(session), policy.clone(), now, *expires)?;
    let arn = role.arn.replacen(":iam:", ":sts:", 1).replacen(":role/", ":assumed-role/", 1);
    let user = format!(
        "<AssumedRoleUser>{}{}</AssumedRoleUser>",
        xml::member("AssumedRoleId", &format!("{}:{session}", role.id)),
        xml::member("Arn", &format!("{arn}/{session}"))
    );
    Ok(format!("{}{user}", xml::credentials(&key)))
}

/// `Policy` and `PolicyArns` as they are stored. `None` if the session is not restricted.
fn session_policy(form: &Form) -> Result<Option<String>, Refusal> {
    let mut policies = Vec::new();
    if let Some(document) = form.get("Policy") {
        Policy::parse(document, Kind::Identity).map_err(|err| {
            Refusal::Invalid("MalformedPolicyDocument", format!("The policy is not valid: {err}"))
        })?;
        policies
            .push(StoredPolicy { name: "session policy".to_owned(), document: Some(document.to_owned()) });
    }
    for arn in form.members("PolicyArns", ".arn") {
        directory::parse(arn.to_owned(), None).map_err(|err| validation(err.to_string()))?;
        policies.push(StoredPolicy { name: arn.to_owned(), document: None });
    }
    if policies.is_empty() {
        return Ok(None);
    }
    serde_json::to_string(&policies).map(Some).map_err(|err| Refusal::Broken(err.to_string()))
}
