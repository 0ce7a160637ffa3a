//! A compiled trace as rows, and its removal.
//!
//! Removal reads the rows themselves to take a trace out of the minutes, not the documents: a later version of the
//! compilation may find other facts in them.

use rusqlite::{Connection, params};
use serde_json::Value;

use super::cause_rows;
use super::cells::{Cells, Sample};
use super::names::Names;
use crate::model::{Call, Compiled, EdgeKind, Flags, Length, Segment, Time, TraceKey};

/// Facts of a trace's row beside those of the trace.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub(super) revision: i64,
    pub(super) documents: usize,
    pub(super) bytes: usize,
    pub(super) received: Time,
    pub(super) over_limit: bool,
}

/// Samples of a trace that was just written, to be counted for its groups as well.
#[derive(Debug, Default)]
pub(super) struct Samples {
    nodes: Vec<(i64, Sample)>,
    pub(super) edges: Vec<(i64, Sample)>,
}

impl Samples {
    pub(super) fn count(&self, cells: &mut Cells, group: i64, sign: i64) {
        self.nodes.iter().for_each(|(node, sample)| cells.node(group, *node, sample, sign));
        self.edges.iter().for_each(|(edge, sample)| cells.edge(group, *edge, sample, sign));
    }
}

/// Writes the rows of a trace that has none.
pub(super) fn insert(
    connection: &Connection,
    names: &mut Names,
    key: TraceKey,
    compiled: &Compiled,
    arrival: Arrival,
) -> rusqlite::Result<Samples> {
    let mut samples = Samples::default();
    let mut nodes = Vec::with_capacity(compiled.segments.len());
    for (number, segment) in compiled.segments.iter().enumerate() {
        let node = names.node(connection, &segment.node)?;
        nodes.push(node);
        insert_segment(connection, names, key, number, node, segment)?;
        let duration = segment.duration.map(Length::milliseconds);
        samples.nodes.extend(
            sample(segment.start, segment.end, segment.flags, segment.root, duration).map(|s| (node, s)),
        );
    }
    for (number, call) in compiled.calls.iter().enumerate() {
        let edge = insert_call(connection, names, key, number, call)?;
        let age = call.age.map(Length::milliseconds);
        samples.edges.extend(sample(call.start, call.end, call.flags, false, age).map(|s| (edge, s)));
    }
    insert_trace(connection, names, key, compiled, &nodes, arrival)?;
    insert_rest(connection, names, key, compiled)?;
    Ok(samples)
}

fn sample(start: Time, end: Option<Time>, flags: Flags, root: bool, other: Option<i64>) -> Option<Sample> {
    // Only what is completed is counted.
    end.map(|end| Sample { start, end, flags, root, other })
}

fn insert_trace(
    connection: &Connection,
    names: &mut Names,
    key: TraceKey,
    compiled: &Compiled,
    nodes: &[i64],
    arrival: Arrival,
) -> rusqlite::Result<()> {
    let trace = &compiled.trace;
    let root = trace.root.and_then(|root| Some((compiled.segments.get(root)?, nodes.get(root)?)));
    let http = root.map(|(segment, _)| segment.http.clone()).unwrap_or_default();
    let agent = http.agent.as_deref().map(|agent| names.agent(connection, agent)).transpose()?;
    connection
        .prepare_cached(
            "INSERT INTO traces (key, id, revision, start_us, end_us, duration_us, response_us, ok, error, fault,
             throttle, throttled, partial, inferred, root, status, method, url, client_ip, agent, segments, documents,
             bytes, received_us, over_limit)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            key.0,
            u128::from(trace.id).to_be_bytes(),
            arrival.revision,
            trace.start.0,
            trace.end.0,
            (trace.end - trace.start).0,
            trace.response.map(|response| response.0),
            trace.flags.ok,
            trace.flags.error,
            trace.flags.fault,
            trace.flags.throttle,
            trace.throttled,
            trace.flags.partial,
            trace.flags.inferred,
            root.map(|(_, node)| node),
            http.status,
            http.method,
            http.url,
            http.client_ip,
            agent,
            trace.spans,
            arrival.documents,
            arrival.bytes,
            arrival.received.0,
            arrival.over_limit,
        ])?;
    Ok(())
}

fn insert_segment(
    connection: &Connection,
    names: &mut Names,
    key: TraceKey,
    number: usize,
    node: i64,
    segment: &Segment,
) -> rusqlite::Result<()> {
    let http = &segment.http;
    let agent = http.agent.as_deref().map(|agent| names.agent(connection, agent)).transpose()?;
    let flags = segment.flags;
    connection
        .prepare_cached(
            "INSERT INTO segments (trace, segment, node, id, start_us, end_us, response_us, duration_us, ok, error,
             throttle, fault, partial, inferred, root, status, method, url, client_ip, agent)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            key.0,
            number,
            node,
            segment.id.cast_signed(),
            segment.start.0,
            segment.end.map(|end| end.0),
            segment.end.map(|end| (end - segment.start).0),
            segment.duration.map(|duration| duration.0),
            flags.ok,
            flags.error,
            flags.throttle,
            flags.fault,
            flags.partial,
            flags.inferred,
            segment.root,
            http.status,
            http.method,
            http.url,
            http.client_ip,
            agent,
        ])?;
    Ok(())
}

