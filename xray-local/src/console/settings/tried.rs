//! Decisions of policies: an identity, an action and a resource, tried without a call.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use maud::{Markup, html};
use rusqlite::Connection;
use serde::Deserialize;

use crate::access::policy::{Kind, Named, Policy, Question, Verdict, evaluate};
use crate::access::{Caller, Origin, Refusal, action, denial, directory};
use crate::console::parts::error::PageError;
use crate::control::resource_policies;
use crate::model::{Home, now};

/// Resource policies that are read.
const POLICIES: usize = 1_000;

/// The form: who asks for what.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Tried {
    who: String,
    action: String,
    resource: String,
}

/// The decision, or why there is none.
pub(super) type Outcome = Result<Decided, String>;

/// A verdict with the sentence that AWS would write for a denial.
pub(super) struct Decided {
    verdict: Verdict,
    denial: String,
}

impl Tried {
    /// Decides as the doors do, for a caller with this identity's policies at 127.0.0.1. Nothing is recorded.
    ///
    /// # Errors
    /// The store's.
    pub(super) fn decide(&self, connection: &Connection, home: &Home) -> Result<Option<Outcome>, PageError> {
        if self.action.trim().is_empty() {
            return Ok(None);
        }
        if !self.action.contains(':') {
            let message =
                format!("\"{}\" is not an action. Actions are like xray:PutTraceSegments.", self.action);
            return Ok(Some(Err(message)));
        }
        let found = directory::find(connection, &self.who).map_err(Refusal::from);
        let caller = found.and_then(|identity| match identity {
            Some(identity) => Caller::of_identity(connection, home, &identity, None, origin()).map(Some),
            None => Ok(None),
        });
        let caller = match caller {
            Ok(Some(caller)) => caller,
            Ok(None) => return Ok(Some(Err(format!("There is no identity {}.", self.who)))),
            Err(Refusal::Store(err)) => return Err(err.into()),
            Err(other) => return Ok(Some(Err(other.to_string()))),
        };
        let mut policies = caller.policies.clone();
        for stored in resource_policies::list(connection, 0, POLICIES)? {
            match Policy::parse(&stored.document, Kind::Resource) {
                Ok(policy) => {
                    policies.resource.push(Named { name: stored.name, policy: Arc::new(policy) });
                }
                Err(err) => return Ok(Some(Err(format!("The resource policy {}: {err}", stored.name)))),
            }
        }
        let mut context = caller.context().clone();
        let resource = self.resource();
        if resource != "*" {
            context.set("aws:ResourceAccount", home.account.as_str());
        }
        let action = self.action.trim();
        let question = Question { principal: &caller.principal, action, resource, context: &context };
        let verdict = evaluate(&question, &policies);
        let denial = denial(&caller.principal, action, resource, &verdict);
        Ok(Some(Ok(Decided { verdict, denial })))
    }

    fn resource(&self) -> &str {
        match self.resource.trim() {
            "" => "*",
            resource => resource,
        }
    }

    /// Writes the form, and the decision below it.
    pub(super) fn form(&self, names: &[&str], outcome: Option<&Outcome>) -> Markup {
        html! {
            h2 #try { "What would be decided?" }
            form.filter action="/access#try" {
                label { "Identity "
                    select name="who" { @for name in names { option value=(name) selected[*name == self.who] { (name) } } } }
                label { "Action "
                    input name="action" value=(self.action) list="actions" autocomplete="off" spellcheck="false" required
                        placeholder="xray:PutTraceSegments"; }
                datalist #actions { @for name in action::xray_actions() { option value=(name) {} } }
                label { "Resource " input name="resource" value=(self.resource) autocomplete="off" spellcheck="false" placeholder="*"; }
                button type="submit" { "Try" }
            }
            @match outcome {
                Some(Ok(decided)) => p #decided.note role="status" {
                    @if decided.verdict.is_allowed() { span.badge.ok { "✓" } " allowed" } @else { span.badge.fault { "✗" } " denied" }
                    @match &decided.verdict.statement {
                        Some(statement) => { " by " strong { (statement) } ", " (decided.verdict.layer.name()) "." }
                        None => { ": no " (decided.verdict.layer.name()) " allows the action." }
                    }
                    @if !decided.verdict.is_allowed() { br; span.dim { (decided.denial) } }
                },
                Some(Err(message)) => p #decided.note role="alert" { (message) },
                None => p.dim { "The decision of the policies as they are now, for a call from 127.0.0.1. Nothing is recorded." },
            }
        }
    }
}

fn origin() -> Origin {
    Origin { address: IpAddr::V4(Ipv4Addr::LOCALHOST), now: now() }
}
