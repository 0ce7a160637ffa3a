//! `check FILE|-`: documents against X-Ray's rules.

use std::io::Read;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;
use xray_sdk::local::{Severity, check};

use crate::cli::failure::Failure;
use crate::cli::output;
use crate::ingest;
use crate::model::counted;

/// Check segment documents: what X-Ray would refuse or drop, and what an OpenTelemetry collector would lose.
///
/// The exit code is 1 when there is a problem.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xray-local check segments.jsonl
  my-program --print-segments | xray-local check -")]
pub(in super::super) struct Check {
    /// A file with one document a line, or `-` for the standard input. Header lines of datagrams are skipped. A file
    /// that is one document over several lines is taken as one.
    file: String,
    /// One JSON object for each problem.
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(in super::super) fn run(&self) -> Result<ExitCode, Failure> {
        let bytes = read(&self.file)?;
        let documents = documents(&bytes);
        if documents.is_empty() {
            return Err(Failure::new(format!("{}: no segment documents in it", self.file)));
        }
        let mut problems = 0;
        for (number, document) in &documents {
            let refused = ingest::accept(document).err();
            for problem in check(document) {
                problems += 1;
                let refuses = problem.severity == Severity::Reject;
                if self.json {
                    output::line(json!({
                        "line": number, "path": problem.path, "message": problem.message, "refused": refuses,
                        "code": refused.as_ref().map(|refused| refused.code),
                    }))?;
                } else {
                    let code =
                        refused.as_ref().filter(|_| refuses).map(|refused| format!(" [{}]", refused.code));
                    let kind = if refuses { "refused" } else { "loses something" };
                    output::line(format!("line {number}: {kind}{}: {problem}", code.unwrap_or_default()))?;
                }
            }
        }
        if !self.json {
            output::note(format!(
                "{}, {}",
                counted(documents.len() as u64, "document"),
                counted(problems, "problem")
            ));
        }
        Ok(ExitCode::from(u8::from(problems > 0)))
    }
}

/// All bytes of a file, or of the standard input.
pub(super) fn read(file: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    if file == "-" {
        std::io::stdin()
            .lock()
            .read_to_end(&mut bytes)
            .map_err(|err| Failure::new(format!("standard input: {err}")))?;
        return Ok(bytes);
    }
    std::fs::read(file).map_err(|err| Failure::new(format!("{file}: {err}")))
}

/// Documents with the line that each begins at.
pub(super) fn documents(bytes: &[u8]) -> Vec<(usize, &[u8])> {
    if serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok() {
        return vec![(1, bytes)];
    }
    let lines = bytes.split(|&byte| byte == b'\n').enumerate().map(|(at, line)| (at + 1, line.trim_ascii()));
    lines.filter(|(_, line)| !line.is_empty() && !is_header(line)).collect()
}

/// The header line of a datagram.
fn is_header(line: &[u8]) -> bool {
    let header = serde_json::from_slice::<serde_json::Value>(line).ok();
    header.is_some_and(|header| header.get("format").is_some() && header.get("trace_id").is_none())
}
