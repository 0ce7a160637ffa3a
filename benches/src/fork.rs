//! The cost of asking for the process before each id, as a guard against a fork: nanoseconds, and the ratio to
//! the id itself. The SDK stirs its generator with the time instead, which it has read anyway.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use xray_sdk::{SegmentId, TraceId};

use crate::harness::meter::Median;

/// A call, and what it stands for.
type Case = (&'static str, fn());

const CASES: [Case; 3] = [
    ("a segment id", || {
        black_box(SegmentId::random());
    }),
    ("a trace id", || {
        black_box(TraceId::new());
    }),
    ("the process's id", || {
        black_box(std::process::id());
    }),
];

/// A table of nanoseconds, medians over rounds in which the cases take turns.
#[must_use]
pub fn table() -> String {
    const ROUNDS: usize = 60;
    let mut samples = vec![Vec::new(); CASES.len()];
    for _ in 0..ROUNDS {
        for ((_, call), samples) in CASES.iter().zip(&mut samples) {
            samples.push(nanos(*call));
        }
    }
    let medians: Vec<f64> = samples.iter().map(|each| Median::of(each.iter().copied()).value).collect();
    let mut text = "| | nanoseconds | ratio to a segment id |\n|---|--:|--:|\n".to_owned();
    for ((title, _), median) in CASES.iter().zip(&medians) {
        let _ = writeln!(text, "| {title} | {median:.1} | {:.0} |", median / medians[0]);
    }
    text
}

fn nanos(call: fn()) -> f64 {
    const CALLS: u32 = 20_000;
    let begin = Instant::now();
    for _ in 0..CALLS {
        call();
    }
    begin.elapsed().as_nanos() as f64 / f64::from(CALLS)
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_case_has_a_line_with_its_ratio() {
        let table = super::table();
        assert_eq!(table.lines().count(), 5, "{table}");
        assert!(
            table.contains("| a segment id |") && table.lines().nth(2).unwrap().ends_with(" 1 |"),
            "{table}"
        );
    }
}
