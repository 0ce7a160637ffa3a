//! Callgrind's output, put together in the two ways that help whoever tunes: by function, with all that was
//! inlined into it; and by the file that the inlined lines were written in.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::process::Command;

/// The [`TOP`] of both, per unit.
pub(crate) fn report(out: &Path, units: f64) -> io::Result<String> {
    let output =
        Command::new("callgrind_annotate").args(["--auto=no", "--threshold=100"]).arg(out).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (mut functions, mut files) = (HashMap::new(), HashMap::new());
    let mut total = 0.0;
    for (count, file, function) in text.lines().filter_map(line) {
        total += count;
        *functions.entry(function).or_insert(0.0) += count;
        *files.entry(file).or_insert(0.0) += count;
    }
    let mut report = format!("{:8.0}  in all\n", total / units);
    for (title, counts) in [("by function", functions), ("by file, inlined or not", files)] {
        let mut counts: Vec<(String, f64)> = counts.into_iter().collect();
        counts.sort_by(|one, other| other.1.total_cmp(&one.1));
        let _ = writeln!(report, "-- {title}");
        for (name, count) in counts.iter().take(TOP) {
            let _ = writeln!(report, "{:8.0}  {:4.1} %  {name}", count / units, 100.0 * count / total);
        }
    }
    Ok(report)
}

const TOP: usize = 25;

/// `1,234 ( 5.67%)  path/file.rs:function [binary]`
fn line(line: &str) -> Option<(f64, String, String)> {
    let (count, rest) = line.trim_start().split_once(" (")?;
    let count = count.replace(',', "").parse().ok()?;
    let (_, place) = rest.split_once("%)  ")?;
    let place = place.split(" [").next().unwrap_or(place);
    let at = place.find(".rs:").map_or_else(|| place.find(':'), |at| Some(at + 3))?;
    Some((count, short(&place[..at]), place[at + 1..].to_owned()))
}

/// A path from its crate on: the compiler's, the registry's, ours.
fn short(path: &str) -> String {
    let from = ["/library/", "/index.crates.io-"].iter().find_map(|mark| Some(path.find(mark)? + mark.len()));
    let path = &path[from.unwrap_or(0)..];
    // The registry's folder has a hash in its name.
    let hash = path.split_once('/').filter(|(first, _)| first.len() == 16 && !first.contains('-'));
    hash.map_or(path, |(_, rest)| rest).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_apart() {
        let text = "2,280,000 ( 0.89%)  /rustc/5980/library/core/src/option.rs:a::<b as c>::get [/bin/x]";
        let expected = (2_280_000.0, "core/src/option.rs".to_owned(), "a::<b as c>::get".to_owned());
        assert_eq!(line(text), Some(expected));
        let text = " 7,790 (3.07%)  /r/index.crates.io-1949cf8c6b5b557f/slab-0.1.7/src/lib.rs:get";
        assert_eq!(line(text).map(|line| line.1), Some("slab-0.1.7/src/lib.rs".to_owned()));
        assert_eq!(line("Thresholds:       95"), None);
    }
}
