//! A call from its request to its answer.
//!
//! Operations that need no permission still need a signature. Answers are written after the session is committed, so that
//! its keys work at once.

use http::StatusCode;
use rusqlite::Connection;

use super::form::{Form, Operation};
use super::{assume, xml};
use crate::access::guard::Guard;
use crate::access::identity::{Caller, Origin, directory};
use crate::access::policy::PrincipalKind;
use crate::access::refusal::Refusal;
use crate::access::signature::Received;
use crate::model::{Door, Length, Time};
use crate::store::Store;

/// Answers a call: status and XML.
///
/// Blocks while the store reads and writes.
pub fn respond(
    store: &Store,
    guard: &Guard,
    request: &Received<'_>,
    origin: Origin,
    request_id: &str,
) -> (StatusCode, String) {
    match outcome(store, guard, request, origin) {
        Ok((operation, result)) => (StatusCode::OK, xml::answer(operation.name(), &result, request_id)),
        Err(refusal) => {
            let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let message = refusal.to_string();
            (status, xml::error(status.is_client_error(), refusal.query_code(), &message, request_id))
        }
    }
}

fn outcome(
    store: &Store,
    guard: &Guard,
    request: &Received<'_>,
    origin: Origin,
) -> Result<(Operation, String), Refusal> {
    let form = Form::read(request);
    let now = origin.now;
    let caller = store.read(|connection| guard.identify(connection, request, "sts", origin))?;
    let operation = form.operation().or_else(|err| match &caller.unproven {
        // An unsigned request has to read that, whatever else is wrong with it.
        Some(why) => guard.settle_unproven(&caller, why, "sts:Unknown", "*", Door::Api, now).and(Err(err)),
        None => Err(err),
    })?;
    let result = match operation {
        Operation::GetCallerIdentity => {
            proven(guard, &caller, operation, now)?;
            [
                ("UserId", &caller.principal.id),
                ("Account", &caller.principal.account),
                ("Arn", &caller.principal.arn),
            ]
            .map(|(name, value)| xml::member(name, value))
            .concat()
        }
        Operation::AssumeRole => {
            let grant = store.read(|connection| assume::decide(connection, guard, &caller, &form, now))?;
            store.write_blocking(move |connection| assume::grant(connection, &grant, now))?
        }
        Operation::GetSessionToken => {
            proven(guard, &caller, operation, now)?;
            if caller.session_since.is_some() {
                return Err(Refusal::Denied(
                    "Cannot call GetSessionToken with session credentials".to_owned(),
                ));
            }
            let PrincipalKind::User(name) = caller.principal.kind else {
                return Err(Refusal::Denied(
                    "GetSessionToken needs the keys of a user; xray-local identity add NAME makes some"
                        .to_owned(),
                ));
            };
            let seconds = form.duration(43_200, 129_600)?;
            store.write_blocking(move |connection| session_of_user(connection, &name, now, seconds))?
        }
    };
    Ok((operation, result))
}

/// These two need no permission, but a signature.
fn proven(guard: &Guard, caller: &Caller, operation: Operation, now: Time) -> Result<(), Refusal> {
    match &caller.unproven {
        Some(why) => {
            guard.settle_unproven(caller, why, &format!("sts:{}", operation.name()), "*", Door::Api, now)
        }
        None => Ok(()),
    }
}

fn session_of_user(connection: &Connection, name: &str, now: Time, seconds: i64) -> Result<String, Refusal> {
    let user = directory::find(connection, name)?
        .ok_or_else(|| Refusal::Denied(format!("the user \"{name}\" was removed meanwhile")))?;
    let expires = now.plus(Length(seconds * 1_000_000));
    let key = directory::add_session(connection, &user, None, None, now, expires)?;
    Ok(xml::credentials(&key))
}
