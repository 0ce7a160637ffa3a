//! A compiled trace as rows, and its removal.
//!
//! Removal reads the rows themselves to take a trace out of the minutes, not the documents: a later version of the
//! compilation may find other facts in them.

use std::collections::BTreeSet;

use rusqlite::Connection;
use rusqlite::types::Value as SqlValue;
use serde_json::Value;

use super::bulk::Bulk;
use super::cause_rows;
use super::cells::{Cells, Sample};
use super::names::Names;
use super::shape::{Part, Shape, Values};
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

/// Numbers of what a trace's row refers to.
#[derive(Clone, Copy, Debug)]
struct Numbers {
    root: Option<i64>,
    shape: i64,
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

/// The tables of compiled traces, with rows that wait to be inserted.
#[derive(Debug)]
pub(super) struct Tables {
    traces: Bulk<26>,
    segments: Bulk<20>,
    calls: Bulk<16>,
    annotations: Bulk<5>,
    users: Bulk<3>,
    places: Bulk<4>,
    links: Bulk<5>,
    causes: Bulk<3>,
}

impl Default for Tables {
    fn default() -> Self {
        Self {
            traces: Bulk::new(
                "traces (key, id, revision, start_us, end_us, duration_us, response_us, ok, error, fault,
                 throttle, throttled, partial, inferred, root, status, method, url, client_ip, agent, segments,
                 documents, bytes, received_us, over_limit, shape)",
            ),
            segments: Bulk::new(
                "segments (trace, segment, node, id, start_us, end_us, response_us, duration_us, ok, error,
                 throttle, fault, partial, inferred, root, status, method, url, client_ip, agent)",
            ),
            calls: Bulk::new(
                "calls (trace, call, edge, caller, callee, span, start_us, end_us, response_us, age_us, ok,
                 error, throttle, fault, partial, inferred)",
            ),
            // A segment may set one value in several of its subsegments, hence `ignoring`.
            annotations: Bulk::ignoring("annotations (trace, key, kind, value, segment)"),
            users: Bulk::ignoring("users (trace, user, segment)"),
            places: Bulk::ignoring("places (trace, kind, value, segment)"),
            links: Bulk::ignoring("links (trace, segment, span, linked, linked_span)"),
            causes: Bulk::ignoring("trace_causes (trace, path, coverage)"),
        }
    }
}

impl Tables {
    /// Adds the rows of a trace that has none.
    pub(super) fn insert(
        &mut self,
        connection: &Connection,
        names: &mut Names,
        key: TraceKey,
        mut compiled: Compiled,
        arrival: Arrival,
    ) -> rusqlite::Result<Samples> {
        let mut samples = Samples::default();
        let mut nodes = Vec::with_capacity(compiled.segments.len());
        for segment in &compiled.segments {
            nodes.push(names.node(connection, &segment.node)?);
        }
        let mut calls = BTreeSet::new();
        for (number, call) in std::mem::take(&mut compiled.calls).into_iter().enumerate() {
            let (start, end, flags) = (call.start, call.end, call.flags);
            let age = call.age.map(Length::milliseconds);
            let edge = self.call(connection, names, key, number, call)?;
            samples.edges.extend(sample(start, end, flags, false, age).map(|sample| (edge, sample)));
            calls.insert(Part::new(edge, flags));
        }
        let shape = shape(connection, names, &compiled, &nodes, calls)?;
        let root = compiled.trace.root.and_then(|root| nodes.get(root).copied());
        self.trace(connection, names, key, &compiled, Numbers { root, shape }, arrival)?;
        self.rest(connection, names, key, &mut compiled)?;
        for (number, (segment, node)) in compiled.segments.into_iter().zip(nodes).enumerate() {
            let duration = segment.duration.map(Length::milliseconds);
            let sample = sample(segment.start, segment.end, segment.flags, segment.root, duration);
            samples.nodes.extend(sample.map(|sample| (node, sample)));
            self.segment(connection, names, key, number, node, segment)?;
        }
        Ok(samples)
    }

    /// Inserts the rows that wait.
    pub(super) fn flush(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        self.traces.flush(connection)?;
        self.segments.flush(connection)?;
        self.calls.flush(connection)?;
        self.annotations.flush(connection)?;
        self.users.flush(connection)?;
        self.places.flush(connection)?;
        self.links.flush(connection)?;
        self.causes.flush(connection)
    }

