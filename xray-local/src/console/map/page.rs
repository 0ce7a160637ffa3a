//! The page of the map.

use axum::extract::{Query, State};
use axum::response::Html;
use maud::html;
use rusqlite::Connection;

use super::asked::Asked;
use super::{panel, picture, table};
use crate::console::parts::error::PageError;
use crate::console::parts::{scope, shell};
use crate::console::state::Console;
use crate::model::{Length, now, parse_trace_id};
use crate::query::filter::Filter;
use crate::query::{self, Graph, Range, Search};

/// Newest matching traces of which a map with a filter is made.
const TRACES: usize = 5_000;

/// Nodes that are drawn; more are only in the table.
const NODES: usize = 1_000;

const KEYS: [(&str, &str); 3] = [
    ("Tab", "from node to node, then along the edges"),
    ("Enter", "open the chosen one"),
    ("/", "to the filter"),
];

pub(super) async fn map(
    State(console): State<Console>,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, PageError> {
    let sought = asked.clone();
    let (graph, names) =
        console.ask(move |connection| Ok((graph(connection, &sought), scope::groups(connection)?))).await?;
    let (graph, error) = match graph {
        Ok(graph) => (graph, None),
        Err(err) => (Graph::default(), Some(err.to_string())),
    };
    let minutes = minutes(&graph);
    let content = html! {
        h1 { "Map" }
        form.filter action="/map" {
            div.box {
                input #filter name="filter" value=(asked.filter) data-slash autocomplete="off" spellcheck="false" role="combobox"
                    aria-expanded="false" aria-controls="suggestions" aria-autocomplete="list" aria-label="Filter expression"
                    placeholder="The map of the traces that match";
                ul #suggestions role="listbox" aria-label="Suggestions" hidden {}
            }
            (asked.scope.fields(&names))
            @if asked.is_actual() { input type="hidden" name="size" value=(asked.size); }
            button type="submit" { "Draw" }
        }
        @if !asked.trace.is_empty() { p { "The map of the trace " a href={ "/trace/" (asked.trace) } { (asked.trace) } ". " a href="/map" { "The whole map" } } }
        @if let Some(error) = &error { p.note role="alert" { (error) } }
        @if graph.nodes.is_empty() {
            p.empty { "No service was seen in this range. " a href="/" { "How to send traces" } "." }
        } @else {
            @if graph.nodes.len() > NODES { p.note { "The map has " (graph.nodes.len()) " nodes; the picture is left out, the tables have all." } }
            @else {
                p.dim { @if asked.is_actual() { "In its actual size. " } @else { "Fitted to the width. " }
                    a href=(asked.resized()) { @if asked.is_actual() { "Fit to the width" } @else { "Actual size" } } }
            }
            @let panel = panel::panel(&graph, &asked);
            div.split[panel.is_some()].with-panel[panel.is_some()] {
                @if graph.nodes.len() <= NODES { (picture::draw(&graph, &asked, minutes)) }
                @if let Some(panel) = &panel { (panel) }
            }
            @if panel.is_none() { p.dim { "Choose a node or an edge: response times, states, and the traces behind them." } }
            (panel::legend())
            details #twin { summary { "The map as tables" } (table::tables(&graph, &asked, minutes)) }
        }
        (shell::keys(&KEYS))
    };
    Ok(shell::page("Map", "/map", &["chart.js", "filter.js"], content))
}

fn graph(connection: &Connection, asked: &Asked) -> Result<Graph, PageError> {
    let bad = |message: String| PageError::bad_request(message);
    if !asked.trace.is_empty() {
        let id = parse_trace_id(&asked.trace).map_err(|err| bad(err.to_string()))?;
        return Ok(query::trace_graph(connection, &[id])?);
    }
    let range = asked.scope.range(now())?;
    let group = asked.scope.group(connection)?;
    if asked.filter.trim().is_empty() {
        let range = Range { end: range.end.min(now().plus(Length(60_000_000))), ..range };
        return Ok(query::service_graph(connection, range, group)?);
    }
    let filter = Filter::parse(&asked.filter).map_err(|err| bad(err.to_string()))?;
    Ok(query::graph_of(connection, &Search { group, limit: TRACES, ..Search::new(range, filter) })?)
}

/// The minutes from the first to the last request, at least one.
fn minutes(graph: &Graph) -> Option<f64> {
    let start = graph.nodes.iter().map(|node| node.start).min()?;
    let end = graph.nodes.iter().map(|node| node.end).max()?;
    Some(((end - start).seconds() / 60.0).max(1.0))
}
