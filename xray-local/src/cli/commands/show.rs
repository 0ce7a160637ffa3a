//! `show ID`: one trace as a waterfall, or as its documents.

use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use crate::cli::arguments::{Endpoint, Span};
use crate::cli::client::Client;
use crate::cli::failure::Failure;
use crate::cli::{output, picture};
use crate::model::parse_trace_id;

/// Draw one trace.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xray-local show 1-66f1a2b3-0123456789abcdef01234567
  xray-local show latest
  xray-local show 66f1a2b3 --since 6h        the beginning of an id that only one trace has
  xray-local show 'Root=1-66f1a2b3-0123456789abcdef01234567;Sampled=1' --json")]
pub(in super::super) struct Show {
    /// A trace id of X-Ray or W3C, a whole header, a beginning of an id, or `latest`.
    id: String,
    /// Show every span, also of many equal ones.
    #[arg(long)]
    all: bool,
    /// The trace as BatchGetTraces returns it.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    span: Span,
    #[command(flatten)]
    endpoint: Endpoint,
}

impl Show {
    pub(in super::super) fn run(&self) -> Result<ExitCode, Failure> {
        let client = self.endpoint.client()?;
        let id = self.find(&client)?;
        let traces = client.traces(std::slice::from_ref(&id))?;
        let trace = traces.first().ok_or_else(|| Failure::new(format!("no trace {id} at this X-Ray")))?;
        if self.json {
            output::line(trace)?;
        } else {
            output::line(picture::waterfall(trace, self.all).trim_end())?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn find(&self, client: &Client) -> Result<String, Failure> {
        if let Ok(id) = parse_trace_id(&self.id) {
            return Ok(id.to_string());
        }
        let latest = self.id == "latest";
        let begins = self.id.trim_start_matches("1-").replace('-', "").to_ascii_lowercase();
        if !latest && (begins.is_empty() || !begins.bytes().all(|byte| byte.is_ascii_hexdigit())) {
            return Err(Failure::usage(format!(
                "\"{}\" is no trace id; write 1-66f1a2b3-0123456789abcdef01234567, its beginning, or latest",
                self.id
            )));
        }
        let limit = if latest { 1 } else { LOOKED_AT };
        let summaries = client.summaries(None, self.span.range()?, limit)?;
        let ids = summaries.iter().filter_map(|summary| summary.get("Id")).filter_map(Value::as_str);
        let matching: Vec<&str> = ids
            .filter(|id| latest || id.trim_start_matches("1-").replace('-', "").starts_with(&begins))
            .collect();
        match matching[..] {
            [id] => Ok(id.to_owned()),
            [] if latest => Err(Failure::new("no traces in this time; --since looks further back")),
            [] => Err(Failure::new(format!("no trace {} in this time; --since looks further back", self.id))),
            _ => Err(Failure::new(format!(
                "{} traces begin with {}; write more of the id",
                matching.len(),
                self.id
            ))),
        }
    }
}

/// Traces among which the beginning of an id is looked for.
const LOOKED_AT: usize = 10_000;
