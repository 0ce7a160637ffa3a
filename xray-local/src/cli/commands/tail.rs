//! `tail [FILTER]`: traces as they complete.

use std::collections::HashMap;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use crate::cli::arguments::{Endpoint, count};
use crate::cli::failure::Failure;
use crate::cli::{output, picture};
use crate::model::{Length, Time, now};

/// Draw each trace as it completes. Ctrl-C ends it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xray-local tail
  xray-local tail 'error OR fault'
  xray-local tail --one-line")]
pub(in super::super) struct Tail {
    /// A filter expression; all traces without one.
    filter: Option<String>,
    /// One line a trace instead of a waterfall.
    #[arg(long)]
    one_line: bool,
    /// One JSON object a line, as GetTraceSummaries returns them.
    #[arg(long)]
    json: bool,
    /// End after this many traces.
    #[arg(long, value_parser = count)]
    count: Option<usize>,
    #[command(flatten)]
    endpoint: Endpoint,
}

/// Time between two questions.
const PAUSE: Duration = Duration::from_millis(500);

/// A trace is looked for this long after it began.
const WINDOW: Length = Length(300_000_000);

/// Traces of the window that are looked at.
const LIMIT: usize = 1_000;

impl Tail {
    pub(in super::super) fn run(&self) -> Result<ExitCode, Failure> {
        let client = self.endpoint.client()?;
        let begun = now();
        let mut shown: HashMap<String, Time> = HashMap::new();
        // What is complete already is no news.
        let range = |now: Time| (Time(now.0 - WINDOW.0), now.plus(Length(60_000_000)));
        for summary in client.summaries(self.filter.as_deref(), range(begun), LIMIT)? {
            shown.extend(complete_id(&summary).map(|id| (id, begun)));
        }
        let mut count = 0;
        loop {
            let asked = now();
            let mut found = client.summaries(self.filter.as_deref(), range(asked), LIMIT)?;
            found.reverse();
            for summary in found {
                let Some(id) = complete_id(&summary) else { continue };
                // A later revision of a trace that was shown is not shown again.
                if shown.insert(id.clone(), asked).is_some() {
                    continue;
                }
                if self.json {
                    output::line(&summary)?;
                } else if self.one_line {
                    output::line(picture::row(&summary).join("  "))?;
                } else {
                    for trace in client.traces(&[id])? {
                        output::line(picture::waterfall(&trace, false))?;
                    }
                }
                count += 1;
                if self.count == Some(count) {
                    return Ok(ExitCode::SUCCESS);
                }
            }
            shown.retain(|_, seen| asked.0 - seen.0 < 2 * WINDOW.0);
            thread::sleep(PAUSE);
        }
    }
}

/// The id of a trace of which nothing is in progress.
fn complete_id(summary: &Value) -> Option<String> {
    let partial = summary.get("IsPartial") == Some(&Value::Bool(true));
    summary.get("Id").and_then(Value::as_str).filter(|_| !partial).map(str::to_owned)
}
