//! Traces as they complete: the page, and the stream of events behind it.
//!
//! The filter is applied on arrival. A browser gets at most [`ROWS`] rows a second; what it doesn't get is counted, and
//! the page says so. The stream ends with the server. A browser that connects again gets what it missed, the newest first.

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use hyper::body::Frame;
use maud::html;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::parts::error::PageError;
use super::parts::{order, shell};
use super::state::{Console, Stopping};
use super::traces::row;
use crate::model::TraceKey;
use crate::query::filter::Filter;
use crate::query::{self, Range, Search};
use crate::store::Stored;

/// Rows a second for each browser.
const ROWS: usize = 20;

/// Rows that a page begins with.
const FIRST: usize = 50;

/// Traces that the filter looks at in each [`PAUSE`]: 5,000 a second.
const LOOKED_AT: usize = 500;

/// The pause between two looks at gathered traces, which are then sent.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) fn routes() -> Router<Console> {
    Router::new().route("/", get(page)).route("/console/tail", get(tail))
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    filter: String,
}

const KEYS: [(&str, &str); 4] = [
    ("Space", "pause or go on"),
    ("↑ ↓", "choose a trace"),
    ("Enter", "open the chosen trace"),
    ("/", "to the filter"),
];

async fn page(
    State(console): State<Console>,
    Query(Asked { filter }): Query<Asked>,
) -> Result<Html<String>, PageError> {
    let parsed = Filter::parse(&filter);
    let sought = parsed.clone().ok();
    let (rows, has_any) = console
        .ask(move |connection| {
            let search = |filter, limit| Search { limit, ..Search::new(Range::ALL, filter) };
            let has_any = !query::find(connection, &search(Filter::default(), 1))?.keys.is_empty();
            let rows = match sought {
                Some(filter) => query::summaries(connection, &search(filter, FIRST))?.summaries,
                None => Vec::new(),
            };
            Ok((rows, has_any))
        })
        .await?;
    let options = console.options();
    let quote = if options.daemon.contains(' ') { "\"" } else { "" };
    let line = format!("export AWS_XRAY_DAEMON_ADDRESS={quote}{}{quote}", options.daemon);
    let content = html! {
        h1 { "Live" }
        form.filter #filter-form action="/" {
            input #filter name="filter" value=(filter) data-slash type="search" autocomplete="off" spellcheck="false"
                aria-invalid=[parsed.is_err().then_some("true")] aria-describedby="filter-error"
                aria-label="Filter expression, applied on arrival" placeholder="Filter on arrival: fault OR responsetime > 1";
            button type="submit" { "Filter" }
            button #pause type="button" aria-pressed="false" title="Space" { "Pause" }
            output #rate aria-live="off" { "0 traces/s" }
            svg #spark viewBox="0 0 120 24" width="120" height="24" role="img" aria-label="Traces a second over the last minute" {
                path d="" fill="none" stroke="currentColor" stroke-width="1.5" {}
            }
        }
        p #filter-error.note role="alert" hidden[parsed.is_ok()] { @if let Err(err) = &parsed { (err) } }
        p #connection.note role="status" hidden {}
        p #sample.note hidden {}
        div #empty.empty hidden[has_any] {
            h2 { "Nothing has been sent yet" }
            p { "Programs with an X-Ray SDK or a daemon client send to this address:" }
            (shell::copy(&line))
            p { "No program at hand? " button.primary type="button" data-demo { "Send demo traffic" } " It has six services, faults, throttles, a queue, a Lambda function, and one document that is refused." }
            p { "Or drop a file of segment documents on this page, or choose one: "
                input type="file" data-upload aria-label="File of segment documents"; }
        }
        div.split.live {
            div.scroll tabindex="0" role="region" aria-label="Latest traces" {
                table #tail {
                    caption.visually-hidden { "Traces, newest first" }
                    thead { tr {
                        th scope="col" { "Time" } th scope="col" { "State" } th scope="col" { "Service" }
                        th scope="col" { "Request" } th.number scope="col" { "Response" } th.wide scope="col" { "Annotations" }
                    } }
                    tbody { @for summary in &rows { (row::live(summary)) } }
                }
            }
            aside #preview aria-label="The chosen trace" { p.dim { "The first trace that arrives is chosen." } }
        }
        (shell::keys(&KEYS))
    };
    Ok(shell::page("Live", "/", &["live.js"], content))
}

/// The query of a stream of events.
#[derive(Deserialize)]
struct Listening {
    #[serde(default)]
    filter: String,
    /// The newest trace that the page has, by its key; newer ones are sent first.
    last: Option<i64>,
}

