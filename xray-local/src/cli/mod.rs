//! The command line: arguments, commands, exit codes.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | done; for `assert`, found |
//! | 1 | not found, not valid, or not reachable |
//! | 2 | wrong arguments, or a port that is taken |
//! | 3 | `traces` found nothing |
//!
//! `run` passes on the exit code of its command. Reading commands use the public API, so they work on any endpoint.

mod arguments;
mod borrowed;
mod client;
mod commands;
mod doors;
mod failure;
mod identity;
mod output;
mod picture;
mod policy;
mod when;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use commands::{assert, check, completions, demo, map, open, run, serve, show, tail, traces, transfer};

/// AWS X-Ray on one's own machine.
///
/// Without a command, serves: the daemon on port 2000 (UDP and TCP), the X-Ray API and the console on port 2001.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: serve::Serve,
}

const EXAMPLES: &str = "Examples:
  xray-local                                  serve, for any program that sends to a daemon
  xray-local traces 'fault AND duration > 1'  list traces of the last hour that match
  xray-local tail                             draw each trace as it completes
  xray-local run -- cargo test                run a command with an X-Ray of its own
  xray-local assert 'service(\"shop\")' --within 5s";

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the daemon, the API and the console.
    Serve(serve::Serve),
    /// List traces, newest first.
    Traces(traces::Traces),
    /// Draw each trace as it completes.
    Tail(tail::Tail),
    /// Draw one trace.
    Show(show::Show),
    /// Draw the services and their calls.
    Map(map::Map),
    /// Wait until traces match a filter: for tests and CI.
    Assert(assert::Assert),
    /// Run a command with an X-Ray of its own, then draw its traces and problems.
    Run(run::Run),
    /// Check segment documents as X-Ray would.
    Check(check::Check),
    /// Send documents from a file to X-Ray.
    Import(transfer::Import),
    /// Write the documents of traces, one a line.
    Export(transfer::Export),
    /// Send the traffic of a small shop, for a first look.
    Demo(demo::Demo),
    /// Add, list and remove users and roles that may call.
    Identity(identity::Identity),
    /// Try policies without a server.
    Policy(policy::Policy),
    /// Open the console in a browser.
    Open(open::Open),
    /// Print a completion script for a shell.
    Completions(completions::Completions),
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.command {
        None => arguments.serve.run(),
        Some(Command::Serve(command)) => command.run(),
        Some(Command::Traces(command)) => command.run(),
        Some(Command::Tail(command)) => command.run(),
        Some(Command::Show(command)) => command.run(),
        Some(Command::Map(command)) => command.run(),
        Some(Command::Assert(command)) => command.run(),
        Some(Command::Run(command)) => command.run(),
        Some(Command::Check(command)) => command.run(),
        Some(Command::Import(command)) => command.run(),
        Some(Command::Export(command)) => command.run(),
        Some(Command::Demo(command)) => command.run(),
        Some(Command::Identity(command)) => command.run(),
        Some(Command::Policy(command)) => command.run(),
        Some(Command::Open(command)) => command.run(),
        Some(Command::Completions(command)) => command.run::<Arguments>(),
    };
    match done {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}

#[cfg(test)]
mod tests;
