//! Rows as Markdown: one table per job, then threads, growth and arrivals. Numbers are rounded to what their
//! spread allows a reader to believe.

use std::fmt::Write as _;
use std::fs;
use std::thread::available_parallelism;

use crate::contenders::{FLOOR, OURS};
use crate::harness::meter::Median;
use crate::report::costs::{self, Cost};
use crate::report::delivery::{self, CASES};
use crate::report::threads::{self, THREADS};
use crate::report::trace_size::{self, SIZES};
use crate::workload::columns::COLUMNS;
use crate::workload::jobs::Job;

/// What was measured on.
#[must_use]
pub fn machine() -> String {
    let cores = available_parallelism().map_or(1, usize::from);
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let model = model.map_or("CPU unknown", |(_, model)| model);
    format!(
        "{cores} cores, {model}, kernel {}; medians, ± half the distance between the quartiles.\n",
        kernel.trim()
    )
}

/// One table per job. × is the ratio of CPU to the floor's, the median of the rounds': on a machine with other work the
/// wall says more about that.
#[must_use]
pub fn of_costs(rows: &[costs::Row]) -> String {
    let mut text = String::new();
    for (index, column) in COLUMNS.iter().enumerate() {
        let _ = writeln!(
            text,
            "\n### {}: {}\n\n| | caller, ns | caller's CPU, ns | × | whole process's CPU, ns | × | allocations | bytes \
             allocated | datagrams | bytes on the wire | valid documents | spans in them |\n\
             |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
            column.name, column.title
        );
        for row in rows {
            if let Some(cost) = &row.costs[index] {
                let _ = writeln!(text, "| {} | {} |", row.contender, cells(cost, row.sends));
            }
        }
    }
    text
}

/// The table of the guide's chapter on performance: a request, in microseconds of CPU, by contenders that send or that have
/// nothing else to be compared with.
#[must_use]
pub fn of_guide(rows: &[costs::Row]) -> String {
    let mut text =
        "\n### As in the guide\n\n| | calling thread | whole process | allocations | documents |\n\
                    |---|--:|--:|--:|--:|\n"
            .to_owned();
    for (contender, name) in GUIDE {
        let row = rows.iter().find(|row| row.contender == contender);
        let Some((row, Some(cost))) = row.and_then(|row| Some((row, row.costs.first()?.as_ref()))) else {
            continue;
        };
        let micros = |of: Median| format!("{:.1}", of.value / 1e3);
        let allocations = cost.allocations.map_or_else(|| "–".to_owned(), |(count, _)| format!("{count:.0}"));
        let documents = match row.contender {
            FLOOR => "–".to_owned(),
            _ => cost.arrived.documents.to_string(),
        };
        let (caller, total) = (micros(cost.caller), micros(cost.total));
        let _ = writeln!(text, "| {name} | {caller} | {total} | {allocations} | {documents} |");
    }
    text
}

/// Contenders of the guide's table, and what they are called there.
const GUIDE: [(&str, &str); 10] = [
    (FLOOR, "the registry with an idle layer behind the same filter"),
    (OURS, "this layer"),
    ("ours, queued", "this layer, `queued`"),
    ("ours, queued, to xray-daemon's receiver", "this layer, `queued`, to `xray-daemon`'s receiver"),
    ("tracing-opentelemetry 0.34, no-op exporter", "tracing-opentelemetry 0.34 with an exporter that drops"),
    ("opentelemetry-aws 0.21, nested", "tracing-opentelemetry and opentelemetry-aws 0.21, nested"),
    ("opentelemetry-aws 0.21, a document per span", "the same, a document for each span"),
    ("fastrace 0.7, drops everything", "fastrace 0.7 with a reporter that drops"),
    ("fastrace 0.7 → opentelemetry-aws", "fastrace 0.7 and opentelemetry-aws"),
    ("xray-lite 0.0.9", "xray-lite 0.0.9"),
];

