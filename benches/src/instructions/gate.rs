//! Instruction counts, lines of code and misses of an instruction cache by callgrind, which don't depend on how busy a
//! machine is: a gate against bounds that are kept in the repository, and a profile by function for those who tune.
//!
//! Only what runs inside `measured_run` is collected, so that neither the start of the program nor what a rival does
//! before `main` counts. What differs between compilers and C libraries is what the margin is for.
//!
//! Callgrind does not see the kernel, nor the system's clock, which the kernel maps into the process: those cost time
//! and no instructions here. Reading the processor's counter is one instruction, and takes the time of some thirty.
//!
//! The cache that misses are counted of has 32 KB, eight ways, and no prefetching. A job runs in it again and again, after
//! runs that are not counted, so a miss is a line that the job itself has driven out since its last run. In a service the
//! code between two requests drives out most lines, and each touched line may be a miss. Misses depend on where the
//! linker puts functions as well, so they are shown, and have no bound.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::Ordering::Relaxed;

use crate::contenders::{self, BARE, FLOOR};
use crate::instructions::{profile, touched};
use crate::workload::contender::Setting;
use crate::workload::jobs::{IS_MEASURED, Job};

/// A bounded job: its name in the file, what is done, units per job, whether it is sampled, whether another layer
/// is beside.
struct Bounded {
    name: &'static str,
    job: Job,
    units: u32,
    sampled: bool,
    beside: bool,
}

const BOUNDED: [Bounded; 10] = [
    Bounded { name: "A", job: Job::Request, units: 1, sampled: true, beside: false },
    Bounded { name: "B", job: Job::Children(50), units: 50, sampled: true, beside: false },
    Bounded { name: "K", job: Job::Kinds(100), units: 100, sampled: true, beside: false },
    Bounded { name: "W", job: Job::Kinds(400), units: 400, sampled: true, beside: false },
    Bounded { name: "E", job: Job::Request, units: 1, sampled: false, beside: false },
    Bounded { name: "F", job: Job::Rejected(50), units: 50, sampled: true, beside: true },
    Bounded { name: "L", job: Job::Late(50), units: 50, sampled: true, beside: false },
    Bounded { name: "P", job: Job::Polled(2), units: 1, sampled: true, beside: false },
    Bounded { name: "Q", job: Job::Polled(2), units: 1, sampled: false, beside: false },
    Bounded { name: "I", job: Job::Exchange, units: 1, sampled: true, beside: false },
];

/// Without the kernel's part, which callgrind does not see.
const OURS: &str = "ours, no send";

/// What two counts of the same may differ by.
const AGREEMENT: f64 = 0.005;

/// What a count may lie above its bound.
const MARGIN: f64 = 0.05;

/// Counts, and compares with the bounds in `file`, or writes them there. The report, and whether all holds.
///
/// # Errors
/// If the program can't be run, or the file can't be read or written.
pub fn gate(binary: &Path, file: &Path, update: bool) -> io::Result<(String, bool)> {
    if !has_valgrind() {
        return Ok(("gate: SKIPPED, no valgrind here (apt-get install valgrind)\n".to_owned(), true));
    }
    let bounds = if update { String::new() } else { fs::read_to_string(file)? };
    let (mut report, mut counts, mut holds) = (String::new(), String::new(), true);
    for bounded in &BOUNDED {
        let name = bounded.name;
        let [instructions, lines] = bounds_of(&bounds, name);
        let ours = measure(binary, OURS, bounded, instructions.map(highest))?;
        let floor = measure(binary, FLOOR, bounded, None)?;
        let _ = writeln!(counts, "{name} {:.0} {}", ours.instructions, ours.lines);
        for (what, ours, floor, bound) in [
            ("instructions", ours.instructions, floor.instructions, instructions),
            ("lines of code", ours.lines as f64, floor.lines as f64, lines),
        ] {
            let verdict = verdict(ours, bound, update);
            holds &= !verdict.ends_with("FAILED");
            let ratio = ours / floor;
            let _ = writeln!(
                report,
                "gate {name}: {ours:7.0} {what}, floor {floor:7.0} ({ratio:.2} x), {verdict}"
            );
        }
        let _ = writeln!(
            report,
            "gate {name}: {:7.1} misses of a 32 KB instruction cache, floor {:7.1}",
            ours.misses, floor.misses
        );
        let bare = measure(binary, BARE, bounded, None)?.instructions;
        let _ =
            writeln!(report, "gate {name}: {:7.2} x the registry without a filter", ours.instructions / bare);
    }
    if update {
        fs::write(file, format!("{HEAD}{counts}"))?;
    }
    Ok((report, holds))
}

