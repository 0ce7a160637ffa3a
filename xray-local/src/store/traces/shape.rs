//! Shapes: what many traces have in common, each combination kept once.
//!
//! A shape has the flags, status and method of a trace, of its segments and of its calls, and which values are set;
//! without the values, times and counts. Conditions on these are evaluated on the few shapes instead of on the traces.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::model::Flags;

/// The parts of one trace, each once and in order, so that equal shapes have equal names.
#[derive(Debug, Default)]
pub(super) struct Shape<'a> {
    pub(super) trace: Part<'a>,
    pub(super) segments: BTreeSet<Part<'a>>,
    pub(super) calls: BTreeSet<Part<'a>>,
    pub(super) values: Values,
}

/// Values that are set.
#[derive(Clone, Debug, Default)]
pub(super) struct Values {
    pub(super) has_user: bool,
    /// By [`PlaceKind`].
    pub(super) has_place: [bool; 3],
    /// Keys of annotations, those that are false alone left out.
    pub(super) keys: BTreeSet<i64>,
}

impl Values {
    fn put(&self, name: &mut Vec<u8>) {
        let [zone, instance, resource] = self.has_place.map(u8::from);
        name.push(u8::from(self.has_user) | zone << 1 | instance << 2 | resource << 3);
        self.keys.iter().for_each(|key| put(name, key.cast_unsigned()));
    }
}

/// The common part of a row: `id` is a node for a segment, an edge for a call, and 0 for a trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Part<'a> {
    pub(super) id: i64,
    flags: u8,
    status: Option<i64>,
    method: Option<&'a str>,
}

impl<'a> Part<'a> {
    pub(super) fn new(id: i64, flags: Flags) -> Self {
        let flags = [flags.ok, flags.error, flags.throttle, flags.fault, flags.partial, flags.inferred];
        let flags = flags.iter().enumerate().map(|(bit, flag)| u8::from(*flag) << bit).sum();
        Self { id, flags, status: None, method: None }
    }

    pub(super) fn with_http(self, status: Option<i64>, method: Option<&'a str>) -> Self {
        Self { status, method, ..self }
    }

    pub(super) fn with_root(self, is_root: bool) -> Self {
        Self { flags: self.flags | u8::from(is_root) << ROOT, ..self }
    }

    /// In the order of the columns; `root` is the last.
    fn flags(&self) -> [bool; ROOT + 1] {
        std::array::from_fn(|bit| self.flags >> bit & 1 == 1)
    }

    fn put(&self, name: &mut Vec<u8>) {
        put(name, self.id.cast_unsigned());
        name.push(self.flags);
        name.push(u8::from(self.status.is_some()) | u8::from(self.method.is_some()) << 1);
        if let Some(status) = self.status {
            put(name, status.cast_unsigned());
        }
        if let Some(method) = self.method {
            put(name, method.len() as u64);
            name.extend(method.as_bytes());
        }
    }
}

/// Bit of `root` in a segment's flags. The flags before it are in the order of the columns.
const ROOT: usize = 6;

/// Seven bits a byte, lowest first; the last byte is below 128.
fn put(name: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        name.push(number as u8 | 0x80);
        number >>= 7;
    }
    name.push(number as u8);
}

impl Shape<'_> {
    /// Appends everything in the shape, in a form that no other shape has.
    pub(super) fn put_name(&self, name: &mut Vec<u8>) {
        self.trace.put(name);
        for parts in [&self.segments, &self.calls] {
            put(name, parts.len() as u64);
            parts.iter().for_each(|part| part.put(name));
        }
        self.values.put(name);
    }

    /// Finds the number of the shape, or writes the shape.
    pub(super) fn number(&self, connection: &Connection, name: &[u8]) -> rusqlite::Result<i64> {
        let found = connection
            .prepare_cached("SELECT id FROM shapes WHERE name = ?")?
            .query_row([name], |row| row.get(0))
            .optional()?;
        if let Some(id) = found {
            return Ok(id);
        }
        let Part { status, method, .. } = self.trace;
        let [ok, error, throttle, fault, partial, inferred, _] = self.trace.flags();
        let Values { has_user, has_place: [zone, instance, resource], .. } = self.values;
        connection
            .prepare_cached(
                "INSERT INTO shapes (name, ok, error, throttle, fault, partial, inferred, status, method, user, zone,
                 instance, resource) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                name, ok, error, throttle, fault, partial, inferred, status, method, has_user, zone, instance, resource
            ])?;
        let shape = connection.last_insert_rowid();
        let mut insert = connection.prepare_cached("INSERT INTO shape_keys (shape, key) VALUES (?, ?)")?;
        for key in &self.values.keys {
            insert.execute([shape, *key])?;
        }
        let mut insert = connection.prepare_cached(
            "INSERT INTO shape_segments (shape, node, part, ok, error, throttle, fault, partial, inferred, root, status,
             method) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        for (number, part) in self.segments.iter().enumerate() {
            let [ok, error, throttle, fault, partial, inferred, root] = part.flags();
            let Part { status, method, .. } = part;
            insert.execute(params![
                shape, part.id, number, ok, error, throttle, fault, partial, inferred, root, status, method
            ])?;
        }
        let mut insert = connection.prepare_cached(
            "INSERT INTO shape_calls (shape, edge, part, ok, error, throttle, fault, partial, inferred)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        for (number, part) in self.calls.iter().enumerate() {
            let [ok, error, throttle, fault, partial, inferred, _] = part.flags();
            insert.execute(params![shape, part.id, number, ok, error, throttle, fault, partial, inferred])?;
        }
        Ok(shape)
    }
}

