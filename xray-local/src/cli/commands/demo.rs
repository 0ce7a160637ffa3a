//! `demo`: the traffic of a small shop.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use crate::cli::arguments::{Endpoint, count};
use crate::cli::failure::Failure;
use crate::cli::output;
use crate::demo;
use crate::model::{counted, limits, now};

/// Send the traffic of a small shop, for a first look: faults, throttles, a queue, a Lambda function, a trace of 2,000
/// subsegments, and one document that is refused.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xray-local demo
  xray-local demo --requests 20")]
pub(in super::super) struct Demo {
    /// Requests to the shop, spread over the last ten minutes.
    #[arg(long, value_parser = count, default_value = "200")]
    requests: usize,
    #[command(flatten)]
    endpoint: Endpoint,
}

impl Demo {
    pub(in super::super) fn run(&self) -> Result<ExitCode, Failure> {
        let client = self.endpoint.client_to_write()?;
        let now = now();
        let documents = demo::documents(now, self.requests, now.0.unsigned_abs());
        let mut refused = 0;
        for chunk in documents.chunks(limits::DOCUMENTS_PER_REQUEST) {
            let answer = client.call("/TraceSegments", &json!({"TraceSegmentDocuments": chunk}))?;
            refused += answer.get("UnprocessedTraceSegments").and_then(Value::as_array).map_or(0, Vec::len);
        }
        output::line(format!(
            "{} sent, {refused} refused on purpose",
            counted(documents.len() as u64, "document")
        ))?;
        output::line(format!("look at {}, or run: xray-local map", self.endpoint.endpoint))?;
        Ok(ExitCode::SUCCESS)
    }
}
