//! What a request, a child, a whole trace cost us and the rivals, as Markdown and as a picture:
//!
//! ```text
//! cargo bench -p benches --features rivals -- --svg cost.svg
//! ```
//! `--rounds N` and `--millis N` (per job and round) say how much is measured; `--only costs|threads|growth|arrivals`
//! measures one table. Run as a test, it does each job once and measures nothing.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a program for a terminal")]

use std::env;
use std::io;
use std::path::Path;
use std::time::Duration;

use benches::contenders::Setting;
use benches::costs::{self, Effort};
use benches::jobs::Job;
use benches::sink::Sink;
use benches::{arrivals, contenders, growth, table, threads};

/// This package's program: the sink, and the one that counts allocations.
const PROGRAM: &str = env!("CARGO_BIN_EXE_benches");

fn main() -> io::Result<()> {
    benches::lambda::enter()?;
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
        Effort { rounds: number("--rounds", 9), long: Duration::from_millis(number("--millis", 30).into()) };
    let wanted = |name| option("--only").is_none_or(|only| only == name);
    let program = Path::new(PROGRAM);
    println!("{}", table::machine());
    if wanted("costs") {
        let rows = costs::measure(program, effort, |what| eprintln!("… {what}"))?;
        println!("{}", table::of_costs(&rows));
        #[cfg(feature = "rivals")]
        if let Some(file) = option("--svg") {
            benches::chart::draw(&rows, Path::new(file))?;
        }
    }
    if wanted("threads") {
        println!("{}", table::of_threads(&threads::measure(program, effort)?));
    }
    if wanted("growth") {
        println!("{}", table::of_growth(&growth::measure(program, effort)?));
    }
    if wanted("arrivals") {
        println!("{}", table::of_arrivals(&arrivals::measure(program)?));
    }
    Ok(())
}

/// Each contender does each job once, and what sends is seen to send.
fn each_once() -> io::Result<()> {
    let mut sink = Sink::start(Path::new(PROGRAM), "127.0.0.1:0")?;
    let (mut passed, mut failed) = (0, 0);
    for contender in contenders::all() {
        for job in [Job::Request, Job::Children(3), Job::Rejected(3), Job::Chain(3)] {
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
