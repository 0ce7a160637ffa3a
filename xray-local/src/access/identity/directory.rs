//! Users, roles, their keys and policies: the tables `identities`, `access_keys` and `identity_policies`.
//!
//! Plain functions over a connection, for the server and for commands alike. Documents are parsed before they are stored,
//! and parsed again when they are read: a file that was edited by hand must not widen any rights.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{AccessKey, DirectoryError, Identity, IdentityKind, Listed, NewIdentity, managed, secret};
use crate::access::policy::{Kind, Named, Policy};
use crate::model::{Home, Time};

/// The user as whom the daemon's door acts.
pub const DAEMON: &str = "daemon";

/// Makes the identity `daemon`, with AWS's policy for daemons, unless there is one.
///
/// # Errors
/// The store's.
pub fn ensure_daemon(connection: &Connection, home: &Home, now: Time) -> Result<(), DirectoryError> {
    let policies = vec![("AWSXRayDaemonWriteAccess".to_owned(), None)];
    match add(
        connection,
        home,
        &NewIdentity { name: DAEMON.to_owned(), policies, ..NewIdentity::default() },
        now,
    ) {
        Ok(_) | Err(DirectoryError::Exists(_)) => Ok(()),
        Err(err) => Err(err),
    }
}

/// Adds a user with a key, or a role.
///
/// # Errors
/// A name or document that is not acceptable, or a name that is taken.
pub fn add(
    connection: &Connection,
    home: &Home,
    new: &NewIdentity,
    now: Time,
) -> Result<(Identity, Option<AccessKey>), DirectoryError> {
    check(new)?;
    let kind = if new.trust.is_some() { IdentityKind::Role } else { IdentityKind::User };
    if find(connection, &new.name)?.is_some() {
        return Err(DirectoryError::Exists(new.name.clone()));
    }
    let identity = Identity {
        name: new.name.clone(),
        kind,
        id: secret::id(if kind == IdentityKind::User { "AIDA" } else { "AROA" })?,
        arn: home.iam_arn(&format!("{}/{}", kind.name(), new.name)),
        trust: new.trust.clone(),
        boundary: new.boundary.clone(),
        tags: new.tags.clone(),
    };
    connection.execute(
        "INSERT INTO identities (name, kind, id, arn, trust, boundary, tags, created_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            identity.name,
            kind.name(),
            identity.id,
            identity.arn,
            identity.trust,
            identity.boundary,
            serde_json::to_string(&identity.tags).unwrap_or_default(),
            now.0
        ],
    )?;
    for (name, document) in &new.policies {
        connection.execute(
            "INSERT INTO identity_policies (owner, name, document) VALUES (?, ?, ?)",
            params![identity.arn, name, document],
        )?;
    }
    if kind == IdentityKind::Role {
        return Ok((identity, None));
    }
    let key = AccessKey {
        id: secret::id("AKIA")?,
        secret: secret::secret()?,
        owner: identity.arn.clone(),
        token: None,
        session: None,
        policy: None,
        created: now,
        expires: None,
    };
    put_key(connection, &key)?;
    Ok((identity, Some(key)))
}

/// Removes an identity with its keys, sessions and policies.
///
/// # Errors
/// There is none of this name.
pub fn remove(connection: &Connection, name: &str) -> Result<Identity, DirectoryError> {
    let identity = find(connection, name)?.ok_or_else(|| DirectoryError::Unknown(name.to_owned()))?;
    for statement in [
        "DELETE FROM access_keys WHERE owner = ?",
        "DELETE FROM identity_policies WHERE owner = ?",
        "DELETE FROM identities WHERE arn = ?",
    ] {
        connection.execute(statement, [&identity.arn])?;
    }
    Ok(identity)
}

/// All identities by name, each with its key ids and the names of its policies.
///
/// # Errors
/// The store's.
pub fn list(connection: &Connection) -> Result<Vec<Listed>, DirectoryError> {
    let mut statement = connection.prepare_cached(&format!("{SELECT} ORDER BY name"))?;
    let identities = statement.query_map([], read)?.collect::<Result<Vec<_>, _>>()?;
    let column = |sql: &str, owner: &str| -> Result<Vec<String>, rusqlite::Error> {
        connection.prepare_cached(sql)?.query_map([owner], |row| row.get(0))?.collect()
    };
    let mut listed = Vec::with_capacity(identities.len());
    for identity in identities {
        let keys = column(
            "SELECT id FROM access_keys WHERE owner = ? AND token IS NULL ORDER BY created_us, id",
            &identity.arn,
        )?;
        let policies =
            column("SELECT name FROM identity_policies WHERE owner = ? ORDER BY name", &identity.arn)?;
        listed.push(Listed { identity, keys, policies });
    }
    Ok(listed)
}

/// The identity of this name.
///
/// # Errors
/// The store's.
pub fn find(connection: &Connection, name: &str) -> Result<Option<Identity>, DirectoryError> {
    Ok(connection.prepare_cached(&format!("{SELECT} WHERE name = ?"))?.query_row([name], read).optional()?)
}

/// The identity of this ARN.
///
/// # Errors
/// The store's.
pub fn find_arn(connection: &Connection, arn: &str) -> Result<Option<Identity>, DirectoryError> {
    Ok(connection.prepare_cached(&format!("{SELECT} WHERE arn = ?"))?.query_row([arn], read).optional()?)
}

