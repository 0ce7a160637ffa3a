//! Edges of links: from the queue, that an event came through, to the segment that received the event.
//!
//! A link names a call in another trace, which compilation can't see. So the calls of links are written from the rows,
//! when either of the two traces is written: rows don't depend on which came first. An event whose sender is not stored
//! has no edge until the sender is.

use std::collections::{BTreeSet, HashMap};

use rusqlite::{Connection, OptionalExtension, Row, params};
use xray_sdk::TraceId;

use super::cells::{Cells, Sample};
use super::names::Names;
use super::rows::Samples;
use super::shape;
use crate::model::{EdgeKind, Flags, Length, Time, TraceKey};

/// Writes the calls of links anew: of the traces that were just written, and of those that link to one of these.
///
/// Calls of traces in `written` are added to their samples, since the groups of these traces are not known yet.
pub(super) fn refresh(
    connection: &Connection,
    names: &mut Names,
    cells: &mut Cells,
    ids: &[TraceId],
    written: &mut [(TraceKey, Samples)],
) -> rusqlite::Result<()> {
    // Most stores have no link at all, and a look-up for each trace is not free.
    if !connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM links)")?.query_row([], |row| row.get(0))? {
        return Ok(());
    }
    let mut touched: BTreeSet<i64> = BTreeSet::new();
    let mut find = connection.prepare_cached(
        "SELECT trace FROM links WHERE trace = ?1 UNION SELECT trace FROM links WHERE linked = ?2",
    )?;
    for (id, (key, _)) in ids.iter().zip(written.iter()) {
        let id = u128::from(*id).to_be_bytes();
        for trace in find.query_map(params![key.0, id], |row| row.get(0))? {
            touched.insert(trace?);
        }
    }
    if touched.is_empty() {
        return Ok(());
    }
    let mut new: HashMap<i64, &mut Samples> =
        written.iter_mut().map(|(key, samples)| (key.0, samples)).collect();
    for trace in touched {
        let groups = connection
            .prepare_cached("SELECT grp FROM trace_groups WHERE trace = ?")?
            .query_map([trace], |row| row.get(0))?
            .collect::<rusqlite::Result<Vec<i64>>>()?;
        let before = remove(connection, trace)?;
        let (after, edges) = insert(connection, names, trace)?;
        shape::link(connection, trace, &edges)?;
        for group in std::iter::once(0).chain(groups) {
            before.iter().for_each(|(edge, sample)| cells.edge(group, *edge, sample, -1));
            after.iter().for_each(|(edge, sample)| cells.edge(group, *edge, sample, 1));
        }
        if let Some(samples) = new.get_mut(&trace) {
            samples.edges.extend(after);
        }
    }
    Ok(())
}

/// Removes the calls of links of a trace. Returns what they counted.
fn remove(connection: &Connection, trace: i64) -> rusqlite::Result<Vec<(i64, Sample)>> {
    let samples = connection
        .prepare_cached(
            "SELECT c.start_us, c.end_us, c.error, c.throttle, c.fault, c.inferred, c.age_us, c.edge
             FROM traces t JOIN shape_calls h ON h.shape = t.shape JOIN edges e ON e.id = h.edge
             CROSS JOIN calls c ON c.edge = h.edge AND c.trace = t.key
             WHERE t.key = ? AND e.kind = ? AND c.end_us IS NOT NULL GROUP BY c.edge, c.call",
        )?
        .query_map(params![trace, EdgeKind::Link as i64], |row| Ok((row.get(7)?, sample(row, row.get(1)?)?)))?
        .collect::<rusqlite::Result<_>>()?;
    connection
        .prepare_cached(
            "DELETE FROM calls WHERE trace = ?1 AND edge IN (SELECT h.edge FROM traces t
             JOIN shape_calls h ON h.shape = t.shape JOIN edges e ON e.id = h.edge WHERE t.key = ?1 AND e.kind = ?2)",
        )?
        .execute(params![trace, EdgeKind::Link as i64])?;
    Ok(samples)
}

/// One link, and the segment that has it.
struct Event {
    segment: i64,
    node: i64,
    span: i64,
    linked: Vec<u8>,
    linked_span: i64,
    start: Time,
    flags: Flags,
    sample: Option<Sample>,
}

/// Samples of the completed calls, and the edges of all calls with their flags.
type Written = (Vec<(i64, Sample)>, Vec<(i64, Flags)>);

