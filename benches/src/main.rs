//! The program whose allocator counts: memory, a soak, the gate on instructions; and, for `cargo bench`, the
//! sink and the count of allocations. What each command does is said by [`USAGE`].

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a program for a terminal")]

use std::alloc::System;
use std::env;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use xray_bench::bare_send;
use xray_bench::contenders;
use xray_bench::decisions;
use xray_bench::fork;
use xray_bench::handover;
use xray_bench::harness::allocations;
use xray_bench::harness::receiver::{self, Reading, Receiver};
use xray_bench::instructions::gate;
use xray_bench::memory;
use xray_bench::sender;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const USAGE: &str = "\
xray-bench memory                        heap bytes per open span, at rest, after a burst
xray-bench soak [--spans N]              size of the process over N spans (default 2,000,000)
xray-bench gate [--update]               instruction counts against bounds.txt
xray-bench profile JOB [CONTENDER]       instructions of a job of the gate by function, the floor's, lines of code
xray-bench sender                        what the queue costs per document: the caller, the thread that sends
xray-bench handover                      what the queue costs within requests, beside emitters that do less
xray-bench send                          what one datagram takes of a caller, bare and by the emitter
xray-bench decisions                     what a decision by X-Ray's own rules costs
xray-bench fork                          what asking for the process before each id would cost
The table of all contenders: cargo bench -p xray-bench --features rivals";

fn main() -> ExitCode {
    if let Err(err) = xray_bench::harness::environment::enter() {
        eprintln!("{err}");
    }
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(err) => {
            eprintln!("{err}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> io::Result<ExitCode> {
    match arguments {
        ["memory"] => print!("{}", memory::held(live)?),
        ["soak"] => soak(2_000_000)?,
        ["soak", "--spans", spans] => soak(spans.parse().map_err(io::Error::other)?)?,
        ["gate", options @ ..] => {
            let (report, holds) =
                gate::gate(&program()?, &gate::bounds_file(), options.contains(&"--update"))?;
            print!("{report}");
            return Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        ["profile", job] => print!("{}", gate::profile(&program()?, job, "ours, no send")?),
        ["profile", job, contender] => print!("{}", gate::profile(&program()?, job, contender)?),
        ["sender"] => print!("{}", sender::tables(&program()?)?),
        ["handover"] => print!("{}", handover::table(&program()?)?),
        ["send"] => print!("{}", bare_send::table(&program()?)?),
        ["fork"] => print!("{}", fork::table()),
        ["decisions"] => print!("{}", decisions::table()?),
        // For the other processes of a measurement.
        ["sink", address] => receiver::serve(address, Reading::Single)?,
        ["sink", address, "runs"] => receiver::serve(address, Reading::Runs)?,
        ["count"] => print!("{}", allocations::count_all(&program()?, allocated)?),
        ["decide", which, times] => decisions::decide(which, times.parse().map_err(io::Error::other)?)?,
        ["job", contender, job, times] => {
            gate::run(contender, job, times.parse().map_err(io::Error::other)?)?;
        }
        _ => {
            eprintln!("{USAGE}");
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn soak(spans: u64) -> io::Result<()> {
    let sink = Receiver::start(&program()?, "127.0.0.1:0")?;
    for name in [contenders::OURS, "ours, no send"] {
        print!("{}", memory::soak(name, spans, sink.address())?);
    }
    Ok(())
}

fn program() -> io::Result<PathBuf> {
    env::current_exe()
}

fn live() -> isize {
    let stats = ALLOCATOR.stats();
    // Both know of what a reallocation added or took away.
    stats.bytes_allocated as isize - stats.bytes_deallocated as isize
}

fn allocated() -> (usize, usize) {
    let stats = ALLOCATOR.stats();
    (stats.allocations + stats.reallocations, stats.bytes_allocated)
}
