//! Principals, and the `Principal` elements of trust and resource policies that name them.
//!
//! Wildcards within ARNs are refused, as IAM does it. How precisely an element names a caller matters to the decision:
//! naming an account leaves the rest to the caller's own policies.

use super::json::Json;

/// Maker of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// `arn:aws:iam::123456789012:user/app`, or that of an assumed role's session.
    pub arn: String,
    /// The account, twelve digits.
    pub account: String,
    /// The unique id: `AIDA…`, or `AROA…:session`.
    pub id: String,
    /// Kind of the principal.
    pub kind: PrincipalKind,
}

/// Kind of a principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrincipalKind {
    /// A user, by name.
    User(String),
    /// A session of a role.
    Session {
        /// The role's ARN.
        role: String,
        /// The session's name.
        name: String,
    },
    /// An AWS service, such as `sns.amazonaws.com`.
    Service(String),
    /// A caller whom no signature names.
    Anonymous,
}

impl PrincipalKind {
    /// The value of `aws:PrincipalType`.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::User(_) => "User",
            Self::Session { .. } => "AssumedRole",
            Self::Service(_) => "AWSService",
            Self::Anonymous => "Anonymous",
        }
    }
}

/// Precision with which a policy names a principal, in ascending order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Named {
    /// Everybody in an account, which leaves the decision to the account's own policies.
    Account,
    /// Everybody.
    Everyone,
    /// A session's role.
    Role,
    /// Itself: the user, the session, the service.
    Directly,
}

/// `Principal` or `NotPrincipal`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PrincipalElement {
    negated: bool,
    patterns: Vec<Pattern>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Everyone,
    Account(String),
    Arn(String),
    Service(String),
    /// An identity provider, or a canonical user of S3; neither exists here, so neither matches.
    Elsewhere,
}

impl PrincipalElement {
    pub(super) fn parse(value: Json, negated: bool) -> Result<Self, String> {
        let name = if negated { "NotPrincipal" } else { "Principal" };
        let mut patterns = Vec::new();
        match value {
            Json::String(everyone) if everyone == "*" => patterns.push(Pattern::Everyone),
            Json::Object(kinds) if !kinds.is_empty() => {
                for (kind, values) in kinds {
                    for value in strings(values).map_err(|err| format!("{name}.{kind} {err}"))? {
                        patterns.push(
                            Pattern::parse(&kind, value).map_err(|err| format!("{name}.{kind}: {err}"))?,
                        );
                    }
                }
            }
            other => return Err(format!("{name} is {}, but must be \"*\" or an object", other.kind())),
        }
        Ok(Self { negated, patterns })
    }

    pub(super) fn is_negated(&self) -> bool {
        self.negated
    }

    /// Returns the precision with which the element names a principal, `None` if it does not.
    pub(super) fn names(&self, principal: &Principal) -> Option<Named> {
        if self.negated {
            // As in IAM, an exception has to list everything that a principal is: account, role, and itself.
            let is_exempt = self.patterns.contains(&Pattern::Everyone)
                || principal.aliases().iter().all(|alias| self.patterns.contains(alias));
            return (!is_exempt).then_some(Named::Everyone);
        }
        self.patterns.iter().filter_map(|pattern| pattern.names(principal)).max()
    }
}

impl Principal {
    /// All that a list of exceptions has to hold.
    fn aliases(&self) -> Vec<Pattern> {
        let mut aliases = match &self.kind {
            PrincipalKind::Service(name) => return vec![Pattern::Service(name.clone())],
            PrincipalKind::Session { role, .. } => vec![Pattern::Arn(role.clone())],
            PrincipalKind::User(_) | PrincipalKind::Anonymous => Vec::new(),
        };
        aliases.push(Pattern::Arn(self.arn.clone()));
        aliases.push(Pattern::Account(self.account.clone()));
        aliases
    }
}

impl Pattern {
    fn parse(kind: &str, value: String) -> Result<Self, String> {
        match kind {
            "AWS" if value == "*" => Ok(Self::Everyone),
            "AWS" if is_account(&value) => Ok(Self::Account(value)),
            "AWS" => {
                let parts: Vec<&str> = value.splitn(6, ':').collect();
                match parts.as_slice() {
                    ["arn", _, "iam", "", account, "root"] if is_account(account) => {
                        Ok(Self::Account((*account).to_owned()))
                    }
                    ["arn", _, "iam" | "sts", "", account, _]
                        if is_account(account) && !value.contains(['*', '?']) =>
                    {
                        Ok(Self::Arn(value))
                    }
                    _ => Err(format!(
                        "\"{value}\" must be \"*\", an account, or the ARN of a user, role or session without wildcards"
                    )),
                }
            }
            "Service" if value.contains('.') && !value.contains(['*', '?']) => Ok(Self::Service(value)),
            "Service" => Err(format!("\"{value}\" is not a service such as \"sns.amazonaws.com\"")),
            "Federated" | "CanonicalUser" => Ok(Self::Elsewhere),
            _ => Err("the kinds of principals are AWS, Service, Federated and CanonicalUser".to_owned()),
        }
    }

    fn names(&self, principal: &Principal) -> Option<Named> {
        let is_service = matches!(principal.kind, PrincipalKind::Service(_));
        match self {
            Self::Everyone => Some(Named::Everyone),
            Self::Account(account) => {
                (!is_service && principal.kind != PrincipalKind::Anonymous && *account == principal.account)
                    .then_some(Named::Account)
            }
            Self::Arn(arn) if principal.kind == PrincipalKind::Anonymous || is_service => {
                let _ = arn;
                None
            }
            Self::Arn(arn) if *arn == principal.arn => Some(Named::Directly),
            Self::Arn(arn) => match &principal.kind {
                PrincipalKind::Session { role, .. } if role == arn => Some(Named::Role),
                _ => None,
            },
            Self::Service(service) => {
                matches!(&principal.kind, PrincipalKind::Service(name) if name == service)
                    .then_some(Named::Directly)
            }
            Self::Elsewhere => None,
        }
    }
}

fn is_account(value: &str) -> bool {
    value.len() == 12 && value.bytes().all(|byte| byte.is_ascii_digit())
}

/// One string or a list of at least one.
pub(super) fn strings(value: Json) -> Result<Vec<String>, String> {
    let items = match value {
        Json::List(items) => items,
        scalar => vec![scalar],
    };
    if items.is_empty() {
        return Err("is an empty list".to_owned());
    }
    items
        .into_iter()
        .map(|item| match item {
            Json::String(string) => Ok(string),
            other => Err(format!("holds {}, but must hold strings", other.kind())),
        })
        .collect()
}
