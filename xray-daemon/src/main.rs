//! The binary: arguments in, exit code out. Everything else is in the library.
//!
//! Nothing else is here, so that tests and benchmarks reach all of it. Flags are read in `config`, commands are in `run`.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    xray_daemon::run::main()
}
