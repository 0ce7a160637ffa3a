//! One statement: what it applies to, and whether it allows or denies that.
//!
//! Elements are taken with their exact names. One that is unknown, repeated or out of place is an error, and never left
//! out.

use super::Context;
use super::arn::ArnPattern;
use super::condition::Condition;
use super::json::Json;
use super::pattern::{Token, matches};
use super::principal::{Named, Principal, PrincipalElement, strings};

/// Attachment of a policy, which decides on the elements that it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// To a user, role or session, also as a boundary: no `Principal`.
    Identity,
    /// To a role, saying who may assume it: `Principal`, no `Resource`.
    Trust,
    /// To a resource: `Principal` and `Resource`.
    Resource,
}

/// A statement whose every element was understood.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Statement {
    pub(super) sid: Option<String>,
    pub(super) allows: bool,
    principal: Option<PrincipalElement>,
    actions: Listed<Action>,
    resources: Listed<ArnPattern>,
    conditions: Vec<Condition>,
}

/// `Action` or `NotAction`, `Resource` or `NotResource`.
#[derive(Clone, Debug, PartialEq)]
struct Listed<T> {
    negated: bool,
    patterns: Vec<T>,
}

/// `service:Operation` with wildcards, in lower case, or `*`.
#[derive(Clone, Debug, PartialEq)]
struct Action(Vec<Token>);

impl Statement {
    /// # Errors
    /// An element that is missing, superfluous, unknown, or of the wrong form.
    pub(super) fn parse(value: Json, kind: Kind, variables: bool) -> Result<Self, String> {
        let Json::Object(members) = value else {
            return Err(format!("is {}, but must be an object", value.kind()));
        };
        let (mut sid, mut effect, mut principal) = (None, None, None);
        let (mut actions, mut resources, mut conditions) = (None, None, Vec::new());
        for (name, value) in members {
            match (name.as_str(), value) {
                ("Sid", Json::String(value)) => sid = Some(value),
                ("Effect", Json::String(value)) => {
                    effect = Some(match value.as_str() {
                        "Allow" => true,
                        "Deny" => false,
                        _ => return Err(format!("Effect is \"{value}\", but must be Allow or Deny")),
                    });
                }
                ("Principal" | "NotPrincipal", value) => {
                    if kind == Kind::Identity {
                        return Err(format!(
                            "{name} has no place in a policy that is attached to an identity"
                        ));
                    }
                    once(
                        &mut principal,
                        PrincipalElement::parse(value, name == "NotPrincipal")?,
                        "Principal",
                    )?;
                }
                ("Action" | "NotAction", value) => {
                    let patterns = list(value, &name, Action::parse)?;
                    once(&mut actions, Listed { negated: name == "NotAction", patterns }, "Action")?;
                }
                ("Resource" | "NotResource", value) => {
                    if kind == Kind::Trust {
                        return Err(format!("{name} has no place in a trust policy"));
                    }
                    let patterns = list(value, &name, |source| ArnPattern::parse(source, variables))?;
                    once(&mut resources, Listed { negated: name == "NotResource", patterns }, "Resource")?;
                }
                ("Condition", value) => conditions = Condition::parse_block(value, variables)?,
                ("Sid" | "Effect", value) => {
                    return Err(format!("{name} is {}, but must be a string", value.kind()));
                }
                _ => return Err(format!("\"{name}\" is not an element of a statement")),
            }
        }
        let allows = effect.ok_or("Effect is missing")?;
        if kind != Kind::Identity && principal.is_none() {
            return Err("Principal is missing".to_owned());
        }
        if allows && principal.as_ref().is_some_and(PrincipalElement::is_negated) {
            return Err("NotPrincipal with Allow would allow everybody else; only Deny is accepted with it"
                .to_owned());
        }
        if let Some(sid) = sid.as_ref().filter(|sid| !sid.bytes().all(|byte| byte.is_ascii_alphanumeric()))
            && kind == Kind::Identity
        {
            return Err(format!("Sid is \"{sid}\", but must be of letters and digits"));
        }
        Ok(Self {
            sid,
            allows,
            principal,
            actions: actions.ok_or("Action is missing")?,
            resources: match (resources, kind) {
                (Some(resources), _) => resources,
                (None, Kind::Trust) => Listed { negated: false, patterns: vec![ArnPattern::Everything] },
                (None, _) => return Err("Resource is missing".to_owned()),
            },
            conditions,
        })
    }

    /// Reports whether the statement speaks of this action on this resource under these conditions. `action` is in lower case.
    pub(super) fn applies(&self, action: &str, resource: &str, context: &Context) -> bool {
        self.actions.covers(|pattern| matches(&pattern.0, action, false))
            && self.resources.covers(|pattern| pattern.matches(resource, context))
            && self.conditions.iter().all(|condition| condition.holds(context))
    }

    /// Returns the precision with which the statement names a principal, if it does.
    pub(super) fn names(&self, principal: &Principal) -> Option<Named> {
        self.principal.as_ref()?.names(principal)
    }

    pub(super) fn condition_keys(&self) -> impl Iterator<Item = &str> {
        self.conditions.iter().map(Condition::key)
    }

    /// Returns the patterns, as written, that match no action of a list.
    pub(super) fn idle_actions<'a>(&'a self, known: &'a [String]) -> impl Iterator<Item = String> + 'a {
        self.actions
            .patterns
            .iter()
            .filter(|pattern| {
                pattern.is_of_xray() && !known.iter().any(|action| matches(&pattern.0, action, false))
            })
            .map(Action::to_text)
    }
}

impl<T> Listed<T> {
    fn covers(&self, is_matched: impl Fn(&T) -> bool) -> bool {
        self.patterns.iter().any(is_matched) != self.negated
    }
}

impl Action {
    fn parse(source: &str) -> Result<Self, String> {
        let is_well_formed = source == "*"
            || source.split_once(':').is_some_and(|(service, name)| {
                let is_word = |word: &str| {
                    !word.is_empty()
                        && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'*' | b'?'))
                };
                is_word(service) && is_word(name) && !service.contains(['*', '?'])
            });
        if !is_well_formed {
            return Err(format!("\"{source}\" must be \"*\" or an action such as \"xray:PutTraceSegments\""));
        }
        let lower = source.to_ascii_lowercase();
        let tokens = lower.chars().map(|c| match c {
            '*' => Token::Many,
            '?' => Token::One,
            other => Token::Char(other),
        });
        Ok(Self(tokens.collect()))
    }

    fn is_of_xray(&self) -> bool {
        self.to_text().starts_with("xray:")
    }

    fn to_text(&self) -> String {
        self.0
            .iter()
            .map(|token| match token {
                Token::Char(c) => *c,
                Token::One => '?',
                Token::Many => '*',
            })
            .collect()
    }
}

fn once<T>(slot: &mut Option<T>, value: T, name: &str) -> Result<(), String> {
    if slot.replace(value).is_some() {
        return Err(format!("{name} and Not{name} exclude each other"));
    }
    Ok(())
}

fn list<T>(value: Json, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    let values = strings(value).map_err(|err| format!("{name} {err}"))?;
    values.iter().map(|value| parse(value).map_err(|err| format!("{name}: {err}"))).collect()
}