/// Writes the calls of links of a trace.
fn insert(connection: &Connection, names: &mut Names, trace: i64) -> rusqlite::Result<Written> {
    let events: Vec<Event> = connection
        .prepare_cached(
            "SELECT s.start_us, s.end_us, s.error, s.throttle, s.fault, s.inferred, NULL, s.segment, s.node, l.span,
                    l.linked, l.linked_span, s.ok, s.partial
             FROM traces t CROSS JOIN segments s ON s.trace = t.key
                 AND s.node IN (SELECT h.node FROM shape_segments h WHERE h.shape = t.shape)
             JOIN links l ON l.trace = t.key AND l.segment = s.segment WHERE t.key = ? ORDER BY l.segment, l.span",
        )?
        .query_map([trace], |row| {
            let end: Option<i64> = row.get(1)?;
            Ok(Event {
                segment: row.get(7)?,
                node: row.get(8)?,
                span: row.get(9)?,
                linked: row.get(10)?,
                linked_span: row.get(11)?,
                start: Time(row.get(0)?),
                flags: Flags { ok: row.get(12)?, partial: row.get(13)?, ..flags(row)? },
                sample: end.map(|end| sample(row, end)).transpose()?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    let mut number: i64 = connection
        .prepare_cached(
            "SELECT coalesce(max(c.call) + 1, 0) FROM traces t JOIN shape_calls h ON h.shape = t.shape
             CROSS JOIN calls c ON c.edge = h.edge AND c.trace = t.key WHERE t.key = ?",
        )?
        .query_row([trace], |row| row.get(0))?;
    let (mut counted, mut edges) = (Vec::new(), Vec::new());
    for event in events {
        let Some((source, sent)) = sender(connection, &event)? else { continue };
        let edge = names.edge(connection, source, event.node, EdgeKind::Link)?;
        // A receiver whose clock is behind has no event from the future.
        let age = Length((event.start - sent).0.max(0));
        connection
            .prepare_cached(
                "INSERT INTO calls (trace, call, edge, caller, callee, span, start_us, end_us, response_us, age_us, ok,
                 error, throttle, fault, partial, inferred)
                 SELECT trace, ?, ?, NULL, segment, ?, start_us, end_us, response_us, ?, ok, error, throttle, fault,
                        partial, inferred
                 FROM segments WHERE node = ? AND trace = ? AND segment = ?",
            )?
            .execute(params![number, edge, event.span, age.0, event.node, trace, event.segment])?;
        number += 1;
        edges.push((edge, event.flags));
        counted
            .extend(event.sample.map(|sample| (edge, Sample { other: Some(age.milliseconds()), ..sample })));
    }
    Ok((counted, edges))
}

/// Finds the source of an event, and when it was sent: the node that the linked call led to, which is the queue; else the
/// node of the linked segment. A subsegment that calls nothing sent no event.
fn sender(connection: &Connection, event: &Event) -> rusqlite::Result<Option<(i64, Time)>> {
    let read = |row: &Row<'_>| Ok((row.get(0)?, Time(row.get(1)?)));
    let values = params![event.linked, event.linked_span, EdgeKind::Call as i64];
    let call = connection
        .prepare_cached(
            "SELECT e.target, coalesce(c.end_us, c.start_us)
             FROM traces t JOIN shape_calls h ON h.shape = t.shape JOIN edges e ON e.id = h.edge
             CROSS JOIN calls c ON c.edge = h.edge AND c.trace = t.key
             WHERE t.id = ? AND c.span = ? AND e.kind = ? ORDER BY c.call LIMIT 1",
        )?
        .query_row(values, read)
        .optional()?;
    if call.is_some() {
        return Ok(call);
    }
    connection
        .prepare_cached(
            "SELECT s.node, coalesce(s.end_us, s.start_us) FROM traces t JOIN shape_segments h ON h.shape = t.shape
             CROSS JOIN segments s ON s.node = h.node AND s.trace = t.key WHERE t.id = ? AND s.id = ?
             ORDER BY s.segment LIMIT 1",
        )?
        .query_row(params![event.linked, event.linked_span], read)
        .optional()
}

/// The first seven columns: start, end, error, throttle, fault, inferred, age.
fn sample(row: &Row<'_>, end: i64) -> rusqlite::Result<Sample> {
    let flags = flags(row)?;
    let other = row.get::<_, Option<i64>>(6)?.map(|age| Length(age).milliseconds());
    Ok(Sample { start: Time(row.get(0)?), end: Time(end), flags, root: false, other })
}

/// The flags among these columns.
fn flags(row: &Row<'_>) -> rusqlite::Result<Flags> {
    Ok(Flags {
        error: row.get(2)?,
        throttle: row.get(3)?,
        fault: row.get(4)?,
        inferred: row.get(5)?,
        ..Flags::default()
    })
}
