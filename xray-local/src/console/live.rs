//! Traces as they complete: the page, and the stream of events behind it.
//!
//! The filter is applied on arrival. A browser gets at most [`ROWS`] rows a second; what it doesn't get is counted, and
//! the page says so. The stream ends with the server.

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::header;
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

use super::error::PageError;
use super::shell;
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

/// How often gathered traces are looked at and sent.
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
    let text = filter.clone();
    let (rows, has_any) = console
        .ask(move |connection| {
            let filter = Filter::parse(&text).unwrap_or_default();
            let search = |filter, limit| Search { limit, ..Search::new(Range::ALL, filter) };
            let has_any = !query::find(connection, &search(Filter::default(), 1))?.keys.is_empty();
            Ok((query::summaries(connection, &search(filter, FIRST))?.summaries, has_any))
        })
        .await?;
    let options = console.options();
    let quote = if options.daemon.contains(' ') { "\"" } else { "" };
    let line = format!("export AWS_XRAY_DAEMON_ADDRESS={quote}{}{quote}", options.daemon);
    let content = html! {
        h1 { "Live" }
        form.filter #filter-form action="/" {
            input #filter name="filter" value=(filter) data-slash type="search" autocomplete="off" spellcheck="false"
                aria-label="Filter expression, applied on arrival" placeholder="Filter on arrival: fault OR responsetime > 1";
            button type="submit" { "Filter" }
            button #pause type="button" aria-pressed="false" title="Space" { "Pause" }
            output #rate aria-live="off" { "0 traces/s" }
            svg #spark viewBox="0 0 120 24" width="120" height="24" role="img" aria-label="Traces a second over the last minute" {
                path d="" fill="none" stroke="currentColor" stroke-width="1.5" {}
            }
        }
        p #filter-error.note role="alert" hidden {}
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

async fn tail(
    State(console): State<Console>,
    Extension(stopping): Extension<Stopping>,
    Query(Asked { filter }): Query<Asked>,
) -> Result<Response, PageError> {
    let filter = Filter::parse(&filter).map_err(|err| PageError::bad_request(err.to_string()))?;
    let (sender, receiver) = mpsc::channel(64);
    let stored = console.store().tail();
    tokio::spawn(send(console, stored, filter, sender, stopping));
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, Body::new(Events(receiver))).into_response())
}

/// Sends rows until the browser or the server goes away.
async fn send(
    console: Console,
    mut stored: broadcast::Receiver<Stored>,
    filter: Filter,
    events: mpsc::Sender<Bytes>,
    Stopping(mut stop): Stopping,
) {
    let mut ticks = interval(PAUSE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Complete traces that were not sent, and those that were, so that a later revision replaces its row.
    let mut waiting: Vec<TraceKey> = Vec::new();
    let mut known: HashMap<TraceKey, Instant> = HashMap::new();
    let (mut arrived, mut sent, mut second) = (0_u64, 0_usize, Instant::now());
    if events.send(event("hello", "{}")).await.is_err() {
        return;
    }
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            () = events.closed() => return,
            received = stored.recv() => match received {
                Ok(Stored { partial: true, .. }) => {}
                Ok(Stored { key, .. }) => {
                    if known.insert(key, Instant::now()).is_none() { arrived += 1; }
                    if waiting.len() < ROWS && !waiting.contains(&key) { waiting.push(key); }
                }
                Err(RecvError::Lagged(missed)) => arrived += missed,
                Err(RecvError::Closed) => return,
            },
            _ = ticks.tick() => {
                let room = ROWS.saturating_sub(sent);
                let keys: Vec<TraceKey> = waiting.drain(..waiting.len().min(room)).collect();
                if !keys.is_empty() {
                    let filter = filter.clone();
                    let rows = console.ask(move |connection| {
                        let keys = query::among(connection, &filter, &keys)?;
                        let rows = query::sum_up(connection, &keys)?;
                        Ok(rows.iter().map(|summary| row::live(summary).into_string()).collect::<Vec<_>>())
                    });
                    for row in rows.await.unwrap_or_default() {
                        sent += 1;
                        if events.send(event("trace", &row)).await.is_err() { return; }
                    }
                }
                if second.elapsed() >= Duration::from_secs(1) {
                    let rate = json!({ "arrived": arrived, "shown": sent }).to_string();
                    if events.send(event("rate", &rate)).await.is_err() { return; }
                    (arrived, sent, second) = (0, 0, Instant::now());
                    known.retain(|_, seen| seen.elapsed() < Duration::from_secs(60));
                }
            }
        }
    }
}

fn event(kind: &str, data: &str) -> Bytes {
    let lines: String = data.split(['\n', '\r']).map(|line| format!("data: {line}\n")).collect();
    Bytes::from(format!("event: {kind}\n{lines}\n"))
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
