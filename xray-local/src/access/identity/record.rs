//! Users, roles and access keys as they are kept.
//!
//! Nouns only: the directory reads and writes them, callers and sessions are made of them. Documents of policies are
//! strings here, since they are parsed anew whenever they are used.

use std::collections::BTreeMap;

use crate::model::Time;

/// A user or a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The name.
    pub name: String,
    /// User or role.
    pub kind: IdentityKind,
    /// The unique id, `AIDA…` or `AROA…`.
    pub id: String,
    /// The ARN.
    pub arn: String,
    /// A role's trust policy.
    pub trust: Option<String>,
    /// The permissions boundary, a policy document.
    pub boundary: Option<String>,
    /// Tags, which requests carry as `aws:PrincipalTag/KEY`.
    pub tags: BTreeMap<String, String>,
}

/// An identity in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The identity.
    pub identity: Identity,
    /// Ids of its long-lived keys.
    pub keys: Vec<String>,
    /// Names of its policies.
    pub policies: Vec<String>,
}

/// User or role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityKind {
    /// Has keys of its own.
    User,
    /// Is assumed by those whom its trust policy names.
    Role,
}

impl IdentityKind {
    /// `user` or `role`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Role => "role",
        }
    }
}

/// Parts of a new identity.
#[derive(Clone, Debug, Default)]
pub struct NewIdentity {
    /// The name: letters, digits and `+=,.@_-`, at most 64.
    pub name: String,
    /// A role's trust policy; with one, the identity is a role.
    pub trust: Option<String>,
    /// Policies: a name, and the document unless the name is that of a managed policy.
    pub policies: Vec<(String, Option<String>)>,
    /// The permissions boundary, a policy document.
    pub boundary: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// An access key, long-lived or of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessKey {
    /// `AKIA…`, or `ASIA…` for sessions.
    pub id: String,
    /// The secret that requests are signed with.
    pub secret: String,
    /// ARN of the user or role.
    pub owner: String,
    /// The token that requests of a session have to carry.
    pub token: Option<String>,
    /// The name of a role's session.
    pub session: Option<String>,
    /// Session policies as JSON, `[{"name": …, "document": …}]`.
    pub policy: Option<String>,
    /// Time at which the key was made.
    pub created: Time,
    /// End of the session.
    pub expires: Option<Time>,
}
