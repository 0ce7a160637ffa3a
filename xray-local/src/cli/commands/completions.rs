//! `completions SHELL`: a script that completes commands and flags.

use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use crate::cli::failure::Failure;
use crate::cli::output;

/// Print a completion script for a shell.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  source <(xray-local completions bash)
  xray-local completions zsh > ~/.zfunc/_xray-local
  xray-local completions fish | source")]
pub(in super::super) struct Completions {
    /// bash, elvish, fish, powershell or zsh.
    shell: Shell,
}

impl Completions {
    pub(in super::super) fn run<C: CommandFactory>(&self) -> Result<ExitCode, Failure> {
        let mut script = Vec::new();
        generate(self.shell, &mut C::command(), "xray-local", &mut script);
        let script = String::from_utf8_lossy(&script);
        // The generator for bash (4.6.11) sets one name for a command of a program with a hyphen, and looks for
        // another, so that no flag of a command would be completed.
        let script = script.replace("xray__subcmd__local__", "xray__local__");
        output::line(script.trim_end())?;
        Ok(ExitCode::SUCCESS)
    }
}