/// Returns the highest count that a bound allows.
fn highest(bound: f64) -> f64 {
    bound * (1.0 + MARGIN)
}

fn verdict(ours: f64, bound: Option<f64>, update: bool) -> String {
    match bound {
        None if update => "written".to_owned(),
        None => "no bound: FAILED".to_owned(),
        Some(bound) if ours > highest(bound) => format!("bound {bound:.0}: FAILED"),
        Some(bound) if ours < bound * (1.0 - MARGIN) => format!("bound {bound:.0}: better, lower it"),
        Some(bound) => format!("bound {bound:.0}: ok"),
    }
}

const HEAD: &str = "\
# Ours without the send, by callgrind: instructions (A, E, P, Q and I per request, B, K, W and F per child, L per root with
# a child), and lines of 64 bytes of code that the job touches. A build may lie 5 % above. Written by
# `cargo run --release -p xray-bench -- gate --update`.
";

fn bounds_of(bounds: &str, name: &str) -> [Option<f64>; 2] {
    let line = bounds.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let mut numbers = line.unwrap_or_default().split_whitespace().map(|number| number.parse().ok());
    [numbers.next().flatten(), numbers.next().flatten()]
}

/// Runs a job under callgrind and says where its instructions went, and where the floor's did.
///
/// # Errors
/// If valgrind or its annotator can't be run.
pub fn profile(binary: &Path, job: &str, contender: &str) -> io::Result<String> {
    let found = BOUNDED.iter().find(|one| one.name == job);
    let bounded = found.ok_or_else(|| io::Error::other("a profile is of A, B, K, W, E, F, L, P, Q or I"))?;
    let times = 10_000 / bounded.units;
    let run = |contender: &str, which: &str| {
        let out = std::env::temp_dir().join(format!("callgrind.{which}.{job}.{}", std::process::id()));
        callgrind(binary, &arguments(&out, &[]), contender, bounded, times).map(|_| out)
    };
    let (one, floor) = (run(contender, "one")?, run(FLOOR, "floor")?);
    let report = profile::compare(&one, &floor, f64::from(times * bounded.units), times.into());
    let _ = (fs::remove_file(one), fs::remove_file(floor));
    Ok(format!("{job}, {contender}, instructions per unit, and lines of code\n{}", report?))
}

