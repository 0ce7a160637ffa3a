//! Callgrind's output by function, with all that was inlined into it, beside the floor's: what a contender's own code
//! takes, and what it makes others do more of. Beside the instructions stand the lines of code in which they are.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use crate::instructions::touched;

/// Instructions of one run by function.
type Counts = HashMap<String, f64>;

/// The functions that differ most, per unit. Lines of code are those of one contender, whose job ran so many times.
pub(crate) fn compare(one: &Path, floor: &Path, units: f64, times: u64) -> io::Result<String> {
    let text = fs::read_to_string(one)?;
    let lines = touched::lines_by_function(&text, times);
    let (one, floor) = (counts(one)?, counts(floor)?);
    let sum = |counts: &Counts| counts.values().sum::<f64>() / units;
    let of = |counts: &Counts, name: &str| counts.get(name).copied().unwrap_or_default() / units;
    let mut names: Vec<&String> =
        one.keys().chain(floor.keys().filter(|name| !one.contains_key(*name))).collect();
    let difference = |name: &str| of(&one, name) - of(&floor, name);
    names.sort_by(|a, b| difference(b).total_cmp(&difference(a)));
    let mut report = "  more than the floor, of which the floor has; lines of code\n".to_owned();
    let mut line = |all: f64, floor: f64, lines: usize, name: &str| {
        let _ = writeln!(report, "{:+7.0} {all:7.0} {floor:7.0} {lines:5}  {name}", all - floor);
    };
    line(sum(&one), sum(&floor), touched::lines(&text, times), "in all");
    let (most, rest) = names.split_at(MOST.min(names.len()));
    for name in most.iter().chain(rest.iter().skip(rest.len().saturating_sub(LEAST))) {
        line(of(&one, name), of(&floor, name), lines.get(name.as_str()).copied().unwrap_or_default(), name);
    }
    Ok(report)
}

/// Functions that are shown from the top, and from the bottom: what the floor does more of.
const MOST: usize = 30;
const LEAST: usize = 3;

fn counts(out: &Path) -> io::Result<Counts> {
    let output =
        Command::new("callgrind_annotate").args(["--auto=no", "--threshold=100"]).arg(out).output()?;
    let mut counts = Counts::new();
    for (count, function) in String::from_utf8_lossy(&output.stdout).lines().filter_map(line) {
        *counts.entry(function).or_default() += count;
    }
    Ok(counts)
}

/// `1,234 ( 5.67%)  path/file.rs:function [binary]`
fn line(line: &str) -> Option<(f64, String)> {
    let (count, rest) = line.trim_start().split_once(" (")?;
    let count = count.replace(',', "").parse().ok()?;
    let (_, place) = rest.split_once("%)  ")?;
    let place = place.split(" [").next().unwrap_or(place);
    let at = place.find(".rs:").map_or_else(|| place.find(':'), |at| Some(at + 3))?;
    Some((count, place[at + 1..].to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_apart() {
        let text = "2,280,000 ( 0.89%)  /rustc/5980/library/core/src/option.rs:a::<b as c>::get [/bin/x]";
        assert_eq!(line(text), Some((2_280_000.0, "a::<b as c>::get".to_owned())));
        let text = " 7,790 (3.07%)  ???:get";
        assert_eq!(line(text), Some((7_790.0, "get".to_owned())));
        assert_eq!(line("Thresholds:       95"), None);
    }
}
