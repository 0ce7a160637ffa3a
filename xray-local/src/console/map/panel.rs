//! The panel of the chosen node or edge.
//!
//! The panel has numbers, a histogram with a brush, boxes for the classes, and the way to the traces.

use axum::extract::Query;
use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;

use super::asked::Asked;
use crate::console::parts::error::PageError;
use crate::console::parts::format::{self, Class};
use crate::console::parts::histogram;
use crate::console::parts::scope::Scope;
use crate::model::{EdgeKind, Length};
use crate::query::filter::Filter;
use crate::query::{self, Graph, Histogram, Statistics};

/// Bars of the histogram.
const BARS: i64 = 50;

/// Writes the panel, if something is chosen that the map has.
pub(super) fn panel(graph: &Graph, asked: &Asked) -> Option<Markup> {
    if let Some(node) = graph.nodes.iter().find(|node| asked.is_node(&node.name)) {
        let hint = match node.name.kind.as_str() {
            "AWS::Lambda" => {
                Some("The Lambda service; your function is the node of the same name beside it.")
            }
            "AWS::Lambda::Function" => {
                Some("Your function; the Lambda service is the node of the same name beside it.")
            }
            "client" => Some("The callers of the first service of each trace."),
            _ if !node.active => {
                Some("No program sends segments for this node: X-Ray infers it from its callers' view.")
            }
            _ => None,
        };
        let statistics = node.statistics.unwrap_or_default();
        return Some(write(asked, &node.name.name, hint, &statistics, &node.responses));
    }
    let edges = graph.nodes.iter().flat_map(|node| node.edges.iter().map(move |edge| (node, edge)));
    let chosen = edges.filter_map(|(node, edge)| Some((node, edge, graph.nodes.get(edge.target)?)));
    for (node, edge, target) in chosen {
        if asked.is_edge(&node.name, &target.name) {
            let title = format!("{} → {}", node.name.name, target.name.name);
            let is_link = edge.kind == EdgeKind::Link;
            let hint = is_link.then_some("A link: the consumer of a message continues in a trace of its own. Times are the ages of messages.");
            let times = if is_link { &edge.ages } else { &edge.responses };
            return Some(write(asked, &title, hint, &edge.statistics, times));
        }
    }
    None
}

fn write(
    asked: &Asked,
    title: &str,
    hint: Option<&str>,
    statistics: &Statistics,
    times: &Histogram,
) -> Markup {
    let quantile = |share| times.quantile(share).map_or_else(|| "–".to_owned(), format::milliseconds);
    let mean = statistics.mean_seconds().map(|mean| format::length(Length::from_seconds(mean)));
    html! {
        aside #panel tabindex="-1" aria-labelledby="panel-title" {
            h2 #panel-title { (title) }
            @if let Some(hint) = hint { p.note { (hint) } }
            dl.head {
                div { dt { "Requests" } dd { (format::count(statistics.total())) } }
                div { dt { "Average" } dd { (mean.as_deref().unwrap_or("–")) } }
                div { dt { "p50" } dd { (quantile(0.5)) } }
                div { dt { "p95" } dd { (quantile(0.95)) } }
                div { dt { "p99" } dd { (quantile(0.99)) } }
            }
            form.brushed action="/console/map/traces" {
                @for (name, value) in [("node", &asked.node), ("kind", &asked.kind), ("target", &asked.target),
                    ("target_kind", &asked.target_kind), ("filter", &asked.filter)] {
                    input type="hidden" name=(name) value=(value);
                }
                (asked.scope.hidden())
                p.dim { "Response times. Drag to choose a part." }
                (histogram::draw(&histogram::of_times(times, BARS), None))
                div.tools { (histogram::inputs("", "")) }
                fieldset.classes {
                    legend { "Only these" }
                    @for (class, count) in format::classes(statistics) {
                        label { input type="checkbox" name=(class.css()) value="1"; " " (class.badge()) " " (class.name()) " " span.dim { (format::count(count)) } }
                    }
                }
                button.primary type="submit" { "Show traces" } " "
                a.button href=(asked.whole()) { "Close" }
            }
        }
    }
}