    /// Forgets the rows that wait, after a transaction that failed.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    fn trace(
        &mut self,
        connection: &Connection,
        names: &mut Names,
        key: TraceKey,
        compiled: &Compiled,
        numbers: Numbers,
        arrival: Arrival,
    ) -> rusqlite::Result<()> {
        let trace = &compiled.trace;
        let http = root(compiled).map(|segment| segment.http.clone()).unwrap_or_default();
        let agent = http.agent.as_deref().map(|agent| names.agent(connection, agent)).transpose()?;
        let url = http.url.as_deref().map(|url| names.url(connection, url)).transpose()?;
        let row = [
            key.0.into(),
            u128::from(trace.id).to_be_bytes().to_vec().into(),
            arrival.revision.into(),
            trace.start.0.into(),
            trace.end.0.into(),
            (trace.end - trace.start).0.into(),
            trace.response.map(|response| response.0).into(),
            trace.flags.ok.into(),
            trace.flags.error.into(),
            trace.flags.fault.into(),
            trace.flags.throttle.into(),
            trace.throttled.into(),
            trace.flags.partial.into(),
            trace.flags.inferred.into(),
            numbers.root.into(),
            http.status.into(),
            http.method.into(),
            url.into(),
            http.client_ip.into(),
            agent.into(),
            count(trace.spans),
            count(arrival.documents),
            count(arrival.bytes),
            arrival.received.0.into(),
            arrival.over_limit.into(),
            numbers.shape.into(),
        ];
        self.traces.add(connection, row)
    }

    fn segment(
        &mut self,
        connection: &Connection,
        names: &mut Names,
        key: TraceKey,
        number: usize,
        node: i64,
        segment: Segment,
    ) -> rusqlite::Result<()> {
        let (flags, http) = (segment.flags, segment.http);
        let agent = http.agent.as_deref().map(|agent| names.agent(connection, agent)).transpose()?;
        let row = [
            key.0.into(),
            count(number),
            node.into(),
            segment.id.cast_signed().into(),
            segment.start.0.into(),
            segment.end.map(|end| end.0).into(),
            segment.end.map(|end| (end - segment.start).0).into(),
            segment.duration.map(|duration| duration.0).into(),
            flags.ok.into(),
            flags.error.into(),
            flags.throttle.into(),
            flags.fault.into(),
            flags.partial.into(),
            flags.inferred.into(),
            segment.root.into(),
            http.status.into(),
            http.method.into(),
            http.url.into(),
            http.client_ip.into(),
            agent.into(),
        ];
        self.segments.add(connection, row)
    }

    fn call(
        &mut self,
        connection: &Connection,
        names: &mut Names,
        key: TraceKey,
        number: usize,
        call: Call,
    ) -> rusqlite::Result<i64> {
        let source = names.node(connection, &call.source)?;
        let target = names.node(connection, &call.target)?;
        let edge = names.edge(connection, source, target, call.kind)?;
        if let Some(alias) = &call.alias {
            names.alias(connection, edge, alias)?;
        }
        let flags = call.flags;
        let row = [
            key.0.into(),
            count(number),
            edge.into(),
            call.caller.map_or(SqlValue::Null, count),
            call.callee.map_or(SqlValue::Null, count),
            call.span.cast_signed().into(),
            call.start.0.into(),
            call.end.map(|end| end.0).into(),
            call.end.map(|end| (end - call.start).0).into(),
            call.age.map(|age| age.0).into(),
            flags.ok.into(),
            flags.error.into(),
            flags.throttle.into(),
            flags.fault.into(),
            flags.partial.into(),
            flags.inferred.into(),
        ];
        self.calls.add(connection, row)?;
        Ok(edge)
    }

    fn rest(
        &mut self,
        connection: &Connection,
        names: &mut Names,
        key: TraceKey,
        compiled: &mut Compiled,
    ) -> rusqlite::Result<()> {
        for annotation in compiled.annotations.drain(..) {
            let number = names.annotation_key(connection, &annotation.key)?;
            let (kind, value): (i64, SqlValue) = match annotation.value {
                Value::Bool(value) => (0, value.into()),
                Value::String(value) => (2, value.into()),
                other => (1, other.as_f64().into()),
            };
            let row = [key.0.into(), number.into(), kind.into(), value, count(annotation.segment)];
            self.annotations.add(connection, row)?;
        }
        for user in compiled.users.drain(..) {
            self.users.add(connection, [key.0.into(), user.name.into(), count(user.segment)])?;
        }
        for place in compiled.places.drain(..) {
            let row = [key.0.into(), (place.kind as i64).into(), place.value.into(), count(place.segment)];
            self.places.add(connection, row)?;
        }
        for link in compiled.links.drain(..) {
            let linked = u128::from(link.trace).to_be_bytes().to_vec();
            let (span, other) = (link.span.cast_signed(), link.other.cast_signed());
            let row = [key.0.into(), count(link.segment), span.into(), linked.into(), other.into()];
            self.links.add(connection, row)?;
        }
        for cause in &compiled.causes {
            let path = names.path(connection, cause)?;
            self.causes.add(connection, [key.0.into(), path.into(), cause_rows::coverage(cause).into()])?;
        }
        Ok(())
    }
}

