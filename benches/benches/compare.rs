//! The cost of a request, a child and a whole trace, with ours and with the rivals, as Markdown and as a picture:
//!
//! ```text
//! cargo bench -p xray-bench --features rivals -- --svg cost.svg
//! ```
//! `--rounds N` and `--millis N` (per job and round, pauses included) say how much is measured; `--only
//! costs|threads|growth|arrivals` measures one table. Run as a test, it does each job once and measures nothing.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a program for a terminal")]

use std::env;
use std::io;
use std::path::Path;
use std::time::Duration;

use xray_bench::contenders;
use xray_bench::harness::receiver::Receiver;
use xray_bench::report::costs::{self};
use xray_bench::report::delivery;
use xray_bench::report::effort::Effort;
use xray_bench::report::markdown;
use xray_bench::report::threads;
use xray_bench::report::trace_size;
use xray_bench::workload::contender::Setting;
use xray_bench::workload::jobs::Job;

/// This package's program: the sink, and the one that counts allocations.
const PROGRAM: &str = env!("CARGO_BIN_EXE_xray-bench");

fn main() -> io::Result<()> {
    xray_bench::harness::environment::enter()?;
    let arguments: Vec<String> = env::args().skip(1).collect();
    if !arguments.iter().any(|one| one == "--bench") {
        return each_once();
    }
    let option = |name: &str| {
        let at = arguments.iter().position(|one| one == name)?;
        arguments.get(at + 1).map(String::as_str)
    };
    let number = |name, default| option(name).and_then(|number| number.parse().ok()).unwrap_or(default);
    let effort =
        Effort { rounds: number("--rounds", 9), long: Duration::from_millis(number("--millis", 100).into()) };
    let wanted = |name| option("--only").is_none_or(|only| only == name);
    let program = Path::new(PROGRAM);
    println!("{}", markdown::machine());
    if wanted("costs") {
        let rows = costs::measure(program, effort, |what| eprintln!("… {what}"))?;
        println!("{}", markdown::of_costs(&rows));
        println!("{}", markdown::of_guide(&rows));
        #[cfg(feature = "rivals")]
        if let Some(file) = option("--svg") {
            xray_bench::report::chart::draw(&rows, Path::new(file))?;
        }
    }
    if wanted("threads") {
        println!("{}", markdown::of_threads(&threads::measure(program, effort)?));
    }
    if wanted("growth") {
        println!("{}", markdown::of_growth(&trace_size::measure(program, effort)?));
    }
    if wanted("arrivals") {
        println!("{}", markdown::of_arrivals(&delivery::measure(program)?));
    }
    Ok(())
}

/// Each contender does each job once, and what sends is seen to send.
fn each_once() -> io::Result<()> {
    let (mut passed, mut failed) = (0, 0);
    for contender in contenders::all() {
        let mut sink = Receiver::start_reading(contender.receiver, Path::new(PROGRAM), "127.0.0.1:0")?;
        for job in [Job::Request, Job::Children(3), Job::Kinds(3), Job::Rejected(3), Job::Chain(3)] {
            sink.keep()?;
            let Some(world) = (contender.build)(Setting::to(sink.address()))? else { continue };
            world.run(job, 1);
            world.flush();
            let arrived = sink.arrived()?;
            if contender.sends == (arrived.datagrams > 0) {
                passed += 1;
            } else {
                failed += 1;
                println!("{}, {job:?}: {arrived:?}", contender.name);
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    if failed == 0 { Ok(()) } else { Err(io::Error::other("a contender does not do its jobs")) }
}
