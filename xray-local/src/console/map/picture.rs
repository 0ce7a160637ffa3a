//! The map as SVG. Callers are on the left. Each node is a ring with the shares of the four classes, with their letters
//! below, so that no colour has to be seen.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::asked::Asked;
use crate::console::parts::format::{self, Class};
use crate::model::{EdgeKind, Length};
use crate::query::layout::{Spot, layout};
use crate::query::{Edge, Graph, Histogram, Node, Statistics};

const ACROSS: f64 = 128.0;
const ALONG: f64 = 165.0;
const MARGIN: (f64, f64) = (80.0, 56.0);
const RADIUS: f64 = 29.0;

/// Characters of a name that are drawn.
const NAME: usize = 22;

/// Draws a map. `minutes` is the time over which rates are taken, or nothing where there is none.
pub(in crate::console) fn draw(graph: &Graph, asked: &Asked, minutes: Option<f64>) -> Markup {
    let places = layout(graph);
    let place = |at: usize| {
        let Spot { layer, across } = places.spots.get(at).copied().unwrap_or_default();
        (MARGIN.0 + layer as f64 * ALONG, MARGIN.1 + across * ACROSS)
    };
    let width = 2.0 * MARGIN.0 + places.layers.saturating_sub(1) as f64 * ALONG;
    let height = MARGIN.1 + 70.0 + (places.breadth - 1.0).max(0.0) * ACROSS;
    let edges = graph.nodes.iter().enumerate();
    let edges: Vec<(usize, &Edge)> =
        edges.flat_map(|(from, node)| node.edges.iter().map(move |edge| (from, edge))).collect();
    html! {
        div.map.actual[asked.is_actual()] tabindex="0" role="region" aria-label="Service map" {
            svg viewBox=(format!("0 0 {width:.0} {height:.0}")) width=(format!("{width:.0}")) height=(format!("{height:.0}")) role="group"
                aria-label="Services from callers to callees" {
                defs {
                    marker #arrow viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse" {
                        path.arrow d="M0 0L8 4L0 8Z" {}
                    }
                }
                @for (from, edge) in edges {
                    @let (source, target) = (&graph.nodes[from], &graph.nodes[edge.target]);
                    @let path = curve(place(from), place(edge.target));
                    @let label = format!("{} to {}{}: {}", source.name.name, target.name.name,
                        if edge.kind == EdgeKind::Link { ", a link" } else { "" },
                        sentence(&edge.statistics, &edge.responses, minutes));
                    a.edge.chosen[asked.is_edge(&source.name, &target.name)].link[edge.kind == EdgeKind::Link]
                        href=(asked.of_edge(&source.name, &target.name)) aria-label=(label) {
                        title { (label) }
                        path.wide d=(path) {}
                        path class={ "thin " (worst(&edge.statistics).css()) } d=(path) marker-end="url(#arrow)" {}
                    }
                }
                @for (at, node) in graph.nodes.iter().enumerate() { (draw_node(node, place(at), asked, minutes)) }
            }
        }
    }
}

/// The class that a thin line has to show: the worst that takes a share of at least a hundredth.
fn worst(statistics: &Statistics) -> Class {
    let least = (statistics.total() / 100).max(1);
    format::classes(statistics)
        .into_iter()
        .rev()
        .find(|(_, count)| *count >= least)
        .map_or(Class::Ok, |(class, _)| class)
}

/// A path between the rims of two nodes. What leads backwards, or to the node itself, goes around below.
fn curve((x1, y1): (f64, f64), (x2, y2): (f64, f64)) -> String {
    let rim = RADIUS + 6.0;
    let mut path = String::new();
    let _ = if x2 > x1 {
        let (from, to) = (x1 + rim, x2 - rim - 2.0);
        let bend = (to - from) / 2.0;
        write!(path, "M{from:.1} {y1:.1}C{:.1} {y1:.1} {:.1} {y2:.1} {to:.1} {y2:.1}", from + bend, to - bend)
    } else {
        let below = y1.max(y2) + 72.0;
        write!(
            path,
            "M{x1:.1} {:.1}C{:.1} {below:.1} {:.1} {below:.1} {x2:.1} {:.1}",
            y1 + rim,
            x1 + 50.0,
            x2 - 50.0,
            y2 + rim
        )
    };
    path
}