fn cells(cost: &Cost, sends: bool) -> String {
    let ratio = |of: Median| format!("{:.2}", of.value);
    let (allocations, bytes) = match cost.allocations {
        Some((count, bytes)) => (format!("{count:.1}"), format!("{bytes:.0}")),
        None => ("–".to_owned(), "–".to_owned()),
    };
    let arrived = &cost.arrived;
    let wire = match sends {
        true => [arrived.datagrams, arrived.bytes, arrived.documents, arrived.spans]
            .map(|number| number.to_string()),
        false => std::array::from_fn(|_| "–".to_owned()),
    };
    [
        nanos(cost.wall),
        nanos(cost.caller),
        ratio(cost.caller_ratio),
        nanos(cost.total),
        ratio(cost.total_ratio),
        allocations,
        bytes,
        wire.join(" | "),
    ]
    .join(" | ")
}

/// Requests per second by threads, and how much more that is than one thread does.
#[must_use]
pub fn of_threads(rows: &[threads::Row]) -> String {
    let mut text = "\n### D: A from several threads, thousands of requests per second\n\n|".to_owned();
    for threads in THREADS {
        let _ = write!(text, " | {threads}");
    }
    text.push_str(" | 4 to 1 |\n|---|--:|--:|--:|--:|--:|\n");
    for row in rows.iter().filter(|row| row.throughput.iter().any(|one| one.value > 0.0)) {
        let _ = write!(text, "| {}", row.contender);
        for one in &row.throughput {
            let _ = write!(text, " | {:.0} ± {:.0} %", one.value / 1e3, 100.0 * one.spread);
        }
        let _ = writeln!(text, " | {:.2} |", row.throughput[2].value / row.throughput[0].value);
    }
    text
}

/// CPU per span by size of the trace.
#[must_use]
pub fn of_growth(rows: &[trace_size::Row]) -> String {
    let caller = growth("the calling thread", rows, |row| &row.caller);
    caller + &growth("the whole process", rows, |row| &row.total)
}

fn growth(
    whose: &str,
    rows: &[trace_size::Row],
    pick: fn(&trace_size::Row) -> &Vec<Option<Median>>,
) -> String {
    let mut text = format!("\n### G: CPU of {whose} per span, ns, by size of the trace\n\n|");
    for size in SIZES {
        let _ = match size {
            Job::Chain(depth) => write!(text, " | {depth} deep"),
            wide => write!(text, " | {} wide", wide.spans() - 1),
        };
    }
    let _ = writeln!(text, " |\n|---{}|", "|--:".repeat(SIZES.len()));
    for row in rows {
        let _ = write!(text, "| {}", row.contender);
        for one in pick(row) {
            let _ = write!(text, " | {}", one.map_or("–".to_owned(), nanos));
        }
        text.push_str(" |\n");
    }
    text
}

/// Spans that arrived, of those that were opened.
#[must_use]
pub fn of_arrivals(rows: &[delivery::Row]) -> String {
    let mut text = "\n### What arrives: spans in documents that X-Ray takes, of those opened\n\n|".to_owned();
    for row in rows {
        let _ = write!(text, " | {}", row.contender);
    }
    let _ = writeln!(text, " |\n|---{}|", "|--:".repeat(rows.len()));
    let six = ("a request to a daemon on IPv6", CASES[0].spans());
    let cases = CASES.iter().map(|case| (case.name, case.spans())).chain([six]);
    for (index, (name, spans)) in cases.enumerate() {
        let _ = write!(text, "| {name}");
        for row in rows {
            let _ = match row.arrived.get(index).and_then(Option::as_ref) {
                None => write!(text, " | –"),
                Some(one) if one.overflowed > 0 => {
                    write!(text, " | {} of {spans} ({} datagrams overflowed)", one.spans, one.overflowed)
                }
                Some(one) => write!(text, " | {} of {spans}", one.spans),
            };
        }
        text.push_str(" |\n");
    }
    // A zero without its cause is no finding.
    for row in rows {
        let mut told = Vec::new();
        for refusal in row.arrived.iter().flatten().map(|one| &one.refusal).filter(|why| !why.is_empty()) {
            if !told.contains(&refusal) {
                let _ = writeln!(text, "\n- {}: refused, {refusal}", row.contender);
                told.push(refusal);
            }
        }
    }
    text
}

fn nanos(median: Median) -> String {
    let digits = usize::from(median.value < 100.0);
    format!("{:.digits$} ± {:.0} %", median.value, 100.0 * median.spread)
}
