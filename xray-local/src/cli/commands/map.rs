//! `map [FILTER]`: services and their calls, as a tree of lines.

use std::collections::BTreeSet;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use crate::cli::arguments::{Endpoint, Span};
use crate::cli::client::Client;
use crate::cli::failure::Failure;
use crate::cli::{output, when};
use crate::model::{Time, limits};

/// Draw the services and their calls.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xray-local map
  xray-local map 'service(\"shop\")' --since 10m
  xray-local map --json")]
pub(in super::super) struct Map {
    /// A filter expression: only the matching traces, at most 500 of them, the newest.
    filter: Option<String>,
    #[command(flatten)]
    span: Span,
    /// One JSON object a line: the nodes as GetServiceGraph returns them.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    endpoint: Endpoint,
}

/// Traces that a filtered map is made of.
const TRACES: usize = 500;

impl Map {
    pub(in super::super) fn run(&self) -> Result<ExitCode, Failure> {
        let client = self.endpoint.client()?;
        let (from, to) = self.span.range()?;
        let graphs = match &self.filter {
            Some(filter) => filtered(&client, filter, (from, to))?,
            None => whole(&client, (from, to))?,
        };
        let graph = Graph::merge(&graphs);
        if self.json {
            graph.nodes.iter().map(Node::json).try_for_each(output::line)?;
        } else {
            let rows: Vec<Vec<String>> = graph.rows();
            output::columns(&rows).iter().try_for_each(output::line)?;
            if rows.is_empty() {
                output::note("no traces in this time; --since looks further back");
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The service graph, in windows that X-Ray accepts.
fn whole(client: &Client, (from, to): (Time, Time)) -> Result<Vec<Vec<Value>>, Failure> {
    let window = limits::GRAPH_WINDOW_SECONDS * 1_000_000;
    let (mut graphs, mut start) = (Vec::new(), from);
    while start < to {
        let end = Time(start.0.saturating_add(window)).min(to);
        graphs.push(
            client
                .graph("/ServiceGraph", &json!({"StartTime": start.seconds(), "EndTime": end.seconds()}))?,
        );
        start = end;
    }
    Ok(graphs)
}

fn filtered(client: &Client, filter: &str, range: (Time, Time)) -> Result<Vec<Vec<Value>>, Failure> {
    let summaries = client.summaries(Some(filter), range, TRACES)?;
    let ids: Vec<&str> = summaries.iter().filter_map(|summary| summary.get("Id")?.as_str()).collect();
    let five = ids.chunks(limits::TRACE_IDS_PER_REQUEST);
    five.map(|ids| client.graph("/TraceGraph", &json!({"TraceIds": ids}))).collect()
}

/// Counts of a node or an edge.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    ok: i64,
    error: i64,
    throttle: i64,
    fault: i64,
    seconds: f64,
}

impl Counts {
    fn add(&mut self, statistics: Option<&Value>) {
        let Some(statistics) = statistics else { return };
        let count = |path: &str| statistics.pointer(path).and_then(Value::as_i64).unwrap_or_default();
        self.ok += count("/OkCount");
        self.error += count("/ErrorStatistics/OtherCount");
        self.throttle += count("/ErrorStatistics/ThrottleCount");
        self.fault += count("/FaultStatistics/TotalCount");
        self.seconds += statistics.get("TotalResponseTime").and_then(Value::as_f64).unwrap_or_default();
    }

    fn total(&self) -> i64 {
        self.ok + self.error + self.throttle + self.fault
    }

    /// Count, average, and the shares of what went wrong.
    fn cells(&self) -> Vec<String> {
        let total = self.total();
        if total == 0 {
            return vec![String::new(), String::new(), String::new()];
        }
        let share = |count: i64, name: &str| {
            (count > 0).then(|| format!("{:.0} % {name}", 100.0 * count as f64 / total as f64))
        };
        let shares =
            [share(self.error, "error"), share(self.throttle, "throttle"), share(self.fault, "fault")];
        let shares: Vec<String> = shares.into_iter().flatten().collect();
        vec![format!("{total}"), when::show_length(self.seconds / total as f64), shares.join(", ")]
    }

    fn json(&self) -> Value {
        json!({
            "OkCount": self.ok,
            "ErrorStatistics": {"ThrottleCount": self.throttle, "OtherCount": self.error,
                                "TotalCount": self.error + self.throttle},
            "FaultStatistics": {"OtherCount": self.fault, "TotalCount": self.fault},
            "TotalCount": self.total(),
            "TotalResponseTime": (self.seconds * 1_000.0).round() / 1_000.0,
        })
    }
}

/// A service, with its calls to others by position.
#[derive(Debug)]
struct Node {
    name: String,
    kind: String,
    account: String,
    counts: Counts,
    edges: Vec<(usize, Counts)>,
}

impl Node {
    fn json(&self) -> Value {
        let edges = self
            .edges
            .iter()
            .map(|(to, counts)| json!({"ReferenceId": to, "SummaryStatistics": counts.json()}));
        json!({"Name": self.name, "Type": self.kind, "AccountId": self.account,
               "SummaryStatistics": self.counts.json(), "Edges": edges.collect::<Value>()})
    }
}

/// Several graphs as one.
#[derive(Debug, Default)]
struct Graph {
    nodes: Vec<Node>,
}

impl Graph {
    fn merge(graphs: &[Vec<Value>]) -> Self {
        let mut graph = Self::default();
        for nodes in graphs {
            let number = |value: &Value| value.get("ReferenceId").and_then(Value::as_i64);
            let mut at = std::collections::HashMap::new();
            for node in nodes {
                let position = graph.position(node);
                graph.nodes[position].counts.add(node.get("SummaryStatistics"));
                at.insert(number(node), position);
            }
            for node in nodes {
                let Some(&from) = at.get(&number(node)) else { continue };
                for edge in node.get("Edges").and_then(Value::as_array).into_iter().flatten() {
                    let Some(&to) = at.get(&number(edge)) else { continue };
                    let edges = &mut graph.nodes[from].edges;
                    let position = edges.iter().position(|(known, _)| *known == to).unwrap_or_else(|| {
                        edges.push((to, Counts::default()));
                        edges.len() - 1
                    });
                    edges[position].1.add(edge.get("SummaryStatistics"));
                }
            }
        }
        graph
    }

    fn position(&mut self, node: &Value) -> usize {
        let text = |name: &str| node.get(name).and_then(Value::as_str).map(output::plain).unwrap_or_default();
        let (name, kind, account) = (text("Name"), text("Type"), text("AccountId"));
        let known = |node: &Node| node.name == name && node.kind == kind && node.account == account;
        self.nodes.iter().position(known).unwrap_or_else(|| {
            self.nodes.push(Node { name, kind, account, counts: Counts::default(), edges: Vec::new() });
            self.nodes.len() - 1
        })
    }

    /// A line for each node below what calls it. A node that was drawn before is drawn without what it calls.
    fn rows(&self) -> Vec<Vec<String>> {
        let called: BTreeSet<usize> =
            self.nodes.iter().flat_map(|node| node.edges.iter().map(|(to, _)| *to)).collect();
        let mut tops: Vec<usize> = (0..self.nodes.len()).filter(|at| !called.contains(at)).collect();
        // Rings have no top: whatever was not reached from one begins another.
        tops.extend(0..self.nodes.len());
        let mut rows = Vec::new();
        if !self.nodes.is_empty() {
            rows.push(["service", "calls", "average", "", "type"].map(str::to_owned).to_vec());
        }
        let mut drawn = BTreeSet::new();
        for top in tops {
            if !drawn.contains(&top) {
                self.draw(top, &mut drawn, &mut rows);
            }
        }
        rows
    }

    fn draw(&self, top: usize, drawn: &mut BTreeSet<usize>, rows: &mut Vec<Vec<String>>) {
        let mut pending = vec![(top, 0, self.nodes[top].counts)];
        while let Some((at, depth, counts)) = pending.pop() {
            let node = &self.nodes[at];
            let arrow = if depth == 0 { String::new() } else { format!("{}└ ", "  ".repeat(depth - 1)) };
            let again = if drawn.insert(at) { "" } else { " ↑" };
            let mut row = vec![format!("{arrow}{}{again}", node.name)];
            row.extend(counts.cells());
            row.push(node.kind.clone());
            rows.push(row);
            if again.is_empty() {
                pending.extend(node.edges.iter().rev().map(|(to, counts)| (*to, depth + 1, *counts)));
            }
        }
    }
}