fn draw_node(node: &Node, (x, y): (f64, f64), asked: &Asked, minutes: Option<f64>) -> Markup {
    let name = &node.name;
    let statistics = node.statistics.unwrap_or_default();
    let kind = if name.kind.is_empty() { "service" } else { name.kind.as_str() };
    let label = match node.statistics {
        Some(_) => format!("{} ({kind}): {}", name.name, sentence(&statistics, &node.responses, minutes)),
        None => format!("{} ({kind})", name.name),
    };
    let mean = statistics.mean_seconds().map(|seconds| format::length(Length::from_seconds(seconds)));
    html! {
        a.node.chosen[asked.is_node(name)].inferred[!node.active] href=(asked.of_node(name)) aria-label=(label) {
            title { (label) }
            rect.touch x=(x - 70.0) y=(y - RADIUS - 20.0) width="140" height=(2.0 * RADIUS + 58.0) {}
            circle.plate cx=(x) cy=(y) r=(RADIUS + 4.0) {}
            (ring(x, y, &statistics))
            @if name.kind == "client" {
                path.figure d=(format!("M{:.1} {:.1}a5 5 0 1 1 .1 0M{:.1} {:.1}a10 10 0 0 1 20 0", x, y - 1.0, x - 10.0, y + 12.0)) {}
            }
        }
        // Beside the link: its name is the sentence above.
        g.texts aria-hidden="true" {
            @if let Some(mean) = mean { text.mean x=(x) y=(y + 4.0) { (mean) } }
            text.name x=(x) y=(y + RADIUS + 18.0) { (shortened(&name.name)) }
            text.kind x=(x) y=(y + RADIUS + 31.0) { (shortened(kind.rsplit("::").next().unwrap_or(kind))) }
            @if let Some(line) = rate_and_quantile(&statistics, &node.responses, minutes) {
                text.kind x=(x) y=(y + RADIUS + 44.0) { (line) }
            }
            @if statistics.total() > 0 {
                text.classes x=(x) y=(y - RADIUS - 9.0) {
                    @for (class, count) in format::classes(&statistics) {
                        @if count > 0 { tspan class={ "text-" (class.css()) } { (class.letter()) (format::count(count)) " " } }
                    }
                }
            }
        }
    }
}

/// Four arcs around a node.
fn ring(x: f64, y: f64, statistics: &Statistics) -> Markup {
    let total = statistics.total();
    let mut before = 0.0;
    let arcs = format::classes(statistics).map(|(class, count)| {
        let share = if total == 0 { 0.0 } else { count as f64 * 100.0 / total as f64 };
        before += share;
        (class, share, before - share)
    });
    html! {
        @if total == 0 { circle.ring.none cx=(x) cy=(y) r=(RADIUS) fill="none" {} }
        @for (class, share, offset) in arcs.iter().filter(|(_, share, _)| *share > 0.0) {
            circle class={ "ring stroke-" (class.css()) } cx=(x) cy=(y) r=(RADIUS) fill="none" pathLength="100"
                stroke-dasharray=(format!("{share:.2} 100")) stroke-dashoffset=(format!("{:.2}", -offset))
                transform=(format!("rotate(-90 {x:.1} {y:.1})")) {}
        }
    }
}

/// `20.0/min, p95 40 ms`, as far as there are numbers.
fn rate_and_quantile(statistics: &Statistics, times: &Histogram, minutes: Option<f64>) -> Option<String> {
    let rate = minutes.filter(|minutes| *minutes > 0.0 && statistics.total() > 0);
    let rate = rate.map(|minutes| format!("{:.1}/min", statistics.total() as f64 / minutes));
    let quantile = times.quantile(0.95).map(|time| format!("p95 {}", format::milliseconds(time)));
    let words: Vec<String> = rate.into_iter().chain(quantile).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// `200 requests, 20.0/min, p95 40 ms, average 12 ms, ok 190, fault 10`
fn sentence(statistics: &Statistics, times: &Histogram, minutes: Option<f64>) -> String {
    let mut words = vec![format::counted(statistics.total(), "request")];
    words.extend(rate_and_quantile(statistics, times, minutes));
    if let Some(mean) = statistics.mean_seconds() {
        words.push(format!("average {}", format::length(Length::from_seconds(mean))));
    }
    let classes = format::classes(statistics).into_iter().filter(|(_, count)| *count > 0);
    words.extend(classes.map(|(class, count)| format!("{} {}", class.name(), format::count(count))));
    words.join(", ")
}

fn shortened(name: &str) -> String {
    match name.char_indices().nth(NAME) {
        Some((cut, _)) => format!("{}…", &name[..cut]),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{NodeName, Time};

    #[test]
    fn a_hostile_name_stays_a_string() {
        let node = Node {
            name: NodeName::new("</text><script>alert(1)</script>\"", "AWS::EC2::Instance"),
            root: true,
            active: true,
            start: Time(0),
            end: Time(1),
            edges: Vec::new(),
            statistics: Some(Statistics { ok: 1, ..Statistics::default() }),
            responses: Histogram::default(),
            durations: Histogram::default(),
        };
        let graph = Graph { nodes: vec![node], ..Graph::default() };
        let svg = draw(&graph, &Asked::default(), None).into_string();
        assert!(svg.contains("&lt;script&gt;") && !svg.contains("<script"), "{svg}");
    }

    #[test]
    fn names_are_cut_between_characters() {
        assert_eq!(shortened("ééééééééééééééééééééééééé"), format!("{}…", "é".repeat(22)));
    }
}