fn insert_call(
    connection: &Connection,
    names: &mut Names,
    key: TraceKey,
    number: usize,
    call: &Call,
) -> rusqlite::Result<i64> {
    let source = names.node(connection, &call.source)?;
    let target = names.node(connection, &call.target)?;
    let edge = names.edge(connection, source, target, call.kind)?;
    if let Some(alias) = &call.alias {
        names.alias(connection, edge, alias)?;
    }
    let (flags, http) = (call.flags, &call.http);
    connection
        .prepare_cached(
            "INSERT INTO calls (trace, call, edge, caller, callee, span, alias, start_us, end_us, response_us, age_us,
             ok, error, throttle, fault, partial, inferred, status, method, url)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            key.0,
            number,
            edge,
            call.caller,
            call.callee,
            call.span.cast_signed(),
            call.alias,
            call.start.0,
            call.end.map(|end| end.0),
            call.end.map(|end| (end - call.start).0),
            call.age.map(|age| age.0),
            flags.ok,
            flags.error,
            flags.throttle,
            flags.fault,
            flags.partial,
            flags.inferred,
            http.status,
            http.method,
            http.url,
        ])?;
    Ok(edge)
}

fn insert_rest(
    connection: &Connection,
    names: &mut Names,
    key: TraceKey,
    compiled: &Compiled,
) -> rusqlite::Result<()> {
    // A segment may set one value in several of its subsegments, hence `OR IGNORE`.
    for annotation in &compiled.annotations {
        let number = names.annotation_key(connection, &annotation.key)?;
        let mut insert = connection.prepare_cached(
            "INSERT OR IGNORE INTO annotations (trace, key, kind, value, segment) VALUES (?, ?, ?, ?, ?)",
        )?;
        let at = annotation.segment;
        match &annotation.value {
            Value::Bool(value) => insert.execute(params![key.0, number, 0, value, at])?,
            Value::String(value) => insert.execute(params![key.0, number, 2, value, at])?,
            other => insert.execute(params![key.0, number, 1, other.as_f64(), at])?,
        };
    }
    for user in &compiled.users {
        connection
            .prepare_cached("INSERT OR IGNORE INTO users (trace, user, segment) VALUES (?, ?, ?)")?
            .execute(params![key.0, user.name, user.segment])?;
    }
    for place in &compiled.places {
        connection
            .prepare_cached("INSERT OR IGNORE INTO places (trace, kind, value, segment) VALUES (?, ?, ?, ?)")?
            .execute(params![key.0, place.kind as i64, place.value, place.segment])?;
    }
    for link in &compiled.links {
        connection
            .prepare_cached(
                "INSERT OR IGNORE INTO links (trace, segment, span, linked, linked_span) VALUES (?, ?, ?, ?, ?)",
            )?
            .execute(params![
                key.0,
                link.segment,
                link.span.cast_signed(),
                u128::from(link.trace).to_be_bytes(),
                link.other.cast_signed()
            ])?;
    }
    for cause in &compiled.causes {
        let path = names.path(connection, cause)?;
        connection
            .prepare_cached("INSERT OR IGNORE INTO trace_causes (trace, path, coverage) VALUES (?, ?, ?)")?
            .execute(params![key.0, path, cause_rows::coverage(cause)])?;
    }
    Ok(())
}

/// Takes a trace's rows away, from the minutes too. Its documents stay.
pub(super) fn remove(connection: &Connection, cells: &mut Cells, key: TraceKey) -> rusqlite::Result<()> {
    let samples = stored_samples(connection, key)?;
    samples.count(cells, 0, -1);
    let groups = connection
        .prepare_cached("SELECT grp FROM trace_groups WHERE trace = ?")?
        .query_map([key.0], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<i64>>>()?;
    groups.into_iter().for_each(|group| samples.count(cells, group, -1));
    for delete in [
        "DELETE FROM traces WHERE key = ?",
        "DELETE FROM segments WHERE trace = ?",
        "DELETE FROM calls WHERE trace = ?",
        "DELETE FROM annotations WHERE trace = ?",
        "DELETE FROM users WHERE trace = ?",
        "DELETE FROM places WHERE trace = ?",
        "DELETE FROM links WHERE trace = ?",
        "DELETE FROM trace_causes WHERE trace = ?",
        "DELETE FROM trace_groups WHERE trace = ?",
    ] {
        connection.prepare_cached(delete)?.execute([key.0])?;
    }
    Ok(())
}

fn stored_samples(connection: &Connection, key: TraceKey) -> rusqlite::Result<Samples> {
    let read = |sql: &str| {
        connection
            .prepare_cached(sql)?
            .query_map([key.0], |row| {
                let flags = Flags {
                    error: row.get(3)?,
                    throttle: row.get(4)?,
                    fault: row.get(5)?,
                    inferred: row.get(6)?,
                    ..Flags::default()
                };
                let other: Option<i64> = row.get(8)?;
                let other = other.map(|length| Length(length).milliseconds());
                let (start, end) = (Time(row.get(1)?), Time(row.get(2)?));
                Ok((row.get(0)?, Sample { start, end, flags, root: row.get(7)?, other }))
            })?
            .collect::<rusqlite::Result<Vec<(i64, Sample)>>>()
    };
    Ok(Samples {
        nodes: read(
            "SELECT node, start_us, end_us, error, throttle, fault, inferred, root, duration_us
             FROM segments WHERE trace = ? AND end_us IS NOT NULL",
        )?,
        edges: read(
            "SELECT edge, start_us, end_us, error, throttle, fault, inferred, 0, age_us
             FROM calls WHERE trace = ? AND end_us IS NOT NULL",
        )?,
    })
}

/// Kinds of edges are numbers in the table; `Call` is 0.
const _: () = assert!(EdgeKind::Call as i64 == 0 && EdgeKind::Link as i64 == 1);
