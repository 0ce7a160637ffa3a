//! `assert FILTER`: waits until traces match, for tests and CI.

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;

use crate::cli::arguments::{Endpoint, Span, count};
use crate::cli::failure::Failure;
use crate::cli::{output, picture, when};
use crate::model::counted;

/// Wait until traces match a filter. Exit code 0 when they do, 1 when they don't in time.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xray-local assert 'service(\"shop\") AND !fault' --within 5s
  xray-local assert 'edge(\"shop\", \"orders\")' --count 3 --within 10s
  xray-local assert fault --none --within 2s        fails as soon as a trace has a fault")]
pub(in super::super) struct Assert {
    /// A filter expression.
    filter: String,
    /// Longest time to wait.
    #[arg(long, value_name = "LENGTH", value_parser = when::length, default_value = "5s")]
    within: Duration,
    /// Least number of traces that have to match.
    #[arg(long, value_parser = count, default_value = "1", conflicts_with = "none")]
    count: usize,
    /// Assert that no trace matches, for as long as --within says.
    #[arg(long)]
    none: bool,
    /// Print the matching summaries, one JSON object a line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    span: Span,
    #[command(flatten)]
    endpoint: Endpoint,
}

/// Time between two questions.
const PAUSE: Duration = Duration::from_millis(100);

impl Assert {
    pub(in super::super) fn run(&self) -> Result<ExitCode, Failure> {
        let client = self.endpoint.client()?;
        let deadline = Instant::now() + self.within;
        let wanted = if self.none { 1 } else { self.count };
        loop {
            let found = client.summaries(Some(&self.filter), self.span.range()?, wanted)?;
            let enough = found.len() >= wanted;
            let over = Instant::now() >= deadline;
            if enough || over {
                if self.json {
                    found.iter().try_for_each(output::line)?;
                }
                return match (self.none, enough) {
                    (false, true) | (true, false) => Ok(ExitCode::SUCCESS),
                    (true, true) => Err(Failure::new(format!(
                        "a trace matches {}: {}",
                        self.filter,
                        picture::row(&found[0]).join("  ")
                    ))),
                    (false, false) => Err(Failure::new(format!(
                        "{} of {} matched {} within {:?}",
                        found.len(),
                        counted(wanted as u64, "trace"),
                        self.filter,
                        self.within
                    ))),
                };
            }
            thread::sleep(PAUSE.min(deadline.saturating_duration_since(Instant::now())));
        }
    }
}
