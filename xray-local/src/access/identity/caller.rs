//! The one who calls: found by the access key, proven by the signature, with all policies that hold for the call.
//!
//! The key's id leads to its owner, whose policies, boundary and tags are read anew for each request. Nothing is
//! cached, so a policy that is changed beside the server holds at once.

use std::net::IpAddr;
use std::sync::Arc;

use rusqlite::Connection;
use serde::Deserialize;

use super::{AccessKey, DirectoryError, Identity, IdentityKind, directory};
use crate::access::policy::{Context, Kind, Named, Policies, Policy, Principal, PrincipalKind};
use crate::access::refusal::Refusal;
use crate::access::signature::{Expected, Received, SignatureError, Signed};
use crate::model::{Home, Time};

/// A caller with the policies of its identity and session. Resource policies come at the decision.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Principal.
    pub principal: Principal,
    /// Policies of the identity, its boundary, and of the session.
    pub policies: Policies,
    /// Start of the session, if the key is a session's.
    pub session_since: Option<Time>,
    /// Reason for which the signature was not accepted, if it was not; then the caller is anonymous.
    pub unproven: Option<SignatureError>,
    context: Context,
}

/// The name and document of a session policy, as `access_keys.policy` holds them.
#[derive(Debug, Deserialize, serde::Serialize)]
pub(in crate::access) struct StoredPolicy {
    pub(in crate::access) name: String,
    pub(in crate::access) document: Option<String>,
}

/// Origin of a request.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// The client's address.
    pub address: IpAddr,
    /// The time.
    pub now: Time,
}

impl Caller {
    /// Finds the caller of a signed request.
    ///
    /// # Errors
    /// The signature is not accepted, or the caller's policies can't be read.
    pub fn of_request(
        connection: &Connection,
        home: &Home,
        request: &Received<'_>,
        expected: &Expected<'_>,
        origin: Origin,
    ) -> Result<Self, Refusal> {
        let signed = Signed::read(request).map_err(Refusal::Signature)?;
        let unknown = Refusal::Signature(SignatureError::UnknownClient);
        let key = directory::key(connection, &signed.credential.key)?.ok_or_else(|| unknown.clone())?;
        let token = |key: &AccessKey| key.token.clone().unwrap_or_default();
        let is_token_right = subtle::ConstantTimeEq::ct_eq(
            token(&key).as_bytes(),
            signed.token.clone().unwrap_or_default().as_bytes(),
        );
        if !bool::from(is_token_right) {
            return Err(unknown);
        }
        signed.check_scope(expected).map_err(Refusal::Signature)?;
        signed.verify(request, &key.secret).map_err(Refusal::Signature)?;
        if key.expires.is_some_and(|expires| expires <= origin.now) {
            return Err(Refusal::Signature(SignatureError::ExpiredToken));
        }
        let identity = directory::find_arn(connection, &key.owner)?.ok_or(unknown)?;
        let mut caller = Self::of_identity(connection, home, &identity, Some(&key), origin)?;
        if let Some(agent) = request.headers.get("user-agent").and_then(|agent| agent.to_str().ok()) {
            caller.context.set("aws:UserAgent", agent);
        }
        Ok(caller)
    }

    /// An identity that acts without a signature, or with this key.
    ///
    /// # Errors
    /// Its policies can't be read.
    pub fn of_identity(
        connection: &Connection,
        home: &Home,
        identity: &Identity,
        key: Option<&AccessKey>,
        origin: Origin,
    ) -> Result<Self, Refusal> {
        let (named, boundary) = directory::policies(connection, identity)?;
        let session = match key.and_then(|key| key.policy.as_deref()) {
            Some(stored) => session_policies(stored)?,
            None => Vec::new(),
        };
        let principal = principal(home, identity, key);
        let mut context = base_context(home, &principal, origin);
        for (tag, value) in &identity.tags {
            context.set(&format!("aws:PrincipalTag/{tag}"), value.as_str());
        }
        let session_since = key.filter(|key| key.token.is_some()).map(|key| key.created);
        if let Some(since) = session_since {
            context.set("aws:TokenIssueTime", since.epoch_second().to_string());
            context.set("aws:MultiFactorAuthPresent", "false");
        }
        Ok(Self {
            principal,
            policies: Policies { identity: named, boundary, session, resource: Vec::new() },
            session_since,
            unproven: None,
            context,
        })
    }

