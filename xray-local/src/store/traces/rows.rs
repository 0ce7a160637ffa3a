//! A compiled trace as rows, and its removal.
//!
//! Removal reads the rows themselves to take a trace out of the minutes, not the documents: a later version of the
//! compilation may find other facts in them.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::bulk::{Bulk, Field};
use super::cause_rows;
use super::cells::{Cells, Sample};
use super::names::Names;
use super::shape::{Part, Shape, Values};
use crate::model::{Annotation, Compiled, EdgeKind, Flags, Http, Length, Scalar, Segment, Time, TraceKey};

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

/// Samples by node or edge.
type Counted = Vec<(i64, Sample)>;

/// Samples of a trace that was just written, to be counted for its groups as well.
#[derive(Debug, Default)]
pub(super) struct Samples {
    nodes: Counted,
    pub(super) edges: Counted,
}

impl Samples {
    pub(super) fn count(&self, cells: &mut Cells, group: i64, sign: i64) {
        self.nodes.iter().for_each(|(node, sample)| cells.node(group, *node, sample, sign));
        self.edges.iter().for_each(|(edge, sample)| cells.edge(group, *edge, sample, sign));
    }
}

/// The tables of compiled traces, with rows that wait to be inserted. Belongs to one part of a batch.
pub(super) struct Tables<'c> {
    connection: &'c Connection,
    traces: Bulk<'c, 26>,
    segments: Bulk<'c, 20>,
    calls: Bulk<'c, 15>,
    annotations: Bulk<'c, 5>,
    users: Bulk<'c, 3>,
    places: Bulk<'c, 4>,
    links: Bulk<'c, 5>,
    causes: Bulk<'c, 3>,
}