fn root(compiled: &Compiled) -> Option<&Segment> {
    compiled.trace.root.and_then(|root| compiled.segments.get(root))
}

/// Finds the number of a trace's shape. `nodes` are those of its segments.
fn shape(
    connection: &Connection,
    names: &mut Names,
    compiled: &Compiled,
    nodes: &[i64],
    calls: BTreeSet<Part<'_>>,
) -> rusqlite::Result<i64> {
    let http = root(compiled).map(|segment| (segment.http.status, segment.http.method.as_deref()));
    let (status, method) = http.unwrap_or_default();
    let segments = compiled.segments.iter().zip(nodes).map(|(segment, node)| {
        let part = Part::new(*node, segment.flags).with_root(segment.root);
        part.with_http(segment.http.status, segment.http.method.as_deref())
    });
    let mut values = Values { has_user: !compiled.users.is_empty(), ..Values::default() };
    for place in &compiled.places {
        values.has_place[place.kind as usize] = true;
    }
    for annotation in compiled.annotations.iter().filter(|annotation| annotation.value != false) {
        values.keys.insert(names.annotation_key(connection, &annotation.key)?);
    }
    let trace = Part::new(0, compiled.trace.flags).with_http(status, method);
    names.shape(connection, &Shape { trace, segments: segments.collect(), calls, values })
}

fn sample(start: Time, end: Option<Time>, flags: Flags, root: bool, other: Option<i64>) -> Option<Sample> {
    // Only what is completed is counted.
    end.map(|end| Sample { start, end, flags, root, other })
}

fn count(number: usize) -> SqlValue {
    SqlValue::Integer(number as i64)
}

/// Takes a trace's rows away, from the minutes too. Its documents stay.
pub(super) fn remove(connection: &Connection, cells: &mut Cells, key: TraceKey) -> rusqlite::Result<()> {
    let samples = stored_samples(connection, key)?;
    samples.count(cells, 0, -1);
    cells.trace(key, -1);
    let groups = connection
        .prepare_cached("SELECT grp FROM trace_groups WHERE trace = ?")?
        .query_map([key.0], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<i64>>>()?;
    groups.into_iter().for_each(|group| samples.count(cells, group, -1));
    for delete in [
        "DELETE FROM segments WHERE trace = ?1
         AND node IN (SELECT h.node FROM traces t JOIN shape_segments h ON h.shape = t.shape WHERE t.key = ?1)",
        "DELETE FROM calls WHERE trace = ?1
         AND edge IN (SELECT h.edge FROM traces t JOIN shape_calls h ON h.shape = t.shape WHERE t.key = ?1)",
        // Later than what its shape leads to.
        "DELETE FROM traces WHERE key = ?",
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
             FROM segments WHERE trace = ?1 AND end_us IS NOT NULL
             AND node IN (SELECT h.node FROM traces t JOIN shape_segments h ON h.shape = t.shape WHERE t.key = ?1)",
        )?,
        edges: read(
            "SELECT edge, start_us, end_us, error, throttle, fault, inferred, 0, age_us
             FROM calls WHERE trace = ?1 AND end_us IS NOT NULL
             AND edge IN (SELECT h.edge FROM traces t JOIN shape_calls h ON h.shape = t.shape WHERE t.key = ?1)",
        )?,
    })
}

/// Kinds of edges are numbers in the table; `Call` is 0.
const _: () = assert!(EdgeKind::Call as i64 == 0 && EdgeKind::Link as i64 == 1);
