//! Times that follow from the rows: a row's own time, the critical path, and gaps.
//!
//! The critical path is found backwards from the end of the first tree: at each moment, the child that ended last before
//! it is what was waited for. Sorting dominates, so a trace of 100,000 rows takes O(n log n).

use super::row::{CRITICAL, Row};

/// Sets own times and the critical path.
pub(super) fn measure(rows: &mut [Row]) {
    let children = children(rows);
    for at in 0..rows.len() {
        rows[at].own = own(rows, at, &children[at]);
    }
    let Some(first) = rows.first() else { return };
    // Each entry: a row, and the moment until which it is looked at.
    let mut pending = vec![(0, first.end)];
    while let Some((at, until)) = pending.pop() {
        rows[at].flags |= CRITICAL;
        let mut below = children[at].clone();
        below.sort_by_key(|&child| std::cmp::Reverse((rows[child].end.min(until), rows[child].start)));
        let mut moment = until.min(rows[at].end);
        for child in below {
            let Row { start, end, .. } = rows[child];
            // A child that outlives its parent was not waited for longer than the parent ran.
            if end.min(until) <= moment && start < moment {
                pending.push((child, end.min(until)));
                moment = start;
            }
        }
    }
}

/// The direct children of each row.
fn children(rows: &[Row]) -> Vec<Vec<usize>> {
    let mut children = vec![Vec::new(); rows.len()];
    let mut path: Vec<usize> = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        path.truncate(row.depth);
        if let Some(&above) = path.last() {
            children[above].push(at);
        }
        path.push(at);
    }
    children
}

/// Children are in order of their start, so that one walk joins their times.
fn own(rows: &[Row], at: usize, children: &[usize]) -> i64 {
    let Row { start, end, .. } = rows[at];
    let (mut taken, mut reached) = (0, start);
    for &child in children {
        let (from, to) = (rows[child].start.max(reached), rows[child].end.min(end));
        if to > from {
            taken += to - from;
            reached = to;
        }
    }
    (end - start - taken).max(0)
}

/// Stretches of at least a twentieth of the whole in which no row starts or ends, longest first, then in order.
pub(super) fn gaps(rows: &[Row], span: i64) -> Vec<(i64, i64)> {
    let mut points: Vec<i64> = rows.iter().flat_map(|row| [row.start, row.end]).collect();
    points.sort_unstable();
    points.dedup();
    let mut gaps: Vec<(i64, i64)> = points.windows(2).map(|pair| (pair[0], pair[1])).collect();
    gaps.retain(|(from, to)| (to - from) * 20 >= span);
    gaps.sort_by_key(|(from, to)| from - to);
    gaps.truncate(20);
    gaps.sort_unstable();
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(depth: usize, start: i64, end: i64) -> Row {
        Row { depth, start, end, size: 1, ..Row::default() }
    }

    #[test]
    fn the_critical_path_is_what_was_waited_for() {
        // Two calls at the same time, then a third after the longer one.
        let mut rows = [row(0, 0, 100), row(1, 5, 30), row(1, 5, 60), row(1, 62, 95)];
        measure(&mut rows);
        let critical: Vec<bool> = rows.iter().map(|row| row.has(CRITICAL)).collect();
        assert_eq!(critical, [true, false, true, true]);
    }

    #[test]
    fn long_quiet_stretches_are_gaps() {
        let rows = [row(0, 0, 1_000), row(1, 0, 10), row(1, 990, 1_000)];
        assert_eq!(gaps(&rows, 1_000), [(10, 990)]);
    }
}
