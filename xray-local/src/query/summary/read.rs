//! Sums up stored traces, from their columns alone: no document is read.

use std::collections::{BTreeMap, HashMap};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row};
use xray_sdk::TraceId;

use super::super::filter::sql;
use super::super::nodes::Nodes;
use super::super::search::find;
use super::super::search::{RangeKind, Search};
use super::facts::{
    AnnotationSummary, AnnotationValue, CauseEntity, CauseService, HttpSummary, RootCause, Summary,
    SummaryPage, UserSummary,
};
use crate::model::{CauseKind, EdgeKind, Length, NodeName, PlaceKind, Time, TraceKey};
use crate::store::StoreError;

/// Finds a page of traces and sums them up (`GetTraceSummaries`).
///
/// # Errors
/// SQLite's.
pub fn summaries(connection: &Connection, search: &Search) -> Result<SummaryPage, StoreError> {
    let found = find(connection, search)?;
    let mut summaries = sum_up(connection, &found.keys)?;
    if search.range.kind == RangeKind::Event {
        for summary in &mut summaries {
            summary.matched_event_time = Some(summary.start.max(search.range.start));
        }
    }
    let approximate = summaries.iter().map(|summary| summary.start).min().unwrap_or(search.range.start);
    Ok(SummaryPage { summaries, next: found.next, processed: found.processed, approximate })
}

/// Sums up traces, in the order given. A trace that was deleted meanwhile is left out.
///
/// # Errors
/// SQLite's.
pub fn sum_up(connection: &Connection, keys: &[TraceKey]) -> Result<Vec<Summary>, StoreError> {
    let mut reader = Reader { connection, nodes: Nodes::new(connection), clients: HashMap::new() };
    let mut summaries = Vec::with_capacity(keys.len());
    for key in keys {
        summaries.extend(reader.summary(*key)?);
    }
    Ok(summaries)
}

/// The id of a row's trace.
pub(super) fn trace_id(row: &Row<'_>, column: usize) -> rusqlite::Result<TraceId> {
    let bytes: [u8; 16] = row.get(column)?;
    Ok(u128::from_be_bytes(bytes).into())
}

struct Reader<'c> {
    connection: &'c Connection,
    nodes: Nodes<'c>,
    /// Nodes that called without a segment of their own, by shape.
    clients: HashMap<i64, Vec<NodeName>>,
}

