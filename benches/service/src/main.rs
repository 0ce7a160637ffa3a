//! The cost of a tracer to an HTTP service: `cargo run --release -p service-numbers --features rivals`.
//!
//! ```text
//!  driver ──HTTP──► service, a process for each contender ──HTTP──► backend, answers at once
//!                     │  two calls, one query of SQLite
//!                     └──UDP──► sink, reads and forgets
//! ```
//! Driver, backend and sink are this process, whose processor time is not counted. The services run all the time and
//! are driven turn by turn, so that what else the machine does disturbs each of them alike. Ratios are those of
//! neighbours in a round. `-- --instructions` counts instructions under valgrind instead of time.

#![expect(clippy::print_stdout, reason = "it is a program for a terminal")]

mod contender;
mod contenders;

#[cfg(feature = "rivals")]
mod rivals;

mod shop;

mod backend;

mod driver;

mod process;

mod table;

use std::io;

const USAGE: &str = "\
service_numbers                    a table of times: requests a second, latency, processor time of a request
service_numbers --rounds N         the same from N rounds (default 15)
service_numbers --instructions     a table of instructions of a request, under valgrind";

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse().map_err(|_| io::Error::other(format!("no number: {text:?}")));
    match arguments.as_slice() {
        [] => println!("{}", table::times(15)?),
        ["--rounds", rounds] => println!("{}", table::times(number(rounds)?)?),
        ["--instructions"] => println!("{}", table::instructions()?),
        // For the other processes of a measurement.
        ["serve", contender, backend, daemon] => shop::serve(contender, backend, daemon)?,
        _ => return Err(io::Error::other(USAGE)),
    }
    Ok(())
}
