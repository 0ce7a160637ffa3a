//! The lines of 64 bytes of code that a job touches, of callgrind's output by instruction.
//!
//! A line counts if an instruction in it ran in nine of ten runs of the job. So neither what begins and ends a measurement
//! counts, nor what is done once in many jobs, such as to ask the system for random bytes. The tenth is for a second that
//! passes meanwhile, after which one root reads the wall clock.

use std::collections::{HashMap, HashSet};

/// How often an instruction ran in a function, by function, object and address.
type Counts<'a> = HashMap<(&'a str, &'a str, u64), u64>;

/// Counts the lines of a job that ran so many times.
pub(crate) fn lines(text: &str, times: u64) -> usize {
    let mut all = Counts::new();
    for ((_, object, address), count) in counts(text) {
        *all.entry(("", object, address)).or_default() += count;
    }
    by_function(all, times).into_values().sum()
}

/// Counts the lines of each function. A line that two functions share counts for both.
pub(crate) fn lines_by_function(text: &str, times: u64) -> HashMap<&str, usize> {
    by_function(counts(text), times)
}

fn by_function(counts: Counts<'_>, times: u64) -> HashMap<&str, usize> {
    let mut lines: HashMap<&str, HashSet<(&str, u64)>> = HashMap::new();
    for ((function, object, address), _) in counts.into_iter().filter(|(_, count)| *count * 10 >= times * 9) {
        lines.entry(function).or_default().insert((object, address / 64));
    }
    lines.into_iter().map(|(function, lines)| (function, lines.len())).collect()
}

fn counts(text: &str) -> Counts<'_> {
    let (mut object, mut function, mut is_call) = ("", "", false);
    let mut counts = Counts::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("ob=") {
            object = name;
        } else if let Some(name) = line.strip_prefix("fn=") {
            function = name;
        } else if line.starts_with("calls=") {
            is_call = true;
        } else if let Some(rest) = line.strip_prefix("0x")
            // The line after a call has what was called.
            && !std::mem::take(&mut is_call)
            && let Some((address, rest)) = rest.split_once(' ')
            && let Ok(address) = u64::from_str_radix(address, 16)
        {
            let count =
                rest.split(' ').nth(1).and_then(|count| count.parse::<u64>().ok()).unwrap_or_default();
            *counts.entry((function, object, address)).or_default() += count;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "ob=/bin/a\nfn=f\n0x1000 0 5\n0x103f 0 5\n0x1040 3 1\ncalls=1 0x2000 0\n0x1044 3 9\nfn=g\n0x1040 3 2\nob=/lib/b\n0x1000 0 2\n";

    #[test]
    fn lines_are_counted_once_in_each_object_if_each_job_runs_them() {
        assert_eq!([1, 3, 4].map(|times| lines(TEXT, times)), [3, 2, 1]);
    }

    #[test]
    fn a_line_that_functions_share_counts_for_each() {
        let lines = lines_by_function(TEXT, 1);
        assert_eq!((lines["f"], lines["g"]), (2, 2));
    }
}
