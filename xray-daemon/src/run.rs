//! Puts the rooms together: from arguments to an exit code.
//!
//! Starting order: configuration, log, sockets, client, threads. Stopping order: sockets, hold, report.

use std::process::ExitCode;

/// Runs the program with the arguments and the environment of this process.
#[must_use]
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
