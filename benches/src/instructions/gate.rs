//! Instruction counts by callgrind, which don't depend on how busy a machine is: a gate against bounds that are
//! kept in the repository, and a profile by function for whoever tunes.
//!
//! A count is the slope between a short and a long run of the same program, so that start and end cancel out.
//! What differs between compilers and C libraries is what the margin is for.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::contenders::{self, FLOOR};
use crate::instructions::profile;
use crate::workload::contender::Setting;
use crate::workload::jobs::Job;

/// A bounded job: its name in the file, what is done, units per job, whether it is sampled, whether another layer
/// is beside.
struct Bounded {
    name: &'static str,
    job: Job,
    units: u32,
    sampled: bool,
    beside: bool,
}

const BOUNDED: [Bounded; 4] = [
    Bounded { name: "A", job: Job::Request, units: 1, sampled: true, beside: false },
    Bounded { name: "B", job: Job::Children(50), units: 50, sampled: true, beside: false },
    Bounded { name: "E", job: Job::Request, units: 1, sampled: false, beside: false },
    Bounded { name: "F", job: Job::Rejected(50), units: 50, sampled: true, beside: true },
];

/// Without the kernel's part, which callgrind does not see.
const OURS: &str = "ours, no send";

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
        let (ours, floor) = (instructions(binary, OURS, bounded)?, instructions(binary, FLOOR, bounded)?);
        let name = bounded.name;
        let _ = writeln!(counts, "{name} {ours:.0}");
        let bound = bound_of(&bounds, name);
        let verdict = match bound {
            None if update => "written".to_owned(),
            None => "no bound: FAILED".to_owned(),
            Some(bound) if ours > bound * (1.0 + MARGIN) => format!("bound {bound:.0}: FAILED"),
            Some(bound) if ours < bound * (1.0 - MARGIN) => format!("bound {bound:.0}: better, lower it"),
            Some(bound) => format!("bound {bound:.0}: ok"),
        };
        holds &= !verdict.ends_with("FAILED");
        let _ = writeln!(
            report,
            "gate {name}: {ours:7.0} instructions, floor {floor:7.0} ({:.2} x), {verdict}",
            ours / floor
        );
    }
    if update {
        fs::write(file, format!("{HEAD}{counts}"))?;
    }
    Ok((report, holds))
}

const HEAD: &str = "\
# Instructions of ours without the send, by callgrind: A and E per request, B and F per child.
# A build may lie 5 % above. Written by `cargo run --release -p xray-bench -- gate --update`.
";

fn bound_of(bounds: &str, name: &str) -> Option<f64> {
    let line = bounds.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
    line.trim().parse().ok()
}

/// Runs a job under callgrind and says where its instructions went, and where the floor's did.
///
/// # Errors
/// If valgrind or its annotator can't be run.
pub fn profile(binary: &Path, job: &str, contender: &str) -> io::Result<String> {
    let found = BOUNDED.iter().find(|one| one.name == job);
    let bounded = found.ok_or_else(|| io::Error::other("a profile is of A, B, E or F"))?;
    let times = 10_000 / bounded.units;
    let run = |contender: &str, which: &str| {
        let out = std::env::temp_dir().join(format!("callgrind.{which}.{job}.{}", std::process::id()));
        let arguments =
            [format!("--callgrind-out-file={}", out.display()), "--toggle-collect=*measured_run*".to_owned()];
        callgrind(binary, &arguments, contender, bounded, times).map(|_| out)
    };
    let (one, floor) = (run(contender, "one")?, run(FLOOR, "floor")?);
    let report = profile::compare(&one, &floor, f64::from(times * bounded.units));
    let _ = (fs::remove_file(one), fs::remove_file(floor));
    Ok(format!("{job}, {contender}, instructions per unit\n{}", report?))
}

fn has_valgrind() -> bool {
    Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Instructions per unit.
fn instructions(binary: &Path, contender: &str, bounded: &Bounded) -> io::Result<f64> {
    let (short, long) = (1_000 / bounded.units, 6_000 / bounded.units);
    let count = |times| {
        let output =
            callgrind(binary, &["--callgrind-out-file=/dev/null".to_owned()], contender, bounded, times)?;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let total =
            text.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse::<f64>().ok());
        total.ok_or_else(|| io::Error::other(format!("no count in valgrind's output:\n{text}")))
    };
    Ok((count(long)? - count(short)?) / f64::from((long - short) * bounded.units))
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