    /// A caller whom no accepted signature names.
    #[must_use]
    pub fn anonymous(home: &Home, why: Option<SignatureError>, origin: Origin) -> Self {
        let principal = Principal {
            arn: home.iam_arn("user/anonymous"),
            account: home.account.clone(),
            id: "ANONYMOUS".to_owned(),
            kind: PrincipalKind::Anonymous,
        };
        Self {
            context: base_context(home, &principal, origin),
            principal,
            policies: Policies::default(),
            session_since: None,
            unproven: why,
        }
    }

    /// The condition keys that all requests of this caller have.
    pub fn context(&self) -> &Context {
        &self.context
    }
}

fn principal(home: &Home, identity: &Identity, key: Option<&AccessKey>) -> Principal {
    let session = key.and_then(|key| key.session.as_deref());
    match (identity.kind, session) {
        (IdentityKind::Role, session) => {
            let session = session.unwrap_or("session");
            Principal {
                arn: format!(
                    "arn:{}:sts::{}:assumed-role/{}/{session}",
                    home.partition(),
                    home.account,
                    identity.name
                ),
                account: home.account.clone(),
                id: format!("{}:{session}", identity.id),
                kind: PrincipalKind::Session { role: identity.arn.clone(), name: session.to_owned() },
            }
        }
        (IdentityKind::User, _) => Principal {
            arn: identity.arn.clone(),
            account: home.account.clone(),
            id: identity.id.clone(),
            kind: PrincipalKind::User(identity.name.clone()),
        },
    }
}

fn base_context(home: &Home, principal: &Principal, origin: Origin) -> Context {
    let mut context = Context::default();
    context.set("aws:CurrentTime", crate::access::instant::iso(origin.now));
    context.set("aws:EpochTime", origin.now.epoch_second().to_string());
    context.set("aws:SourceIp", origin.address.to_canonical().to_string());
    // Both doors speak plain HTTP.
    context.set("aws:SecureTransport", "false");
    context.set("aws:RequestedRegion", home.region.as_str());
    context.set("aws:ViaAWSService", "false");
    context.set("aws:PrincipalIsAWSService", "false");
    context.set("aws:PrincipalType", principal.kind.type_name());
    if principal.kind == PrincipalKind::Anonymous {
        return context;
    }
    context.set("aws:PrincipalAccount", principal.account.as_str());
    context.set("aws:userid", principal.id.as_str());
    match &principal.kind {
        PrincipalKind::User(name) => {
            context.set("aws:username", name.as_str());
            context.set("aws:PrincipalArn", principal.arn.as_str());
        }
        // For sessions, IAM gives the role's ARN here.
        PrincipalKind::Session { role, .. } => context.set("aws:PrincipalArn", role.as_str()),
        PrincipalKind::Service(_) | PrincipalKind::Anonymous => {}
    }
    context
}

fn session_policies(stored: &str) -> Result<Vec<Named>, DirectoryError> {
    let stored: Vec<StoredPolicy> = serde_json::from_str(stored)
        .map_err(|err| DirectoryError::Invalid(format!("a stored session policy: {err}")))?;
    stored
        .into_iter()
        .map(|StoredPolicy { name, document }| match document {
            None => directory::parse(name, None),
            Some(document) => Policy::parse(&document, Kind::Identity)
                .map(|policy| Named { name, policy: Arc::new(policy) })
                .map_err(|err| DirectoryError::Invalid(format!("a stored session policy: {err}"))),
        })
        .collect()
}