async fn tail(
    State(console): State<Console>,
    Extension(stopping): Extension<Stopping>,
    Query(Listening { filter, last }): Query<Listening>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let filter = Filter::parse(&filter).map_err(|err| PageError::bad_request(err.to_string()))?;
    // Browsers that connect again by themselves say what they have in a header.
    let again = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let (sender, receiver) = mpsc::channel(64);
    let stored = console.store().tail();
    let mut tail = Tail { filter, ..Tail::default() };
    if let Some(last) = again.or(last) {
        let search = Search { limit: ROWS, ..Search::new(Range::ALL, tail.filter.clone()) };
        let found = console.ask(move |connection| Ok(query::find(connection, &search)?)).await?;
        tail.waiting = found.keys.into_iter().filter(|key| key.0 > last).rev().collect();
    }
    tokio::spawn(tail.send(console, stored, sender, stopping));
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, Body::new(Events(receiver))).into_response())
}

/// Traces on their way to one browser, and the counts of the current second.
#[derive(Default)]
struct Tail {
    filter: Filter,
    /// Complete traces that were not looked at.
    waiting: Vec<TraceKey>,
    /// Traces of the last minute, so that a later revision does not count as another trace.
    known: HashMap<TraceKey, Instant>,
    arrived: u64,
    /// Traces that arrived faster than they are looked at.
    skipped: u64,
    matching: usize,
    sent: usize,
    newest: i64,
}

impl Tail {
    /// Sends rows until the browser or the server goes away.
    async fn send(
        mut self,
        console: Console,
        mut stored: broadcast::Receiver<Stored>,
        events: mpsc::Sender<Bytes>,
        Stopping(mut stop): Stopping,
    ) {
        let mut ticks = interval(PAUSE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut second = Instant::now();
        if events.send(event("hello", "{}", 0)).await.is_err() {
            return;
        }
        loop {
            tokio::select! {
                _ = stop.changed() => return,
                () = events.closed() => return,
                received = stored.recv() => match received {
                    Ok(stored) => self.take(stored),
                    Err(RecvError::Lagged(missed)) => {
                        self.arrived += missed;
                        self.skipped += missed;
                    }
                    Err(RecvError::Closed) => return,
                },
                _ = ticks.tick() => {
                    for row in self.rows(&console).await.unwrap_or_default() {
                        if events.send(event("trace", &row, self.newest)).await.is_err() { return; }
                    }
                    if second.elapsed() >= Duration::from_secs(1) {
                        if events.send(event("rate", &self.rate(), 0)).await.is_err() { return; }
                        second = Instant::now();
                    }
                }
            }
        }
    }

    fn take(&mut self, stored: Stored) {
        if stored.partial {
            return;
        }
        if self.known.insert(stored.key, Instant::now()).is_none() {
            self.arrived += 1;
        }
        if self.waiting.contains(&stored.key) {
            return;
        }
        if self.waiting.len() < LOOKED_AT {
            self.waiting.push(stored.key);
        } else {
            self.skipped += 1;
        }
    }

    /// The rows of waiting traces that match, the newest ones if there are too many.
    async fn rows(&mut self, console: &Console) -> Result<Vec<String>, PageError> {
        let keys = std::mem::take(&mut self.waiting);
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let room = ROWS.saturating_sub(self.sent);
        let filter = self.filter.clone();
        let (matching, rows) = console
            .ask(move |connection| {
                let is_whole = filter.expr().is_none();
                let keys = if is_whole { keys } else { query::among(connection, &filter, &keys)? };
                let shown = keys.get(keys.len().saturating_sub(room)..).unwrap_or_default();
                let rows = query::sum_up(connection, shown)?;
                let rows = rows.iter().map(|row| (row.key.0, order::written(row::live(row))));
                Ok((keys.len(), rows.collect::<Vec<_>>()))
            })
            .await?;
        self.matching += matching;
        self.sent += rows.len();
        self.newest = rows.iter().map(|(key, _)| *key).fold(self.newest, i64::max);
        Ok(rows.into_iter().map(|(_, row)| row).collect())
    }

    /// The counts of the second that ends, as JSON, and begins the next.
    fn rate(&mut self) -> String {
        let of = if self.filter.expr().is_none() { self.arrived } else { self.matching as u64 };
        let rate = json!({
            "arrived": self.arrived,
            "of": of,
            "shown": self.sent,
            "sampled": self.skipped > 0 || self.matching > self.sent,
        });
        (self.arrived, self.skipped, self.matching, self.sent) = (0, 0, 0, 0);
        self.known.retain(|_, seen| seen.elapsed() < Duration::from_secs(60));
        rate.to_string()
    }
}

/// An event; with an id other than 0, the browser brings it back when it connects again.
fn event(kind: &str, data: &str, id: i64) -> Bytes {
    let lines: String = data.split(['\n', '\r']).map(|line| format!("data: {line}\n")).collect();
    let id = if id == 0 { String::new() } else { format!("id: {id}\n") };
    Bytes::from(format!("event: {kind}\n{id}{lines}\n"))
}

/// A body that goes on until its sender is gone.
struct Events(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|event| event.map(|event| Ok(Frame::data(event))))
    }
}
