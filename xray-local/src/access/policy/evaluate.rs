//! The decision: which statement, of which policy, allows or denies.
//!
//! ```text
//!  any Deny that applies ─────────────────────────────► denied explicitly
//!  a resource policy names the user or session itself ─► allowed, whatever boundary and session policy leave out
//!  boundary and session policy each allow it?  ──no───► denied implicitly
//!  an identity policy, or a resource policy, allows it? ► allowed, else denied implicitly
//! ```
//!
//! Source: IAM user guide, "Policy evaluation logic", for requests within one account.

use std::fmt;
use std::sync::Arc;

use super::principal::Named as NamedBy;
use super::{Context, Policy, Principal, PrincipalKind};

/// A policy with the name that decisions report.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    /// A managed policy's name, or a file's.
    pub name: String,
    /// The document.
    pub policy: Arc<Policy>,
}

/// All policies that have a say in a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policies {
    /// Attached to the user or role.
    pub identity: Vec<Named>,
    /// The permissions boundary of the user or role.
    pub boundary: Option<Named>,
    /// Passed when the session was made; one of them has to allow. Without any, the session is not restricted.
    pub session: Vec<Named>,
    /// Attached to the resource.
    pub resource: Vec<Named>,
}

/// Question about a request.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Principal who asks.
    pub principal: &'a Principal,
    /// `xray:PutTraceSegments`, in any case.
    pub action: &'a str,
    /// An ARN, or `*` for actions that have no resource.
    pub resource: &'a str,
    /// The condition keys.
    pub context: &'a Context,
}

/// Allowed or denied, by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Outcome.
    pub outcome: Outcome,
    /// The layer that decided, or that lacks a statement that allows.
    pub layer: Layer,
    /// The statement that decided. `None` if none allows.
    pub statement: Option<StatementRef>,
}

impl Verdict {
    /// Reports whether the request may go on.
    pub fn is_allowed(&self) -> bool {
        self.outcome == Outcome::Allowed
    }
}

/// Outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A statement allows.
    Allowed,
    /// No statement allows.
    ImplicitlyDenied,
    /// A statement denies.
    ExplicitlyDenied,
}

/// A kind of policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// Policies of the user or role.
    Identity,
    /// The permissions boundary.
    Boundary,
    /// The session policy.
    Session,
    /// Policies of the resource.
    Resource,
    /// The trust policy of a role.
    Trust,
}

impl Layer {
    /// The layer as AWS's messages name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity-based policy",
            Self::Boundary => "permissions boundary",
            Self::Session => "session policy",
            Self::Resource => "resource-based policy",
            Self::Trust => "role trust policy",
        }
    }
}

/// Place of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementRef {
    /// The policy's name.
    pub policy: String,
    /// Counted from 0.
    pub index: usize,
    /// The statement's own name.
    pub sid: Option<String>,
}

impl fmt::Display for StatementRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}, statement {}", self.policy, self.index + 1)?;
        match &self.sid {
            Some(sid) => write!(formatter, " ({sid})"),
            None => Ok(()),
        }
    }
}

/// Decides on a request.
pub fn evaluate(question: &Question<'_>, policies: &Policies) -> Verdict {
    let request = Request { question, action: question.action.to_ascii_lowercase() };
    let layers: [(Layer, Vec<&Named>); 4] = [
        (Layer::Identity, policies.identity.iter().collect()),
        (Layer::Boundary, policies.boundary.iter().collect()),
        (Layer::Session, policies.session.iter().collect()),
        (Layer::Resource, policies.resource.iter().collect()),
    ];
    for (layer, named) in &layers {
        if let Some((statement, _)) = request.first(named, false, *layer == Layer::Resource) {
            return Verdict { outcome: Outcome::ExplicitlyDenied, layer: *layer, statement: Some(statement) };
        }
    }
    let [(_, identity), (_, boundary), (_, session), (_, resource)] = &layers;
    let by_resource = request.best(resource);
    // A grant to the user or session itself is not limited by what boundary and session policy leave out.
    if let Some((statement, NamedBy::Directly)) = &by_resource {
        return Verdict {
            outcome: Outcome::Allowed,
            layer: Layer::Resource,
            statement: Some(statement.clone()),
        };
    }
    for (layer, named) in [(Layer::Boundary, boundary), (Layer::Session, session)] {
        if !named.is_empty() && request.first(named, true, false).is_none() {
            return Verdict { outcome: Outcome::ImplicitlyDenied, layer, statement: None };
        }
    }
    if let Some((statement, _)) = request.first(identity, true, false) {
        return Verdict { outcome: Outcome::Allowed, layer: Layer::Identity, statement: Some(statement) };
    }
    match by_resource {
        // Naming the account leaves the decision to its identity policies, which did not allow.
        Some((statement, named)) if named != NamedBy::Account => {
            Verdict { outcome: Outcome::Allowed, layer: Layer::Resource, statement: Some(statement) }
        }
        _ => {
            let layer = match question.principal.kind {
                PrincipalKind::Service(_) => Layer::Resource,
                _ => Layer::Identity,
            };
            Verdict { outcome: Outcome::ImplicitlyDenied, layer, statement: None }
        }
    }
}

/// Decides whether a role may be assumed: the trust policy has to name the caller, and if it only names the account, the
/// caller's own policies have to allow it as well.
pub fn evaluate_trust(question: &Question<'_>, policies: &Policies, trust: &Named) -> Verdict {
    let as_resource = Policies { resource: vec![trust.clone()], ..policies.clone() };
    let mut verdict = evaluate(question, &as_resource);
    let request = Request { question, action: question.action.to_ascii_lowercase() };
    if verdict.layer == Layer::Resource {
        verdict.layer = Layer::Trust;
    }
    if verdict.is_allowed() && request.best(&[trust]).is_none() {
        return Verdict { outcome: Outcome::ImplicitlyDenied, layer: Layer::Trust, statement: None };
    }
    verdict
}

struct Request<'a> {
    question: &'a Question<'a>,
    action: String,
}

impl Request<'_> {
    /// The first statement with this effect that applies, and how it names the caller.
    fn first(&self, policies: &[&Named], allows: bool, names: bool) -> Option<(StatementRef, NamedBy)> {
        self.applying(policies, allows, names).next()
    }

    /// The statement of resource policies that allows and names the caller most precisely.
    fn best(&self, policies: &[&Named]) -> Option<(StatementRef, NamedBy)> {
        self.applying(policies, true, true).max_by_key(|(_, named)| *named)
    }

    fn applying<'b>(
        &'b self,
        policies: &'b [&'b Named],
        allows: bool,
        names: bool,
    ) -> impl Iterator<Item = (StatementRef, NamedBy)> + 'b {
        let Question { principal, resource, context, .. } = *self.question;
        policies.iter().flat_map(move |named| {
            named.policy.statements.iter().enumerate().filter_map(move |(index, statement)| {
                let by = if names { statement.names(principal)? } else { NamedBy::Directly };
                let applies =
                    statement.allows == allows && statement.applies(&self.action, resource, context);
                applies.then(|| {
                    (StatementRef { policy: named.name.clone(), index, sid: statement.sid.clone() }, by)
                })
            })
        })
    }
}