/// A part as it is read: id, flags, root, status, method.
type Read = (i64, Flags, bool, Option<i64>, Option<String>);

fn read(connection: &Connection, sql: &str, key: i64) -> rusqlite::Result<Vec<Read>> {
    let part = |row: &Row<'_>| {
        let flags = Flags {
            ok: row.get(1)?,
            error: row.get(2)?,
            throttle: row.get(3)?,
            fault: row.get(4)?,
            partial: row.get(5)?,
            inferred: row.get(6)?,
        };
        Ok((row.get(0)?, flags, row.get(7)?, row.get(8)?, row.get(9)?))
    };
    connection.prepare_cached(sql)?.query_map([key], part)?.collect()
}

fn part((id, flags, root, status, method): &Read) -> Part<'_> {
    Part::new(*id, *flags).with_root(*root).with_http(*status, method.as_deref())
}

/// Reads which values are set: four flags, then the keys.
fn values(connection: &Connection, flags: &str, keys: &str, key: i64) -> rusqlite::Result<Values> {
    let mut values = connection.prepare_cached(flags)?.query_row([key], |row| {
        let has_place = [row.get(1)?, row.get(2)?, row.get(3)?];
        Ok(Values { has_user: row.get(0)?, has_place, keys: BTreeSet::new() })
    })?;
    for key in connection.prepare_cached(keys)?.query_map([key], |row| row.get(0))? {
        values.keys.insert(key?);
    }
    Ok(values)
}

/// Gives a trace the shape with these parts.
fn set(
    connection: &Connection,
    key: i64,
    [trace, segments, calls]: [&[Read]; 3],
    values: Values,
) -> rusqlite::Result<()> {
    let shape = Shape {
        trace: trace.first().map(part).unwrap_or_default(),
        segments: segments.iter().map(part).collect(),
        calls: calls.iter().map(part).collect(),
        values,
    };
    let mut name = Vec::new();
    shape.put_name(&mut name);
    let number = shape.number(connection, &name)?;
    connection
        .prepare_cached("UPDATE traces SET shape = ?1 WHERE key = ?2 AND shape != ?1")?
        .execute([number, key])
        .map(drop)
}

const TRACE: &str =
    "SELECT 0, ok, error, throttle, fault, partial, inferred, 0, status, method FROM traces WHERE key = ?";

/// Changes the shape of a trace, as its calls over links are these now.
pub(super) fn link(connection: &Connection, key: i64, links: &[(i64, Flags)]) -> rusqlite::Result<()> {
    let segments = read(
        connection,
        "SELECT h.node, h.ok, h.error, h.throttle, h.fault, h.partial, h.inferred, h.root, h.status, h.method
         FROM traces t JOIN shape_segments h ON h.shape = t.shape WHERE t.key = ?",
        key,
    )?;
    let mut calls = read(
        connection,
        "SELECT h.edge, h.ok, h.error, h.throttle, h.fault, h.partial, h.inferred, 0, NULL, NULL
         FROM traces t JOIN shape_calls h ON h.shape = t.shape JOIN edges e ON e.id = h.edge
         WHERE t.key = ? AND e.kind = 0",
        key,
    )?;
    calls.extend(links.iter().map(|(edge, flags)| (*edge, *flags, false, None, None)));
    let values = values(
        connection,
        "SELECT h.user, h.zone, h.instance, h.resource FROM traces t JOIN shapes h ON h.id = t.shape WHERE t.key = ?",
        "SELECT h.key FROM traces t JOIN shape_keys h ON h.shape = t.shape WHERE t.key = ?",
        key,
    )?;
    set(connection, key, [&read(connection, TRACE, key)?, &segments, &calls], values)
}

/// Gives each trace of a file without shapes its own: from the tables of an earlier version, in order of traces.
pub(in super::super) fn fill(connection: &Connection) -> rusqlite::Result<()> {
    let mut next = connection.prepare("SELECT key FROM traces WHERE key > ? ORDER BY key LIMIT 1000")?;
    let mut last = i64::MIN;
    loop {
        let keys: Vec<i64> = next.query_map([last], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        let Some(&highest) = keys.last() else { return Ok(()) };
        for key in keys {
            let segments = read(
                connection,
                "SELECT node, ok, error, throttle, fault, partial, inferred, root, status, method
                 FROM earlier_segments WHERE trace = ?",
                key,
            )?;
            let calls = read(
                connection,
                "SELECT edge, ok, error, throttle, fault, partial, inferred, 0, NULL, NULL
                 FROM earlier_calls WHERE trace = ?",
                key,
            )?;
            let values = values(
                connection,
                "SELECT EXISTS (SELECT 1 FROM users WHERE trace = ?1),
                        EXISTS (SELECT 1 FROM places WHERE trace = ?1 AND kind = 0),
                        EXISTS (SELECT 1 FROM places WHERE trace = ?1 AND kind = 1),
                        EXISTS (SELECT 1 FROM places WHERE trace = ?1 AND kind = 2)",
                "SELECT DISTINCT key FROM annotations WHERE trace = ? AND NOT (kind = 0 AND value = 0)",
                key,
            )?;
            set(connection, key, [&read(connection, TRACE, key)?, &segments, &calls], values)?;
        }
        last = highest;
    }
}