fn has_valgrind() -> bool {
    Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// What a job takes of a processor.
struct Measured {
    /// Instructions per unit.
    instructions: f64,
    /// Lines of the instruction cache, of 64 bytes, whose code each job ran.
    lines: usize,
    /// Misses of an instruction cache of 32 KB per unit.
    misses: f64,
}

/// Measures until the two lowest counts agree and are no higher than `allowed`, twice at least and five times at most. Returns
/// the lowest counts: a counter that was calibrated badly, as valgrind's slowness and a busy machine make it at times, is
/// given up by the layer, and the system's clock takes more instructions.
fn measure(binary: &Path, contender: &str, bounded: &Bounded, allowed: Option<f64>) -> io::Result<Measured> {
    let mut lowest = measure_once(binary, contender, bounded)?;
    for _ in 2..=5 {
        let next = measure_once(binary, contender, bounded)?;
        let (one, other) = (lowest.instructions, next.instructions);
        lowest.instructions = one.min(other);
        lowest.lines = lowest.lines.min(next.lines);
        lowest.misses = lowest.misses.min(next.misses);
        let agree = (one - other).abs() <= AGREEMENT * lowest.instructions;
        if agree && allowed.is_none_or(|allowed| lowest.instructions <= allowed) {
            break;
        }
    }
    Ok(lowest)
}

fn measure_once(binary: &Path, contender: &str, bounded: &Bounded) -> io::Result<Measured> {
    // Few, so that a second does not pass meanwhile, after which a root reads the wall clock.
    let times = 400 / bounded.units;
    let out = std::env::temp_dir().join(format!("callgrind.gate.{}", std::process::id()));
    // Of all three caches, or callgrind takes those of the machine. The other two are of no interest.
    let caches = ["--cache-sim=yes", "--I1=32768,8,64", "--D1=32768,8,64", "--LL=8388608,16,64"];
    let arguments = arguments(&out, &caches);
    callgrind(binary, &arguments, contender, bounded, times)?;
    let text = fs::read_to_string(&out)?;
    let _ = fs::remove_file(&out);
    let per_unit = |event: &str| {
        let total = total(&text, event).ok_or_else(|| io::Error::other("no total in callgrind's output"))?;
        Ok::<_, io::Error>(total / f64::from(times * bounded.units))
    };
    Ok(Measured {
        instructions: per_unit("Ir")?,
        lines: touched::lines(&text, times.into()),
        misses: per_unit("I1mr")?,
    })
}

/// Returns the sum of an event's counts, of callgrind's output.
fn total(text: &str, event: &str) -> Option<f64> {
    let row = |name: &str| text.lines().find_map(|line| Some(line.strip_prefix(name)?.split_whitespace()));
    let at = row("events: ")?.position(|name| name == event)?;
    // Zeros at the end of a row are left out.
    row("totals: ")?.nth(at).map_or(Some(0.0), |count| count.parse().ok())
}

/// Callgrind's arguments: output by instruction, of what runs in that function and in what it calls.
fn arguments(out: &Path, more: &[&str]) -> Vec<String> {
    let by_instruction = ["--dump-instr=yes", "--compress-pos=no", "--compress-strings=no"];
    let mut arguments = vec![format!("--callgrind-out-file={}", out.display())];
    arguments.push("--toggle-collect=*measured_run*".to_owned());
    arguments.extend(by_instruction.iter().chain(more).map(|argument| (*argument).to_owned()));
    arguments
}

fn callgrind(
    binary: &Path,
    arguments: &[String],
    contender: &str,
    bounded: &Bounded,
    times: u32,
) -> io::Result<Output> {
    let output = Command::new("valgrind")
        .arg("--tool=callgrind")
        .args(arguments)
        .arg(binary)
        .args(["job", contender, bounded.name, &times.to_string()])
        .output()?;
    if output.status.success() {
        return Ok(output);
    }
    Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// What callgrind runs: one job, so many times, in a process of its own.
///
/// # Errors
/// If there is no such contender or job.
pub fn run(contender: &str, job: &str, times: u32) -> io::Result<()> {
    let bounded =
        BOUNDED.iter().find(|one| one.name == job).ok_or_else(|| io::Error::other("no such job"))?;
    let nobody = "127.0.0.1:9".parse().map_err(io::Error::other)?;
    let setting = Setting { sampled: bounded.sampled, beside: bounded.beside, ..Setting::to(nobody) };
    if let Some(world) = (contenders::named(contender)?.build)(setting)? {
        // What is made once, callsites and pools, is not of interest.
        world.run(bounded.job, 20);
        IS_MEASURED.store(true, Relaxed);
        measured_run(&*world, bounded.job, times);
        world.flush();
    }
    Ok(())
}

#[inline(never)]
fn measured_run(world: &dyn crate::workload::contender::World, job: Job, times: u32) {
    world.run(job, times);
}

/// Where the bounds are kept.
#[must_use]
pub fn bounds_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("bounds.txt")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_found_by_the_names_of_their_events() {
        let text = "events: Ir Dr I1mr ILmr\n0x1000 0 5 1\ntotals: 500 90 7\n";
        assert_eq!(
            ["Ir", "I1mr", "ILmr", "Dw"].map(|event| total(text, event)),
            [Some(500.0), Some(7.0), Some(0.0), None]
        );
    }

    #[test]
    fn a_bound_has_two_numbers() {
        let bounds = "# A 1 2\nA 17000 400\nB 2500\n";
        assert_eq!(bounds_of(bounds, "A"), [Some(17_000.0), Some(400.0)]);
        assert_eq!(bounds_of(bounds, "B"), [Some(2_500.0), None]);
        assert_eq!(bounds_of(bounds, "C"), [None, None]);
    }
}
