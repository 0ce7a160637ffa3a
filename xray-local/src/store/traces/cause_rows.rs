//! Root causes as rows: each path once, and per trace its number with the coverage of each entity.

use rusqlite::{Connection, params};
use serde_json::{Value, json};

use crate::model::{Cause, CauseEntity};

/// A path in the API's form, without coverage: what makes two paths equal.
pub(super) fn json(cause: &Cause<'_>) -> String {
    let entity = |entity: &CauseEntity<'_>| {
        let mut json = json!({"Name": entity.name, "Remote": entity.remote});
        if let Some(object) = json.as_object_mut().filter(|_| entity.coverage.is_none()) {
            let exceptions = entity.exceptions.iter();
            let exceptions =
                exceptions.map(|exception| json!({"Name": exception.name, "Message": exception.message}));
            object.insert("Exceptions".to_owned(), exceptions.collect());
        }
        json
    };
    let services = cause.services.iter().map(|service| {
        let mut json = json!({
            "Name": service.name,
            "Names": [service.name],
            // Clients dereference it, so it is there without an origin as well.
            "Type": service.kind.as_deref().unwrap_or_default(),
            "Inferred": service.inferred,
            "EntityPath": service.entities.iter().map(entity).collect::<Value>(),
        });
        if let Some((object, account)) = json.as_object_mut().zip(service.account) {
            object.insert("AccountId".to_owned(), account.into());
        }
        json
    });
    json!({"ClientImpacting": true, "Services": services.collect::<Value>()}).to_string()
}

/// Appends one part of a name. Different parts never give equal bytes.
pub(super) fn put(name: &mut Vec<u8>, part: &str) {
    name.extend(part.len().to_le_bytes());
    name.extend(part.as_bytes());
}

/// Appends a name that two causes share only if their paths are equal: what [`json`] writes, at a tenth of its cost.
pub(super) fn put_name(name: &mut Vec<u8>, cause: &Cause<'_>) {
    name.push(cause.kind as u8);
    for service in &cause.services {
        put(name, service.name);
        put(name, service.kind.as_deref().unwrap_or_default());
        name.extend([u8::from(service.inferred), u8::from(service.account.is_some())]);
        put(name, service.account.unwrap_or_default());
        name.extend(service.entities.len().to_le_bytes());
        for entity in &service.entities {
            put(name, entity.name);
            name.extend([u8::from(entity.remote), u8::from(entity.coverage.is_some())]);
            name.extend(entity.exceptions.len().to_le_bytes());
            for exception in &entity.exceptions {
                put(name, exception.name);
                put(name, exception.message);
            }
        }
    }
}

/// The coverage column: two bytes for each entity, thousandths.
pub(super) fn coverage(cause: &Cause<'_>) -> Vec<u8> {
    let entities = cause.services.iter().flat_map(|service| &service.entities);
    entities
        .filter_map(|entity| entity.coverage)
        .flat_map(|share| ((share.clamp(0.0, 1.0) * 1_000.0).round() as u16).to_be_bytes())
        .collect()
}

/// Writes a path that is not there yet. Returns its number.
pub(super) fn insert(connection: &Connection, cause: &Cause<'_>, json: &str) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("INSERT INTO cause_paths (kind, json) VALUES (?, ?)")?
        .execute(params![cause.kind as i64, json])?;
    let path = connection.last_insert_rowid();
    let (services, entities) =
        (cause.services.len(), cause.services.iter().map(|s| s.entities.len()).sum::<usize>());
    let mut number = 0;
    for (at, service) in cause.services.iter().enumerate() {
        connection.prepare_cached("INSERT INTO cause_services VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")?.execute(
            params![
                path,
                at,
                service.name,
                service.kind,
                service.account,
                service.inferred,
                service.root,
                at == 0,
                at + 1 == services
            ],
        )?;
        for (position, entity) in service.entities.iter().enumerate() {
            connection
                .prepare_cached("INSERT INTO cause_entities VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")?
                .execute(params![
                    path,
                    at,
                    position,
                    number,
                    entity.name,
                    entity.remote,
                    service.inferred,
                    number == 0,
                    number + 1 == entities
                ])?;
            number += 1;
            let exceptions = entity.exceptions.len();
            for (depth, exception) in entity.exceptions.iter().enumerate() {
                connection
                    .prepare_cached("INSERT INTO cause_exceptions VALUES (?, ?, ?, ?, ?, ?, ?, ?)")?
                    .execute(params![
                        path,
                        at,
                        position,
                        depth,
                        exception.name,
                        exception.message,
                        depth == 0,
                        depth + 1 == exceptions
                    ])?;
            }
        }
    }
    Ok(path)
}
