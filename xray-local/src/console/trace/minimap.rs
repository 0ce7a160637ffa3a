//! The whole trace in a strip: SVG with at most a few nodes, whatever the number of rows.

use std::fmt::Write as _;

use maud::{Markup, html};

use crate::console::parts::format::Class;
use crate::console::timeline::Timeline;

const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 48.0;

/// Rows that are drawn at most; of more, an even share.
const DRAWN: usize = 2_000;

/// Draws the strip: one path for each class, ticks for errors at the top.
pub(super) fn draw(timeline: &Timeline) -> Markup {
    let count = timeline.rows.len().max(1);
    let step = count.div_ceil(DRAWN);
    let x = |at: i64| at as f64 / timeline.span as f64 * WIDTH;
    let mut paths: [(Class, String); 5] =
        [Class::Ok, Class::Open, Class::Error, Class::Throttle, Class::Fault]
            .map(|class| (class, String::new()));
    let mut ticks = String::new();
    for (at, row) in timeline.rows.iter().enumerate() {
        let class = row.class();
        let is_trouble = !matches!(class, Class::Ok | Class::Open);
        if at % step != 0 && !is_trouble {
            continue;
        }
        let y = 6.0 + (HEIGHT - 8.0) * at as f64 / count as f64;
        let (from, to) = (x(row.start), x(row.end).max(x(row.start) + 1.0));
        if let Some((_, path)) = paths.iter_mut().find(|(own, _)| *own == class) {
            let _ = write!(path, "M{from:.1} {y:.1}H{to:.1}");
        }
        if is_trouble && ticks.len() < 40_000 {
            let _ = write!(ticks, "M{from:.1} 0V4");
        }
    }
    let thick = ((HEIGHT - 8.0) / count as f64).clamp(1.0, 6.0);
    html! {
        svg.minimap viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" aria-hidden="true" {
            @for (class, path) in paths.iter().filter(|(_, path)| !path.is_empty()) {
                path class={ "line-" (class.css()) } d=(path) stroke-width=(thick) fill="none" {}
            }
            @if !ticks.is_empty() { path.line-fault d=(ticks) stroke-width="2" fill="none" {} }
        }
    }
}