impl Reader<'_> {
    fn summary(&mut self, key: TraceKey) -> rusqlite::Result<Option<Summary>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT t.id, t.start_us, t.duration_us, t.response_us, t.fault, t.error, t.throttled, t.partial, u.url,
                    t.status, t.method, g.agent, t.client_ip, t.root, t.revision, t.segments, t.bytes,
                    t.shape
             FROM traces t LEFT JOIN agents g ON g.id = t.agent LEFT JOIN urls u ON u.id = t.url WHERE t.key = ?",
        )?;
        let read = |row: &Row<'_>| {
            let root: Option<i64> = row.get(13)?;
            let response: Option<i64> = row.get(3)?;
            let summary = Summary {
                key,
                id: trace_id(row, 0)?,
                start: Time(row.get(1)?),
                duration: Length(row.get(2)?),
                response: response.map(Length),
                has_fault: row.get(4)?,
                has_error: row.get(5)?,
                has_throttle: row.get(6)?,
                is_partial: row.get(7)?,
                http: HttpSummary {
                    url: row.get(8)?,
                    status: row.get(9)?,
                    method: row.get(10)?,
                    user_agent: row.get(11)?,
                    client_ip: row.get(12)?,
                },
                annotations: Vec::new(),
                users: Vec::new(),
                services: Vec::new(),
                resource_arns: Vec::new(),
                instance_ids: Vec::new(),
                availability_zones: Vec::new(),
                entry_point: None,
                fault_causes: Vec::new(),
                error_causes: Vec::new(),
                response_time_causes: Vec::new(),
                revision: row.get(14)?,
                matched_event_time: None,
                spans: row.get(15)?,
                bytes: row.get(16)?,
            };
            Ok((summary, root, row.get(17)?))
        };
        let Some((mut summary, root, shape)) = statement.query_row([key.0], read).optional()? else {
            return Ok(None);
        };
        summary.entry_point = root.map(|root| self.nodes.name(root)).transpose()?;
        let segments = self.segments(key)?;
        summary.services = self.services(shape, &segments)?;
        summary.annotations = self.annotations(key, &segments)?;
        summary.users = self.users(key, &segments)?;
        summary.availability_zones = self.places(key, PlaceKind::Zone)?;
        summary.instance_ids = self.places(key, PlaceKind::Instance)?;
        summary.resource_arns = self.places(key, PlaceKind::Resource)?;
        for (kind, cause) in self.causes(key)? {
            let causes = match kind {
                _ if kind == CauseKind::Fault as i64 => &mut summary.fault_causes,
                _ if kind == CauseKind::Error as i64 => &mut summary.error_causes,
                _ => &mut summary.response_time_causes,
            };
            causes.push(cause);
        }
        Ok(Some(summary))
    }

    /// The node of each segment, by the segment's number.
    fn segments(&mut self, key: TraceKey) -> rusqlite::Result<BTreeMap<i64, NodeName>> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT s.segment, s.node FROM traces t CROSS JOIN segments s ON {} WHERE t.key = ?",
            sql::OF_TRACE[0]
        ))?;
        let rows: Vec<(i64, i64)> = statement
            .query_map([key.0], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        rows.into_iter().map(|(segment, node)| Ok((segment, self.nodes.name(node)?))).collect()
    }

    fn services(
        &mut self,
        shape: i64,
        segments: &BTreeMap<i64, NodeName>,
    ) -> rusqlite::Result<Vec<NodeName>> {
        let clients = match self.clients.get(&shape) {
            Some(clients) => clients.clone(),
            None => self.clients(shape)?,
        };
        let mut services: Vec<NodeName> = Vec::new();
        clients.iter().chain(segments.values()).for_each(|node| push_new(&mut services, node));
        Ok(services)
    }

    /// Clients, and the sources of links: edges that no segment of the trace begins.
    fn clients(&mut self, shape: i64) -> rusqlite::Result<Vec<NodeName>> {
        let sources: Vec<i64> = self
            .connection
            .prepare_cached(
                "SELECT DISTINCT g.source FROM shape_calls h JOIN edges g ON g.id = h.edge JOIN nodes n ON n.id = g.source
                 WHERE h.shape = ? AND (n.type = 'client' OR g.kind = ?)",
            )?
            .query_map([shape, EdgeKind::Link as i64], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let clients: Vec<NodeName> =
            sources.into_iter().map(|source| self.nodes.name(source)).collect::<rusqlite::Result<_>>()?;
        self.clients.insert(shape, clients.clone());
        Ok(clients)
    }

    fn annotations(
        &mut self,
        key: TraceKey,
        segments: &BTreeMap<i64, NodeName>,
    ) -> rusqlite::Result<Vec<AnnotationSummary>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT k.key, a.kind, a.value, a.segment FROM annotations a JOIN annotation_keys k ON k.id = a.key
             WHERE a.trace = ? ORDER BY k.key, a.kind, a.value, a.segment",
        )?;
        let mut rows = statement.query([key.0])?;
        let mut annotations: Vec<AnnotationSummary> = Vec::new();
        while let Some(row) = rows.next()? {
            let name: String = row.get(0)?;
            let value = annotation_value(row.get(1)?, row.get_ref(2)?);
            let node = segments.get(&row.get(3)?).cloned().unwrap_or_default();
            if annotations.last().is_none_or(|last| last.key != name) {
                annotations.push(AnnotationSummary { key: name, values: Vec::new() });
            }
            let Some(annotation) = annotations.last_mut() else { continue };
            match annotation.values.last_mut() {
                Some((last, nodes)) if *last == value => push_new(nodes, &node),
                _ => annotation.values.push((value, vec![node])),
            }
        }
        Ok(annotations)
    }

    fn users(
        &mut self,
        key: TraceKey,
        segments: &BTreeMap<i64, NodeName>,
    ) -> rusqlite::Result<Vec<UserSummary>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT user, segment FROM users WHERE trace = ? ORDER BY user, segment")?;
        let mut rows = statement.query([key.0])?;
        let mut users: Vec<UserSummary> = Vec::new();
        while let Some(row) = rows.next()? {
            let name: String = row.get(0)?;
            let node = segments.get(&row.get(1)?).cloned().unwrap_or_default();
            match users.last_mut() {
                Some(user) if user.name == name => push_new(&mut user.services, &node),
                _ => users.push(UserSummary { name, services: vec![node] }),
            }
        }
        Ok(users)
    }

    fn places(&self, key: TraceKey, kind: PlaceKind) -> rusqlite::Result<Vec<String>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT DISTINCT value FROM places WHERE trace = ? AND kind = ? ORDER BY value",
        )?;
        statement.query_map((key.0, kind as i64), |row| row.get(0))?.collect()
    }

    fn causes(&self, key: TraceKey) -> rusqlite::Result<Vec<(i64, RootCause)>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT p.kind, p.json, tc.coverage FROM trace_causes tc JOIN cause_paths p ON p.id = tc.path
             WHERE tc.trace = ? ORDER BY tc.path",
        )?;
        statement
            .query_map([key.0], |row| {
                let json: String = row.get(1)?;
                Ok((row.get(0)?, root_cause(&json, row.get_ref(2)?.as_blob().unwrap_or_default())))
            })?
            .collect()
    }
}

