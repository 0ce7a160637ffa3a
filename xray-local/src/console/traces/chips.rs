//! Values that occur, as links that narrow the list; and what differs between the brushed traces and the rest.

use maud::{Markup, html};

use super::asked::Asked;
use crate::console::parts::format;
use crate::query::filter::Filter;
use crate::query::{Comparison, Facet, Occurrence};

/// Rows of the comparison.
const ROWS: usize = 20;

fn facet(facet: &Facet) -> String {
    match facet {
        Facet::Url => "URL".to_owned(),
        Facet::Method => "Method".to_owned(),
        Facet::Status => "Status".to_owned(),
        Facet::User => "User".to_owned(),
        Facet::Service => "Service".to_owned(),
        Facet::Annotation(key) => key.clone(),
    }
}

/// The chips, by facet.
pub(super) fn chips(asked: &Asked, filter: &Filter, chips: &[Occurrence]) -> Markup {
    let mut facets: Vec<&Facet> = Vec::new();
    for chip in chips {
        if !facets.contains(&&chip.facet) {
            facets.push(&chip.facet);
        }
    }
    html! {
        div.chips {
            @for own in facets {
                div.facet {
                    span.dim { (facet(own)) }
                    @for chip in chips.iter().filter(|chip| chip.facet == *own) {
                        a.chip href=(asked.narrowed(filter, &chip.condition)) title=(chip.condition) {
                            (chip.label) " " span.dim { (format::count(chip.traces)) }
                        }
                    }
                }
            }
        }
    }
}

/// The table "selected against the rest".
pub(super) fn comparison(asked: &Asked, filter: &Filter, comparison: &Comparison) -> Markup {
    let share = |count: u64, of: usize| if of == 0 { 0.0 } else { count as f64 * 100.0 / of as f64 };
    html! {
        section #compare aria-labelledby="compare-title" {
            h2 #compare-title { "Selected against the rest" }
            p { (format::counted(comparison.selected as u64, "trace")) @if comparison.selected == 1 { " is" } @else { " are" } " selected, "
                (format::count(comparison.rest as u64)) @if comparison.rest == 1 { " is" } @else { " are" } " not." }
            @if comparison.differences.is_empty() {
                p.empty { "Nothing differs: every URL, user, service, status and annotation has the same share on both sides." }
            } @else {
                div.scroll tabindex="0" role="region" aria-label="Differences" {
                    table {
                        thead { tr { th scope="col" { "What" } th scope="col" { "Value" } th.number scope="col" { "Selected" }
                            th.number scope="col" { "Rest" } th scope="col" { "Difference" } } }
                        tbody {
                            @for difference in comparison.differences.iter().take(ROWS) {
                                @let own = &difference.occurrence;
                                tr {
                                    td { (facet(&own.facet)) }
                                    td { a href=(asked.narrowed(filter, &own.condition)) { (own.label) } }
                                    td.number { (format!("{:.0} %", share(own.traces, comparison.selected))) }
                                    td.number { (format!("{:.0} %", share(difference.rest, comparison.rest))) }
                                    td { (bar(difference.excess)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn bar(excess: f64) -> Markup {
    let width = excess.abs().min(1.0) * 60.0;
    let x = if excess < 0.0 { 60.0 - width } else { 60.0 };
    let class = if excess < 0.0 { "less" } else { "more" };
    html! {
        svg.excess viewBox="0 0 120 12" width="120" height="12" role="img" aria-label=(format!("{:+.0} points", excess * 100.0)) {
            rect class=(class) x=(format!("{x:.1}")) y="2" width=(format!("{width:.1}")) height="8" {}
            line x1="60" x2="60" y1="0" y2="12" stroke="currentColor" {}
        }
    }
}
