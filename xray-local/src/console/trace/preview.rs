//! A trace in short, beside the live list: the first rows, drawn by the server.

use maud::{Markup, html};

use crate::console::parts::format;
use crate::console::timeline::Timeline;
use crate::model::Length;

/// Rows that are shown.
const ROWS: usize = 30;

/// Writes the first rows.
pub(super) fn preview(id: &str, timeline: &Timeline) -> Markup {
    let x = |at: i64| at as f64 / timeline.span as f64 * 100.0;
    let rows = timeline.rows.iter().take(ROWS);
    html! {
        h2 { a href={ "/trace/" (id) } { "Open the trace" } }
        p.dim { (format::length(Length(timeline.span))) ", " (format::counted(timeline.rows.len() as u64, "row")) }
        ol.preview {
            @for row in rows {
                li {
                    span.label title=(row.name) {
                        @for _ in 0..row.depth.min(12) { "\u{2007}" }
                        (row.class().badge()) " " (row.name)
                    }
                    svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" {
                        rect class={ "fill-" (row.class().css()) } x=(format!("{:.2}", x(row.start))) y="1" height="8"
                            width=(format!("{:.2}", (x(row.end) - x(row.start)).max(0.7))) {}
                    }
                    span.dim { (format::length(Length(row.end - row.start))) }
                }
            }
        }
        @if timeline.rows.len() > ROWS { p.dim { "and " (format::counted((timeline.rows.len() - ROWS) as u64, "more row")) } }
    }
}
