//! `open`: the console in a browser.

use std::process::{Command, ExitCode, Stdio};

use clap::Args;

use crate::cli::arguments::Endpoint;
use crate::cli::failure::Failure;
use crate::cli::output;

/// Open the console in a browser.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xray-local open
  xray-local open --endpoint http://127.0.0.1:3001")]
pub(in super::super) struct Open {
    #[command(flatten)]
    endpoint: Endpoint,
}

impl Open {
    pub(in super::super) fn run(&self) -> Result<ExitCode, Failure> {
        // Asked first, so that a browser does not show an error in place of a sentence.
        self.endpoint.client_to_write()?.call("/GetSamplingRules", &serde_json::json!({}))?;
        let url = &self.endpoint.endpoint;
        output::line(url)?;
        let (program, first): (&str, &[&str]) = if cfg!(target_os = "macos") {
            ("open", &[])
        } else if cfg!(windows) {
            ("cmd", &["/C", "start", ""])
        } else {
            ("xdg-open", &[])
        };
        let opened =
            Command::new(program).args(first).arg(url).stdout(Stdio::null()).stderr(Stdio::null()).status();
        match opened {
            Ok(status) if status.success() => Ok(ExitCode::SUCCESS),
            _ => Err(Failure::new(format!("no browser could be opened; open {url} yourself"))),
        }
    }
}