/// The access key of this id.
///
/// # Errors
/// The store's.
pub fn key(connection: &Connection, id: &str) -> Result<Option<AccessKey>, DirectoryError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, secret, owner, token, session, policy, created_us, expires_us FROM access_keys WHERE id = ?",
    )?;
    let key = statement.query_row([id], |row| {
        Ok(AccessKey {
            id: row.get(0)?,
            secret: row.get(1)?,
            owner: row.get(2)?,
            token: row.get(3)?,
            session: row.get(4)?,
            policy: row.get(5)?,
            created: Time(row.get(6)?),
            expires: row.get::<_, Option<i64>>(7)?.map(Time),
        })
    });
    Ok(key.optional()?)
}

/// A first key of a user, to sign as it.
///
/// # Errors
/// The store's.
pub fn first_key(connection: &Connection, arn: &str) -> Result<Option<AccessKey>, DirectoryError> {
    let mut statement = connection.prepare_cached(
        "SELECT id FROM access_keys WHERE owner = ? AND token IS NULL ORDER BY created_us, id LIMIT 1",
    )?;
    match statement.query_row([arn], |row| row.get::<_, String>(0)).optional()? {
        Some(id) => key(connection, &id),
        None => Ok(None),
    }
}

/// Makes the key of a session of `owner`, and forgets sessions that are long over.
///
/// # Errors
/// The store's, or no randomness.
pub fn add_session(
    connection: &Connection,
    owner: &Identity,
    session: Option<&str>,
    policy: Option<String>,
    now: Time,
    expires: Time,
) -> Result<AccessKey, DirectoryError> {
    // A day longer than it was good for, so that its holder reads "expired" and not "invalid".
    connection.execute("DELETE FROM access_keys WHERE expires_us < ?", [now.0 - 86_400_000_000])?;
    let key = AccessKey {
        id: secret::id("ASIA")?,
        secret: secret::secret()?,
        owner: owner.arn.clone(),
        token: Some(secret::token()?),
        session: session.map(str::to_owned),
        policy,
        created: now,
        expires: Some(expires),
    };
    put_key(connection, &key)?;
    Ok(key)
}

/// The policies of an identity, and its boundary.
///
/// # Errors
/// A stored document that is not understood, or the store's.
pub fn policies(
    connection: &Connection,
    identity: &Identity,
) -> Result<(Vec<Named>, Option<Named>), DirectoryError> {
    let mut statement = connection
        .prepare_cached("SELECT name, document FROM identity_policies WHERE owner = ? ORDER BY name")?;
    let stored = statement
        .query_map([&identity.arn], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?)))?
        .collect::<Result<Vec<_>, _>>()?;
    let named = stored.into_iter().map(|(name, document)| parse(name, document)).collect::<Result<_, _>>()?;
    let boundary = match &identity.boundary {
        Some(document) => Some(parse("permissions boundary".to_owned(), Some(document.clone()))?),
        None => None,
    };
    Ok((named, boundary))
}

/// Parses an identity's policy: its document, or the managed one of its name.
///
/// # Errors
/// No managed policy has the name, or the document is not understood.
pub fn parse(name: String, document: Option<String>) -> Result<Named, DirectoryError> {
    let document = document.or_else(|| managed::document(&name)).ok_or_else(|| {
        let known: Vec<&str> = managed::names().collect();
        DirectoryError::Invalid(format!(
            "\"{name}\" is neither a file nor a managed policy; those are {}",
            known.join(", ")
        ))
    })?;
    match Policy::parse(&document, Kind::Identity) {
        Ok(policy) => Ok(Named { name, policy: Arc::new(policy) }),
        Err(err) => Err(DirectoryError::Invalid(format!("the policy {name} is refused: {err}"))),
    }
}

/// Checks a new identity's name and policies.
///
/// # Errors
/// What is wrong with it.
pub fn check(new: &NewIdentity) -> Result<(), DirectoryError> {
    let is_name = (1..=64).contains(&new.name.len())
        && new.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte));
    if !is_name {
        return Err(DirectoryError::Invalid(format!(
            "\"{}\" is no name for an identity; names have 1 to 64 letters, digits or +=,.@_-",
            new.name
        )));
    }
    for (name, document) in &new.policies {
        parse(name.clone(), document.clone())?;
    }
    if let Some(boundary) = &new.boundary {
        parse("permissions boundary".to_owned(), Some(boundary.clone()))?;
    }
    if let Some(trust) = &new.trust {
        Policy::parse(trust, Kind::Trust)
            .map_err(|err| DirectoryError::Invalid(format!("the trust policy is refused: {err}")))?;
    }
    Ok(())
}

fn put_key(connection: &Connection, key: &AccessKey) -> Result<(), DirectoryError> {
    connection.execute(
        "INSERT INTO access_keys (id, secret, owner, token, session, policy, created_us, expires_us)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            key.id,
            key.secret,
            key.owner,
            key.token,
            key.session,
            key.policy,
            key.created.0,
            key.expires.map(|time| time.0)
        ],
    )?;
    Ok(())
}

const SELECT: &str = "SELECT name, kind, id, arn, trust, boundary, tags FROM identities";

fn read(row: &Row<'_>) -> Result<Identity, rusqlite::Error> {
    let tags: String = row.get(6)?;
    let tags = serde_json::from_str(&tags).map_err(|err| {
        rusqlite::Error::FromSqlConversionFailure(6, rusqlite::types::Type::Text, Box::new(err))
    })?;
    Ok(Identity {
        name: row.get(0)?,
        kind: if row.get::<_, String>(1)? == "role" { IdentityKind::Role } else { IdentityKind::User },
        id: row.get(2)?,
        arn: row.get(3)?,
        trust: row.get(4)?,
        boundary: row.get(5)?,
        tags,
    })
}