impl<'c> Tables<'c> {
    pub(super) fn new(connection: &'c Connection) -> Self {
        Self {
            connection,
            traces: Bulk::new(
                connection,
                "traces (key, id, revision, start_us, end_us, duration_us, response_us, ok, error, fault, throttle,
                 throttled, partial, inferred, root, status, method, url, client_ip, agent, segments, documents, bytes,
                 received_us, over_limit, shape)",
            ),
            segments: Bulk::new(
                connection,
                "segments (trace, segment, node, id, start_us, end_us, response_us, duration_us, ok, error, throttle,
                 fault, partial, inferred, root, status, method, url, client_ip, agent)",
            ),
            calls: Bulk::new(
                connection,
                "calls (trace, call, edge, caller, callee, span, start_us, end_us, response_us, ok, error, throttle, fault,
                 partial, inferred)",
            ),
            // A segment may set one value in several of its subsegments, hence `ignoring`.
            annotations: Bulk::ignoring(connection, "annotations (trace, key, kind, value, segment)"),
            users: Bulk::ignoring(connection, "users (trace, user, segment)"),
            places: Bulk::ignoring(connection, "places (trace, kind, value, segment)"),
            links: Bulk::ignoring(connection, "links (trace, segment, span, linked, linked_span)"),
            causes: Bulk::ignoring(connection, "trace_causes (trace, path, coverage)"),
        }
    }

    /// Adds the rows of a trace that has none.
    pub(super) fn insert(
        &mut self,
        names: &mut Names,
        key: TraceKey,
        compiled: &Compiled<'_>,
        arrival: Arrival,
    ) -> rusqlite::Result<Samples> {
        let nodes = compiled.segments.iter().map(|segment| names.node(self.connection, &segment.node));
        let nodes = nodes.collect::<rusqlite::Result<Vec<i64>>>()?;
        let (edges, parts) = self.calls(names, key, compiled, &nodes)?;
        let shape = self.shape(names, compiled, &nodes, parts)?;
        let root = compiled.trace.root.and_then(|root| nodes.get(root).copied());
        self.trace(names, key, compiled, Numbers { root, shape }, arrival)?;
        self.rest(names, key, compiled)?;
        let nodes = self.segments(names, key, compiled, &nodes)?;
        Ok(Samples { nodes, edges })
    }

    /// Inserts the rows that wait.
    pub(super) fn flush(&mut self) -> rusqlite::Result<()> {
        self.traces.flush()?;
        self.segments.flush()?;
        self.calls.flush()?;
        self.annotations.flush()?;
        self.users.flush()?;
        self.places.flush()?;
        self.links.flush()?;
        self.causes.flush()
    }

    fn trace(
        &mut self,
        names: &mut Names,
        key: TraceKey,
        compiled: &Compiled<'_>,
        numbers: Numbers,
        arrival: Arrival,
    ) -> rusqlite::Result<()> {
        let trace = &compiled.trace;
        let http = root(compiled).map(|segment| segment.http).unwrap_or_default();
        let agent = self.agent(names, http)?;
        let url = http.url.map(|url| names.url(self.connection, url)).transpose()?;
        let id = u128::from(trace.id).to_be_bytes();
        self.traces.add([
            key.0.into(),
            id.as_slice().into(),
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
            trace.spans.into(),
            arrival.documents.into(),
            arrival.bytes.into(),
            arrival.received.0.into(),
            arrival.over_limit.into(),
            numbers.shape.into(),
        ])
    }

    /// Returns what the segments count.
    fn segments(
        &mut self,
        names: &mut Names,
        key: TraceKey,
        compiled: &Compiled<'_>,
        nodes: &[i64],
    ) -> rusqlite::Result<Counted> {
        let mut samples = Vec::with_capacity(nodes.len());
        for (number, (segment, &node)) in compiled.segments.iter().zip(nodes).enumerate() {
            let (flags, http) = (segment.flags, segment.http);
            let duration = segment.duration.map(Length::milliseconds);
            samples.extend(
                sample(segment.start, segment.end, flags, segment.root, duration)
                    .map(|sample| (node, sample)),
            );
            let agent = self.agent(names, http)?;
            self.segments.add([
                key.0.into(),
                number.into(),
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
            ])?;
        }
        Ok(samples)
    }

    /// Returns what the calls count, and their parts of the shape.
    fn calls(
        &mut self,
        names: &mut Names,
        key: TraceKey,
        compiled: &Compiled<'_>,
        nodes: &[i64],
    ) -> rusqlite::Result<(Counted, BTreeSet<Part<'static>>)> {
        let mut samples = Vec::with_capacity(compiled.calls.len());
        let mut parts = BTreeSet::new();
        for (number, call) in compiled.calls.iter().enumerate() {
            let source = match call.caller {
                Some(caller) => nodes[caller],
                None => names.node(self.connection, &compiled.segments[call.callee].node.clients())?,
            };
            let edge = names.edge(self.connection, source, nodes[call.callee], EdgeKind::Call)?;
            if let Some(alias) = call.alias {
                names.alias(self.connection, edge, alias)?;
            }
            let flags = call.flags;
            parts.insert(Part::new(edge, flags));
            samples.extend(sample(call.start, call.end, flags, false, None).map(|sample| (edge, sample)));
            self.calls.add([
                key.0.into(),
                number.into(),
                edge.into(),
                call.caller.into(),
                call.callee.into(),
                call.span.cast_signed().into(),
                call.start.0.into(),
                call.end.map(|end| end.0).into(),
                call.end.map(|end| (end - call.start).0).into(),
                flags.ok.into(),
                flags.error.into(),
                flags.throttle.into(),
                flags.fault.into(),
                flags.partial.into(),
                flags.inferred.into(),
            ])?;
        }
        Ok((samples, parts))
    }

    /// Finds the number of a trace's shape. `nodes` are those of its segments.
    fn shape(
        &self,
        names: &mut Names,
        compiled: &Compiled<'_>,
        nodes: &[i64],
        calls: BTreeSet<Part<'_>>,
    ) -> rusqlite::Result<i64> {
        let http = root(compiled).map(|segment| segment.http).unwrap_or_default();
        let segments = compiled.segments.iter().zip(nodes).map(|(segment, node)| {
            let part = Part::new(*node, segment.flags).with_root(segment.root);
            part.with_http(segment.http.status, segment.http.method)
        });
        let mut values = Values { has_user: !compiled.users.is_empty(), ..Values::default() };
        for place in &compiled.places {
            values.has_place[place.kind as usize] = true;
        }
        let is_false = |annotation: &&Annotation<'_>| *annotation.value == Scalar::Boolean(false);
        for annotation in compiled.annotations.iter().filter(|annotation| !is_false(annotation)) {
            values.keys.insert(names.annotation_key(self.connection, annotation.key)?);
        }
        let trace = Part::new(0, compiled.trace.flags).with_http(http.status, http.method);
        names.shape(self.connection, &Shape { trace, segments: segments.collect(), calls, values })
    }

    fn rest(&mut self, names: &mut Names, key: TraceKey, compiled: &Compiled<'_>) -> rusqlite::Result<()> {
        let key = Field::from(key.0);
        for annotation in &compiled.annotations {
            let name = names.annotation_key(self.connection, annotation.key)?;
            let (kind, value) = match annotation.value {
                Scalar::Boolean(value) => (0_i64, Field::from(*value)),
                Scalar::Number(value) => (1, Field::Real(*value)),
                Scalar::String(value) => (2, Field::String(value)),
            };
            self.annotations.add([key, name.into(), kind.into(), value, annotation.segment.into()])?;
        }
        for user in &compiled.users {
            self.users.add([key, user.name.into(), user.segment.into()])?;
        }
        for place in &compiled.places {
            self.places.add([key, (place.kind as i64).into(), place.value.into(), place.segment.into()])?;
        }
        for link in &compiled.links {
            let linked = u128::from(link.trace).to_be_bytes();
            let (span, other) = (link.span.cast_signed(), link.other.cast_signed());
            self.links.add([
                key,
                link.segment.into(),
                span.into(),
                linked.as_slice().into(),
                other.into(),
            ])?;
        }
        for cause in &compiled.causes {
            let path = names.path(self.connection, cause)?;
            self.causes.add([key, path.into(), cause_rows::coverage(cause).as_slice().into()])?;
        }
        Ok(())
    }

    fn agent(&self, names: &mut Names, http: Http<'_>) -> rusqlite::Result<Option<i64>> {
        http.agent.map(|agent| names.agent(self.connection, agent)).transpose()
    }
}

fn root<'r, 'd>(compiled: &'r Compiled<'d>) -> Option<&'r Segment<'d>> {
    compiled.trace.root.and_then(|root| compiled.segments.get(root))
}

fn sample(start: Time, end: Option<Time>, flags: Flags, root: bool, other: Option<i64>) -> Option<Sample> {
    // Only what is completed is counted.
    end.map(|end| Sample { start, end, flags, root, other })
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
