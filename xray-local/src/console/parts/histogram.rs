//! Histograms of response times as SVG, with what the brush needs.
//!
//! The script reads `data-from` and `data-to`, the times at both ends in milliseconds, and writes the brushed range into
//! the form's inputs `from` and `to`. People without a pointer write into the inputs.

use maud::{Markup, html};

use super::format::{self, Class};
use crate::query::{Buckets, Histogram};

const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 110.0;

/// A bar: its times in milliseconds, and counts by class.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::console) struct Bar {
    from: i64,
    to: i64,
    counts: [u64; 4],
}

/// The bars of a list's histogram.
pub(in crate::console) fn of_buckets(buckets: &Buckets) -> Vec<Bar> {
    let bars = buckets.buckets.iter().map(|bucket| Bar {
        from: bucket.from,
        to: bucket.to,
        counts: [bucket.ok, bucket.error, bucket.throttle, bucket.fault],
    });
    bars.collect()
}

/// The bars of a node's or an edge's times: at most `most`, of a round width.
pub(in crate::console) fn of_times(histogram: &Histogram, most: i64) -> Vec<Bar> {
    let (Some((least, _)), Some((greatest, _))) = (histogram.counts.first(), histogram.counts.last()) else {
        return Vec::new();
    };
    let width = (0..18)
        .flat_map(|power| [1, 2, 5].map(|digit| digit * 10_i64.pow(power)))
        .find(|width| greatest.div_euclid(*width) - least.div_euclid(*width) < most)
        .unwrap_or(i64::MAX);
    let first = least.div_euclid(width);
    let mut bars: Vec<Bar> = (first..=greatest.div_euclid(width))
        .map(|number| Bar { from: number * width, to: (number + 1) * width, counts: [0; 4] })
        .collect();
    for (time, count) in &histogram.counts {
        if let Some(bar) = bars.get_mut((time.div_euclid(width) - first) as usize) {
            bar.counts[0] += count;
        }
    }
    bars
}

/// Draws bars. `brush` is the range that is selected, in milliseconds.
pub(in crate::console) fn draw(bars: &[Bar], brush: Option<(i64, i64)>) -> Markup {
    let (Some(first), Some(last)) = (bars.first(), bars.last()) else {
        return html! { p.dim { "No response times yet." } };
    };
    let (from, to) = (first.from, last.to);
    let top = bars.iter().map(|bar| bar.counts.iter().sum::<u64>()).max().unwrap_or(1).max(1) as f64;
    let x = |at: i64| (at - from) as f64 / (to - from).max(1) as f64 * WIDTH;
    let total: u64 = bars.iter().flat_map(|bar| bar.counts).sum();
    let label = format!(
        "Histogram of {} response times from {} to {}",
        format::count(total),
        format::milliseconds(from),
        format::milliseconds(to)
    );
    html! {
        div.chart {
            svg.histogram viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" role="img" aria-label=(label)
                data-from=(from) data-to=(to) {
                @for bar in bars {
                    @let (left, right) = (x(bar.from), x(bar.to));
                    @let sum: u64 = bar.counts.iter().sum();
                    @if sum > 0 {
                        g {
                            title { (format::milliseconds(bar.from)) " to " (format::milliseconds(bar.to)) ": " (format::count(sum)) }
                            @for (class, y, height) in stacked(bar, top) {
                                rect class={ "fill-" (class.css()) } x=(format!("{left:.2}")) y=(format!("{y:.2}"))
                                    width=(format!("{:.2}", (right - left - 0.6).max(0.8))) height=(format!("{height:.2}")) {}
                            }
                        }
                    }
                }
                @let (left, right) = brush.map_or((0.0, 0.0), |(from, to)| (x(from).max(0.0), x(to).min(WIDTH)));
                rect.brush x=(format!("{left:.2}")) y="0" width=(format!("{:.2}", (right - left).max(0.0))) height=(HEIGHT) {}
            }
            div.ends { span { (format::milliseconds(from)) } span { (format::milliseconds(to)) } }
        }
    }
}

/// The parts of a bar from the bottom up: class, top edge, height.
fn stacked(bar: &Bar, top: f64) -> Vec<(Class, f64, f64)> {
    let mut below = 0.0;
    let classes = [Class::Ok, Class::Error, Class::Throttle, Class::Fault];
    let parts = classes.into_iter().zip(bar.counts).filter(|(_, count)| *count > 0);
    parts
        .map(|(class, count)| {
            let height = (count as f64 / top * (HEIGHT - 4.0)).max(1.0);
            below += height;
            (class, HEIGHT - below, height)
        })
        .collect()
}

/// The inputs that the brush writes: seconds would need a point, so these are milliseconds.
pub(in crate::console) fn inputs(from: &str, to: &str) -> Markup {
    html! {
        label { "from " input.short name="from" inputmode="decimal" value=(from) autocomplete="off"; " ms" }
        label { "to " input.short name="to" inputmode="decimal" value=(to) autocomplete="off"; " ms" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_fall_into_bars_of_round_width() {
        let histogram = Histogram { counts: vec![(3, 1), (4, 2), (97, 5)] };
        let bars = of_times(&histogram, 10);
        assert_eq!((bars.len(), bars[0].from, bars[0].to), (10, 0, 10));
        assert_eq!((bars[0].counts[0], bars[9].counts[0]), (3, 5));
        assert!(of_times(&Histogram::default(), 10).is_empty());
    }
}
