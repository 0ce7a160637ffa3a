//! The map as two tables, for those who can't see it or want the numbers.

use maud::{Markup, html};

use super::asked::Asked;
use crate::console::parts::format;
use crate::model::{EdgeKind, Length, NodeName};
use crate::query::{Graph, Histogram, Statistics};

/// Writes nodes and edges.
pub(super) fn tables(graph: &Graph, asked: &Asked, minutes: Option<f64>) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Services" {
            table {
                caption { "Services" }
                (head(&["Service", "Type"]))
                tbody {
                    @for node in &graph.nodes {
                        tr {
                            th scope="row" { a href=(asked.of_node(&node.name)) { (node.name.name) } }
                            td { (kind(&node.name)) }
                            (numbers(node.statistics.as_ref(), &node.responses, minutes))
                        }
                    }
                }
            }
        }
        div.scroll tabindex="0" role="region" aria-label="Connections" {
            table {
                caption { "Connections" }
                (head(&["From", "To"]))
                tbody {
                    @for node in &graph.nodes {
                        @for edge in &node.edges {
                            @if let Some(target) = graph.nodes.get(edge.target) {
                                tr {
                                    th scope="row" { a href=(asked.of_edge(&node.name, &target.name)) { (node.name.name) } }
                                    td { (target.name.name) @if edge.kind == EdgeKind::Link { " (link)" } }
                                    (numbers(Some(&edge.statistics), &edge.responses, minutes))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn kind(name: &NodeName) -> &str {
    if name.kind.is_empty() { "service" } else { &name.kind }
}

fn head(first: &[&str]) -> Markup {
    html! {
        thead { tr {
            @for name in first { th scope="col" { (name) } }
            @for name in ["Requests", "Per minute", "Average", "p95", "Ok", "Error", "Throttle", "Fault"] {
                th.number scope="col" { (name) }
            }
        } }
    }
}

fn numbers(statistics: Option<&Statistics>, responses: &Histogram, minutes: Option<f64>) -> Markup {
    let Some(own) = statistics else {
        return html! { @for _ in 0..8 { td.number { "–" } } };
    };
    html! {
        td.number { (format::count(own.total())) }
        td.number { @match minutes.filter(|minutes| *minutes > 0.0) {
            Some(minutes) => (format!("{:.1}", own.total() as f64 / minutes)), None => "–" } }
        td.number { @match own.mean_seconds() { Some(mean) => (format::length(Length::from_seconds(mean))), None => "–" } }
        td.number { @match responses.quantile(0.95) { Some(time) => (format::milliseconds(time)), None => "–" } }
        @for (_, count) in format::classes(own) { td.number { (format::count(count)) } }
    }
}