/// The panel's form.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Chosen {
    node: String,
    kind: String,
    target: String,
    target_kind: String,
    filter: String,
    #[serde(flatten)]
    scope: Scope,
    from: String,
    to: String,
    ok: Option<String>,
    error: Option<String>,
    throttle: Option<String>,
    fault: Option<String>,
}

impl Chosen {
    /// The conditions that must hold within the node or the edge.
    fn inner(&self) -> String {
        let classes = [
            (&self.ok, "ok"),
            (&self.error, "(error AND !throttle)"),
            (&self.throttle, "throttle"),
            (&self.fault, "fault"),
        ];
        let classes: Vec<&str> =
            classes.iter().filter(|(box_, _)| box_.is_some()).map(|(_, condition)| *condition).collect();
        let mut conditions = Vec::new();
        if !classes.is_empty() && classes.len() < 4 {
            conditions.push(format!("({})", classes.join(" OR ")));
        }
        let milliseconds =
            |text: &str| text.trim().parse::<f64>().ok().filter(|number| (0.0..1e12).contains(number));
        if let Some(from) = milliseconds(&self.from) {
            conditions.push(format!("responsetime >= {}", from / 1e3));
        }
        if let Some(to) = milliseconds(&self.to) {
            conditions.push(format!("responsetime < {}", to / 1e3));
        }
        conditions.join(" AND ")
    }

    /// The filter expression that the choice means.
    fn filter(&self) -> Result<Filter, PageError> {
        let parse = |text: &str| Filter::parse(text).map_err(|err| PageError::bad_request(err.to_string()));
        let inner = parse(&self.inner())?.expr().cloned();
        let chosen = match (self.target.is_empty(), self.kind.as_str()) {
            (true, "client") => inner,
            (true, kind) => Some(query::of_node(&self.node, kind, inner)),
            // Callers outside of all services have no segments: the called node names the traces.
            (false, "client") => Some(query::of_node(&self.target, &self.target_kind, inner)),
            (false, kind) => {
                Some(query::of_edge((&self.node, kind), (&self.target, &self.target_kind), inner))
            }
        };
        let filter = parse(&self.filter)?;
        Ok(match chosen {
            Some(chosen) => filter.and(chosen),
            None => filter,
        })
    }
}

/// From the panel to the traces.
pub(super) async fn traces(Query(chosen): Query<Chosen>) -> Result<Redirect, PageError> {
    let filter = chosen.filter()?.to_string();
    let mut parameters = vec![("filter", filter.as_str())];
    parameters.extend(chosen.scope.parameters());
    Ok(Redirect::to(&format::link("/traces", &parameters)))
}

/// Writes the legend of the map.
pub(super) fn legend() -> Markup {
    html! {
        p.legend {
            @for class in [Class::Ok, Class::Error, Class::Throttle, Class::Fault] { (class.badge()) " " (class.name()) " " }
            "· in the ring: shares · inside: average · below: requests a minute, p95 · dashed rim: inferred · dashed line: link"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_becomes_a_filter_expression() {
        let chosen = Chosen {
            node: "orders".to_owned(),
            kind: "AWS::ECS::Container".to_owned(),
            from: "250".to_owned(),
            to: "1000".to_owned(),
            fault: Some("1".to_owned()),
            ..Chosen::default()
        };
        let written = chosen.filter().unwrap().to_string();
        assert!(
            written.starts_with("service(id(name: \"orders\", type: \"AWS::ECS::Container\"))"),
            "{written}"
        );
        assert!(written.contains("fault") && written.contains("responsetime >= 0.25"), "{written}");
        assert!(Filter::parse(&written).is_ok());
    }

    #[test]
    fn an_edge_becomes_one_with_both_ends() {
        let chosen = Chosen { node: "a".to_owned(), target: "b".to_owned(), ..Chosen::default() };
        assert!(chosen.filter().unwrap().to_string().starts_with("edge("));
    }
}