fn push_new(nodes: &mut Vec<NodeName>, node: &NodeName) {
    if !nodes.contains(node) {
        nodes.push(node.clone());
    }
}

/// A column of `annotations`.
fn annotation_value(kind: i64, value: ValueRef<'_>) -> AnnotationValue {
    match (kind, value) {
        (0, ValueRef::Integer(flag)) => AnnotationValue::Bool(flag != 0),
        (_, ValueRef::Integer(number)) => AnnotationValue::Number(number as f64),
        (_, ValueRef::Real(number)) => AnnotationValue::Number(number),
        (_, ValueRef::Text(bytes)) => AnnotationValue::String(String::from_utf8_lossy(bytes).into_owned()),
        _ => AnnotationValue::String(String::new()),
    }
}

/// Reads a column of `cause_paths`, and the coverage that stands beside it: two bytes for each entity, in thousandths.
fn root_cause(json: &str, coverage: &[u8]) -> RootCause {
    let json: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
    let list = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
    let string = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let mut coverage =
        coverage.chunks_exact(2).map(|pair| f64::from(u16::from_be_bytes([pair[0], pair[1]])) / 1_000.0);
    let services = list(&json["Services"])
        .iter()
        .map(|service| CauseService {
            node: NodeName {
                name: string(&service["Name"]),
                kind: string(&service["Type"]),
                account: string(&service["AccountId"]),
            },
            inferred: service["Inferred"].as_bool().unwrap_or_default(),
            entities: list(&service["EntityPath"])
                .iter()
                .map(|entity| CauseEntity {
                    name: string(&entity["Name"]),
                    remote: entity["Remote"].as_bool().unwrap_or_default(),
                    coverage: coverage.next(),
                    exceptions: list(&entity["Exceptions"])
                        .iter()
                        .map(|exception| (string(&exception["Name"]), string(&exception["Message"])))
                        .collect(),
                })
                .collect(),
        })
        .collect();
    RootCause { services, client_impacting: true }
}
