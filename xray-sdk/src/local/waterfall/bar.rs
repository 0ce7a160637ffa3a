//! A stretch of time as blocks, to scale, half a cell fine.
//!
//! Knows nothing of spans: two fractions of the whole go in, a string comes out.

/// From `from` to `to` (0 to 1) in `cells` cells: the blanks before it, and the bar, which is never empty.
pub(super) fn bar(from: f64, to: f64, cells: usize) -> (usize, String) {
    if cells == 0 {
        return (0, String::new());
    }
    let halves = cells * 2;
    // `as` saturates, and makes 0 of what is not a number.
    let first = ((from.clamp(0.0, 1.0) * halves as f64) as usize).min(halves - 1);
    let last = ((to.clamp(0.0, 1.0) * halves as f64).ceil() as usize).clamp(first + 1, halves);
    let blocks = (first / 2..last.div_ceil(2)).map(|cell| match (first <= cell * 2, cell * 2 + 1 < last) {
        (true, true) => '█',
        (true, false) => '▌',
        (false, _) => '▐',
    });
    (first / 2, blocks.collect())
}

/// The cells of a bar that is only hinted at: something unfinished, or many things at once.
pub(super) fn shade(from: f64, to: f64, cells: usize) -> (usize, String) {
    let (blanks, bar) = bar(from, to, cells);
    (blanks, "░".repeat(bar.chars().count()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_to_scale_and_never_empty_nor_too_long() {
        for (from, to, expected) in [
            (0.0, 1.0, "████"),
            (0.0, 0.5, "██"),
            (0.125, 0.375, "▐▌"),
            (0.125, 0.25, "▐"),
            (0.5, 0.5, "  ▌"),
            (1.0, 1.0, "   ▐"),
            (0.9, 0.1, "   ▐"),
            (f64::NAN, f64::NAN, "▌"),
            (-5.0, 5.0, "████"),
        ] {
            let (blanks, bar) = bar(from, to, 4);
            assert_eq!(" ".repeat(blanks) + &bar, expected, "{from} to {to}");
        }
        assert_eq!(bar(0.0, 1.0, 0), (0, String::new()));
        assert_eq!(shade(0.5, 1.0, 4), (2, "░░".to_owned()));
    }
}
