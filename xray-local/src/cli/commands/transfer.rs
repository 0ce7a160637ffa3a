//! `import` and `export`: documents into an X-Ray and out of one.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::check;
use crate::cli::arguments::{Endpoint, Span, count};
use crate::cli::failure::Failure;
use crate::cli::output;
use crate::ingest::split;
use crate::model::{counted, limits};

/// Send documents from a file to X-Ray.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xray-local import segments.jsonl
  aws xray batch-get-traces --trace-ids 1-66f1a2b3-0123456789abcdef01234567 | xray-local import -")]
pub(in super::super) struct Import {
    /// A file with one segment document a line, or an answer of BatchGetTraces; `-` for the standard input.
    file: String,
    #[command(flatten)]
    endpoint: Endpoint,
}

/// Refusals that are shown one by one.
const REFUSALS: usize = 20;

impl Import {
    pub(in super::super) fn run(&self) -> Result<ExitCode, Failure> {
        let bytes = check::read(&self.file)?;
        let documents = documents(&bytes);
        if documents.is_empty() {
            return Err(Failure::new(format!("{}: no segment documents in it", self.file)));
        }
        let client = self.endpoint.client_to_write()?;
        let mut refused = 0;
        for chunk in documents.chunks(limits::DOCUMENTS_PER_REQUEST) {
            let answer = client.call("/TraceSegments", &json!({"TraceSegmentDocuments": chunk}))?;
            for entry in
                answer.get("UnprocessedTraceSegments").and_then(Value::as_array).into_iter().flatten()
            {
                refused += 1;
                if refused <= REFUSALS {
                    output::note(entry);
                }
            }
        }
        if refused > REFUSALS {
            output::note(format!("and {}", counted((refused - REFUSALS) as u64, "more refusal")));
        }
        output::line(format!("{} sent, {refused} refused", counted(documents.len() as u64, "document")))?;
        Ok(ExitCode::from(u8::from(refused > 0)))
    }
}

/// The documents of a file: those of an answer of `BatchGetTraces`, without inferred segments, or its lines.
fn documents(bytes: &[u8]) -> Vec<String> {
    let whole: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let documents: Vec<String> = match whole.get("Traces").and_then(Value::as_array) {
        Some(traces) => traces.iter().flat_map(segments).collect(),
        None => check::documents(bytes)
            .into_iter()
            .map(|(_, line)| String::from_utf8_lossy(line).into_owned())
            .collect(),
    };
    documents.into_iter().flat_map(split).collect()
}

/// The received documents of a trace: X-Ray infers the others anew.
fn segments(trace: &Value) -> Vec<String> {
    let segments = trace.get("Segments").and_then(Value::as_array).into_iter().flatten();
    let documents = segments.filter_map(|segment| segment.get("Document")?.as_str());
    documents
        .filter(|document| {
            let document: Value = serde_json::from_str(document).unwrap_or_default();
            document.get("inferred") != Some(&Value::Bool(true))
        })
        .map(str::to_owned)
        .collect()
}

/// Write the documents of traces, one a line: what `import` reads.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xray-local export fault --since 6h > faults.jsonl
  xray-local export | xray-local check -")]
pub(in super::super) struct Export {
    /// A filter expression; all traces without one.
    filter: Option<String>,
    #[command(flatten)]
    span: Span,
    /// The most traces to write.
    #[arg(long, value_parser = count, default_value = "10000")]
    limit: usize,
    #[command(flatten)]
    endpoint: Endpoint,
}

impl Export {
    pub(in super::super) fn run(&self) -> Result<ExitCode, Failure> {
        let client = self.endpoint.client()?;
        let summaries = client.summaries(self.filter.as_deref(), self.span.range()?, self.limit)?;
        let ids: Vec<String> =
            summaries.iter().filter_map(|summary| summary.get("Id")?.as_str()).map(str::to_owned).collect();
        for ids in ids.chunks(limits::TRACE_IDS_PER_REQUEST) {
            for trace in client.traces(ids)? {
                segments(&trace).iter().try_for_each(output::line)?;
            }
        }
        if ids.is_empty() {
            output::note("no traces in this time; --since looks further back");
        }
        Ok(ExitCode::from(if ids.is_empty() { 3 } else { 0 }))
    }
}
