//! `traces [FILTER]`: one line a trace.

use std::process::ExitCode;

use clap::Args;

use crate::cli::arguments::{Endpoint, Span, count};
use crate::cli::failure::Failure;
use crate::cli::{output, picture};

/// List traces, newest first. Exit code 3 when there is none.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xray-local traces
  xray-local traces 'fault AND http.url CONTAINS \"/orders\"' --since 6h
  xray-local traces 'annotation.tenant = \"acme\"' --json | jq -r .Id")]
pub(in super::super) struct Traces {
    /// A filter expression; all traces without one.
    filter: Option<String>,
    #[command(flatten)]
    span: Span,
    /// The most traces to list.
    #[arg(long, value_parser = count, default_value = "100")]
    limit: usize,
    /// One JSON object a line, as GetTraceSummaries returns them.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    endpoint: Endpoint,
}

impl Traces {
    pub(in super::super) fn run(&self) -> Result<ExitCode, Failure> {
        let summaries =
            self.endpoint.client()?.summaries(self.filter.as_deref(), self.span.range()?, self.limit)?;
        if self.json {
            summaries.iter().try_for_each(output::line)?;
        } else {
            let rows: Vec<Vec<String>> = summaries.iter().map(picture::row).collect();
            output::columns(&rows).iter().try_for_each(output::line)?;
        }
        if summaries.is_empty() {
            output::note("no traces in this time; --since looks further back");
        }
        Ok(ExitCode::from(if summaries.is_empty() { 3 } else { 0 }))
    }
}
