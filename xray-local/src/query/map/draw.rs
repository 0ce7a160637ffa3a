//! The service map: over a range of time, of single traces, of the traces that a search finds.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Connection, OptionalExtension};
use xray_sdk::TraceId;

use super::super::nodes::Nodes;
use super::super::search::find;
use super::super::search::{Range, Search};
use super::graph::{Edge, Graph, Histogram, Node};
use super::tally::{Counted, Only, Tally, count, count_traces, histogram};
use crate::model::EdgeKind;
use crate::store::{self, StoreError};

/// The map of a range of time (`GetServiceGraph`), of all traces or of a group (`groups.number`). Counts completed
/// segments and calls that started within the range, whatever `range.kind` is.
///
/// # Errors
/// SQLite's.
pub fn service_graph(connection: &Connection, range: Range, group: Option<i64>) -> Result<Graph, StoreError> {
    let only = Only { group, ..Only::default() };
    let mut counts = Counts::default();
    let window = (range.start, range.end);
    count(connection, Counted::Segments, &only, window, true, &mut |_, id, tally| counts.node(id, &tally))?;
    count(connection, Counted::Calls, &only, window, true, &mut |_, id, tally| counts.edge(id, &tally))?;
    let mut graph = counts.graph(connection)?;
    if let Some(group) = group {
        let changed: Option<bool> = connection
            .prepare_cached(
                "SELECT modified_us > created_us AND modified_us > ? FROM groups WHERE number = ?",
            )?
            .query_row((range.start.0, group), |row| row.get(0))
            .optional()?;
        graph.old_group_versions = changed.unwrap_or_default();
    }
    Ok(graph)
}

/// The map of single traces (`GetTraceGraph`). Ids that are not stored are ignored.
///
/// # Errors
/// SQLite's.
pub fn trace_graph(connection: &Connection, ids: &[TraceId]) -> Result<Graph, StoreError> {
    let mut keys = Vec::with_capacity(ids.len());
    for &id in ids {
        keys.extend(store::find(connection, id)?.map(|held| held.key.0));
    }
    keys.sort_unstable();
    keys.dedup();
    of_keys(connection, &keys)
}

/// The map of the traces that a search finds: of the newest `search.limit` of them.
///
/// # Errors
/// SQLite's.
pub fn graph_of(connection: &Connection, search: &Search) -> Result<Graph, StoreError> {
    let keys: Vec<i64> = find(connection, search)?.keys.iter().map(|key| key.0).collect();
    of_keys(connection, &keys)
}

fn of_keys(connection: &Connection, keys: &[i64]) -> Result<Graph, StoreError> {
    let mut counts = Counts::default();
    count_traces(connection, Counted::Segments, keys, &mut |_, id, tally| counts.node(id, &tally))?;
    count_traces(connection, Counted::Calls, keys, &mut |_, id, tally| counts.edge(id, &tally))?;
    counts.graph(connection)
}

/// Counts by number of node and edge.
#[derive(Default)]
struct Counts {
    nodes: BTreeMap<i64, Tally>,
    edges: BTreeMap<i64, Tally>,
}

impl Counts {
    fn node(&mut self, id: i64, tally: &Tally) {
        self.nodes.entry(id).or_default().merge(tally);
    }

    fn edge(&mut self, id: i64, tally: &Tally) {
        self.edges.entry(id).or_default().merge(tally);
    }

    fn graph(self, connection: &Connection) -> Result<Graph, StoreError> {
        let mut names = Nodes::new(connection);
        let mut graph = Graph::default();
        let mut positions: HashMap<i64, usize> = HashMap::new();
        for (id, tally) in &self.nodes {
            positions.insert(*id, graph.nodes.len());
            graph.nodes.push(Node {
                name: names.name(*id)?,
                root: tally.roots > 0,
                active: tally.statistics.total() > tally.inferred,
                start: tally.first,
                end: tally.last,
                edges: Vec::new(),
                statistics: Some(tally.statistics),
                responses: histogram(&tally.responses),
                durations: histogram(&tally.others),
            });
        }
        for (id, tally) in self.edges {
            let (source, target, kind): (i64, i64, i64) = connection
                .prepare_cached("SELECT source, target, kind FROM edges WHERE id = ?")?
                .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            let mut end_of = |node: i64, active: bool| -> rusqlite::Result<usize> {
                let position = match positions.get(&node) {
                    Some(&position) => position,
                    None => {
                        positions.insert(node, graph.nodes.len());
                        graph.nodes.push(uncounted(&mut names, node, active, &tally)?);
                        graph.nodes.len() - 1
                    }
                };
                if let Some(found) = graph.nodes.get_mut(position).filter(|node| node.statistics.is_none()) {
                    found.start = found.start.min(tally.first);
                    found.end = found.end.max(tally.last);
                }
                Ok(position)
            };
            let is_link = kind == EdgeKind::Link as i64;
            // A queue that no call of the range led to is known from the link alone.
            let (source, target) = (end_of(source, !is_link)?, end_of(target, true)?);
            graph.nodes[source].edges.push(Edge {
                target,
                kind: if is_link { EdgeKind::Link } else { EdgeKind::Call },
                start: tally.first,
                end: tally.last,
                statistics: tally.statistics,
                responses: if is_link { Histogram::default() } else { histogram(&tally.responses) },
                ages: if is_link { histogram(&tally.others) } else { Histogram::default() },
                aliases: aliases(connection, id)?,
            });
        }
        graph.start = graph.nodes.iter().map(|node| node.start).min();
        Ok(graph)
    }
}

/// A node of which no segment was counted: a client, the queue of a link, or one whose segments are not completed.
fn uncounted(names: &mut Nodes<'_>, id: i64, active: bool, tally: &Tally) -> rusqlite::Result<Node> {
    let name = names.name(id)?;
    Ok(Node {
        active: active && name.kind != CLIENT,
        name,
        root: false,
        start: tally.first,
        end: tally.last,
        edges: Vec::new(),
        statistics: None,
        responses: Histogram::default(),
        durations: Histogram::default(),
    })
}

fn aliases(connection: &Connection, edge: i64) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare_cached("SELECT alias FROM edge_aliases WHERE edge = ? ORDER BY alias")?
        .query_map([edge], |row| row.get(0))?
        .collect()
}

/// The type of the nodes that stand for callers of root segments.
const CLIENT: &str = "client";
