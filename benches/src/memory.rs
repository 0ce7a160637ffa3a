//! Memory: what a layer holds at rest, per open span, and after a burst; and whether a long run makes the process
//! grow. Heap bytes come from the caller's counting allocator, the process's size from the kernel.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::net::SocketAddr;

use tracing::{Span, info_span};

use crate::contenders::{self, FLOOR};
use crate::workload::contender::{Setting, World};
use crate::workload::jobs::Job;

/// Live heap bytes, as the caller's allocator counts them.
pub type Live = fn() -> isize;

/// What each of some contenders holds, as Markdown.
///
/// # Errors
/// If a contender can't be set up.
pub fn held(live: Live) -> io::Result<String> {
    let mut text = String::from(
        "| heap bytes | at rest, before any span | per open child of one root | per open root with one child, of two spans \
         | after 10,000 of these closed | after a burst of 50,000 open spans | and 10,000 requests later |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for name in [FLOOR, "ours, no send"] {
        let build = || (contenders::named(name)?.build)(Setting::to(nobody()));
        let start = live();
        let Some(world) = build()? else { continue };
        let rest = live() - start;
        let per_child = per_open(&*world, live, OPEN, children);
        drop(world);
        let start = live();
        let Some(world) = build()? else { continue };
        let per_pair = per_open(&*world, live, OPEN, roots_with_a_child);
        let closed = live() - start;
        world.with_tracing(&|| drop(children(BURST)));
        let burst = live() - start;
        // Pools give back slowly, so that they serve the next burst: normal work must bring them down.
        world.run(Job::Request, 10_000);
        let after = live() - start;
        let _ = writeln!(
            text,
            "| {name} | {rest} | {per_child:.0} | {per_pair:.0} | {closed} | {burst} | {after} |"
        );
    }
    Ok(text)
}

/// Spans that are open at once when bytes per span are asked for, and in a burst. No layer may refuse them.
const OPEN: usize = 10_000;
const BURST: usize = 50_000;

/// Bytes that each of so many spans holds while all are open.
fn per_open(world: &dyn World, live: Live, count: usize, open: fn(usize) -> Vec<Span>) -> f64 {
    let held = std::cell::Cell::new(0.0);
    world.with_tracing(&|| {
        let before = live();
        let spans = open(count);
        let handles = spans.capacity() * size_of::<Span>();
        held.set((live() - before - handles as isize) as f64 / spans.len() as f64);
    });
    held.get()
}

fn children(count: usize) -> Vec<Span> {
    let mut spans = Vec::with_capacity(count);
    let root = info_span!("GET /orders", otel.kind = "server");
    spans.extend((1..count).map(|order| info_span!(parent: &root, "load", kind = "order", order)));
    spans.push(root);
    spans
}

fn roots_with_a_child(count: usize) -> Vec<Span> {
    let mut spans = Vec::with_capacity(count);
    for order in 0..count / 2 {
        let root = info_span!(parent: None, "GET /orders", otel.kind = "server");
        spans.push(info_span!(parent: &root, "load", kind = "order", order));
        spans.push(root);
    }
    spans
}

/// Does requests until so many spans were closed, to `daemon`, and fits a line through the size of the process.
///
/// # Errors
/// If a contender can't be set up, or the kernel does not report the size.
pub fn soak(name: &str, spans: u64, daemon: SocketAddr) -> io::Result<String> {
    let Some(world) = (contenders::named(name)?.build)(Setting::to(daemon))? else {
        return Ok(String::new());
    };
    let step = u32::try_from(spans / STEPS / u64::from(Job::Request.spans())).unwrap_or(u32::MAX).max(1);
    let mut sizes = Vec::new();
    for _ in 0..STEPS {
        world.run(Job::Request, step);
        world.flush();
        sizes.push(resident()?);
    }
    let millions = f64::from(step) * f64::from(Job::Request.spans()) / 1e6;
    // The first quarter is warm-up.
    let slope = slope(&sizes[sizes.len() / 4..]) / millions;
    let (first, last) = (sizes[0] / 1024.0, sizes[sizes.len() - 1] / 1024.0);
    Ok(format!(
        "soak, {name}: {:.1} million spans, resident {first:.0} KiB after the first {STEPS}th, {last:.0} KiB at the end, \
         slope {slope:.0} bytes per million spans\n",
        millions * STEPS as f64,
    ))
}

const STEPS: u64 = 40;

/// Resident bytes of this process.
fn resident() -> io::Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    kibibytes.map(|size| size * 1024.0).ok_or_else(|| io::Error::other("no VmRSS in /proc/self/status"))
}

/// Slope of the line that fits best, per step.
fn slope(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let (mean_x, mean_y) = ((count - 1.0) / 2.0, values.iter().sum::<f64>() / count);
    let (mut above, mut below) = (0.0, 0.0);
    for (x, y) in values.iter().enumerate() {
        let x = x as f64 - mean_x;
        above += x * (y - mean_y);
        below += x * x;
    }
    if below > 0.0 { above / below } else { 0.0 }
}

fn nobody() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 9))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_slope() {
        assert!((slope(&[5.0, 7.0, 9.0, 11.0]) - 2.0).abs() < 1e-9);
        assert!(slope(&[3.0, 3.0, 3.0]).abs() < 1e-9);
    }
}
