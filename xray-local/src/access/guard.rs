//! The guard at the doors: finds the caller of a request, decides on its action, and records the decision.
//!
//! Modes are applied here and nowhere else: below this room a signature is right or wrong and an action allowed or not,
//! above it a request goes on or is refused.

use std::sync::Arc;

use rusqlite::Connection;

use super::decisions::{Decision, Recorder};
use super::identity::{Caller, Origin, directory};
use super::mode::Mode;
use super::policy::{Context, Kind, Named, Policy, Question, Verdict, evaluate};
use super::refusal::{Refusal, denial};
use super::signature::{Expected, Received, SignatureError, Signed};
use crate::model::{Door, Home, Time};

/// Facts of the server that access control needs.
#[derive(Clone, Debug)]
pub struct Guard {
    /// Mode of access control.
    pub mode: Mode,
    /// Region and account.
    pub home: Home,
    /// Recorder of decisions.
    pub recorder: Recorder,
}

/// A request's action, as policies see it.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// `xray:GetGroup`
    pub action: String,
    /// The resource's ARN; empty for `*`.
    pub resource: String,
    /// Condition keys of this request besides those of its caller.
    pub keys: Vec<(String, Vec<String>)>,
}

impl Guard {
    /// Finds the caller of a request at X-Ray's own door, for the service `xray` or `sts`.
    ///
    /// If the mode does not refuse, a caller without an accepted signature is anonymous.
    ///
    /// # Errors
    /// The signature is not accepted, and the mode refuses; or the store fails.
    pub fn identify(
        &self,
        connection: &Connection,
        request: &Received<'_>,
        service: &str,
        origin: Origin,
    ) -> Result<Caller, Refusal> {
        if self.mode == Mode::Off {
            return Ok(Caller::anonymous(&self.home, None, origin));
        }
        // STS has a global endpoint, which signs for us-east-1 whatever region its user works in.
        let region = (service == "xray").then_some(self.home.region.as_str());
        let now = std::time::UNIX_EPOCH + std::time::Duration::from_micros(origin.now.0.unsigned_abs());
        let expected = Expected { region, service, now };
        match Caller::of_request(connection, &self.home, request, &expected, origin) {
            Err(Refusal::Signature(why)) => {
                let mut caller = Caller::anonymous(&self.home, Some(why), origin);
                if let Ok(signed) = Signed::read(request) {
                    caller.principal.id = signed.credential.key;
                }
                Ok(caller)
            }
            other => other,
        }
    }

    /// The identity `daemon`, as which the daemon's door acts.
    ///
    /// # Errors
    /// The store's.
    pub fn daemon(&self, connection: &Connection, origin: Origin) -> Result<Caller, Refusal> {
        match directory::find(connection, directory::DAEMON)? {
            Some(identity) => Caller::of_identity(connection, &self.home, &identity, None, origin),
            None => Ok(Caller::anonymous(&self.home, Some(SignatureError::UnknownClient), origin)),
        }
    }

    /// Decides whether the caller may do this, and records the decision.
    ///
    /// # Errors
    /// The signature or the policies do not allow it, and the mode refuses; or the store fails.
    pub fn authorize(
        &self,
        connection: &Connection,
        caller: &Caller,
        asked: &Asked,
        door: Door,
        now: Time,
    ) -> Result<(), Refusal> {
        if self.mode == Mode::Off {
            return Ok(());
        }
        let resource = if asked.resource.is_empty() { "*" } else { asked.resource.as_str() };
        if let Some(why) = &caller.unproven {
            return self.settle_unproven(caller, why, &asked.action, resource, door, now);
        }
        let mut policies = caller.policies.clone();
        policies.resource = resource_policies(connection)?;
        let context = self.context(caller, asked);
        let question =
            Question { principal: &caller.principal, action: &asked.action, resource, context: &context };
        let verdict = evaluate(&question, &policies);
        self.settle(caller, &asked.action, resource, &verdict, door, now)
    }

    /// All condition keys of a request.
    pub(super) fn context(&self, caller: &Caller, asked: &Asked) -> Context {
        let mut context = caller.context().clone();
        if !asked.resource.is_empty() {
            context.set("aws:ResourceAccount", self.home.account.as_str());
        }
        for (key, values) in &asked.keys {
            context.set_all(key, values.clone());
        }
        context
    }

    /// Records that a signature was not accepted, and refuses if the mode says so.
    pub(super) fn settle_unproven(
        &self,
        caller: &Caller,
        why: &SignatureError,
        action: &str,
        resource: &str,
        door: Door,
        now: Time,
    ) -> Result<(), Refusal> {
        let mut decision = Decision::new(door, self.mode);
        decision.principal = caller.principal.id.clone();
        decision.action = action.to_owned();
        decision.resource = resource.to_owned();
        // Times differ from request to request, and equal decisions are one row.
        let reason = why.to_string();
        let reason = reason.split_once(": 2").map_or(reason.as_str(), |(kind, _)| kind);
        decision.reason = format!("{}: {reason}", why.code());
        self.recorder.record(decision, now);
        match self.mode {
            Mode::Enforce => Err(Refusal::Signature(why.clone())),
            Mode::Warn | Mode::Off => Ok(()),
        }
    }

    /// Records a verdict, and refuses if the mode says so.
    pub(super) fn settle(
        &self,
        caller: &Caller,
        action: &str,
        resource: &str,
        verdict: &Verdict,
        door: Door,
        now: Time,
    ) -> Result<(), Refusal> {
        let message = denial(&caller.principal, action, resource, verdict);
        let mut decision = Decision::new(door, self.mode);
        decision.principal = caller.principal.arn.clone();
        decision.action = action.to_owned();
        decision.resource = resource.to_owned();
        decision.allowed = verdict.is_allowed();
        if let Some(statement) = &verdict.statement {
            decision.policy = Some(statement.policy.clone());
            let sid = statement.sid.as_ref().map(|sid| format!(" ({sid})")).unwrap_or_default();
            decision.statement = Some(format!("{}{sid}", statement.index + 1));
        }
        decision.reason = match (&verdict.statement, verdict.is_allowed()) {
            (Some(statement), true) => format!("allowed by {statement}"),
            (Some(statement), false) => format!("denied by {statement}"),
            (None, _) => message.clone(),
        };
        self.recorder.record(decision, now);
        if verdict.is_allowed() || self.mode != Mode::Enforce {
            return Ok(());
        }
        Err(Refusal::Denied(message))
    }
}

/// X-Ray's own resource policies.
fn resource_policies(connection: &Connection) -> Result<Vec<Named>, Refusal> {
    let mut statement =
        connection.prepare_cached("SELECT name, document FROM resource_policies ORDER BY name")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let mut policies = Vec::new();
    for row in rows {
        let (name, document) = row?;
        let policy = Policy::parse(&document, Kind::Resource).map_err(|err| {
            Refusal::Broken(format!("the stored resource policy {name} is not understood: {err}"))
        })?;
        policies.push(Named { name, policy: Arc::new(policy) });
    }
    Ok(policies)
}
