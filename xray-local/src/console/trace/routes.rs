//! Routes of one trace: the page, rows, details, search, JSON.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use rusqlite::Connection;
use serde::Deserialize;
use serde_json::{Value, json};
use xray_sdk::TraceId;

use super::page::{self, Shown};
use super::{details, find, preview};
use crate::console::map;
use crate::console::parts::error::PageError;
use crate::console::parts::order;
use crate::console::state::Console;
use crate::console::timeline::Timeline;
use crate::model::parse_trace_id;
use crate::query;
use crate::store;

/// Linked traces that are listed.
const LINKED: usize = 50;

/// The routes of traces.
pub(in crate::console) fn routes() -> Router<Console> {
    Router::new()
        .route("/trace", get(go))
        .route("/trace/{id}", get(trace))
        .route("/trace/{id}/raw", get(raw))
        .route("/console/preview/{id}", get(preview))
        .route("/console/trace/{id}/revision", get(revision))
        .route("/console/trace/{id}/rows", get(rows))
        .route("/console/trace/{id}/search", get(search))
        .route("/console/trace/{id}/span/{span}", get(span))
}

#[derive(Deserialize)]
struct Id {
    #[serde(default)]
    id: String,
}

/// From the box for ids to the trace.
async fn go(State(console): State<Console>, Query(Id { id }): Query<Id>) -> Result<Redirect, PageError> {
    let found = console.ask(move |connection| resolve(connection, &id)).await?;
    Ok(Redirect::to(&format!("/trace/{found}")))
}

/// The trace that an id, a header or the beginning of an id names.
fn resolve(connection: &Connection, text: &str) -> Result<TraceId, PageError> {
    let text = text.trim();
    // Within a longer string, such as the address of AWS's console.
    let inside = || {
        let at = text.find("1-").filter(|at| text.is_char_boundary(at + 2))?;
        parse_trace_id(text.get(at..at + 35)?).ok()
    };
    if let Some(id) = parse_trace_id(text).ok().or_else(inside) {
        return Ok(id);
    }
    let digits: String = text.strip_prefix("1-").unwrap_or(text).chars().filter(|c| *c != '-').collect();
    match store::find_by_prefix(connection, &digits.to_ascii_lowercase(), 2)?.as_slice() {
        [one] => Ok(*one),
        [] => Err(PageError::not_found(format!(
            "\"{text}\" names no trace. Accepted are X-Ray's id, a W3C id or traceparent, a whole X-Amzn-Trace-Id \
             header, and the beginning of the id of a stored trace."
        ))),
        _ => Err(PageError::bad_request(format!(
            "Several traces begin with \"{text}\". Write more of the id."
        ))),
    }
}

async fn trace(State(console): State<Console>, Path(id): Path<String>) -> Result<Response, PageError> {
    let this = console.clone();
    let asked = id.clone();
    let shown = console.ask(move |connection| show(connection, &this, &asked)).await?;
    Ok(match shown {
        Ok(page) => page.into_response(),
        Err(canonical) => Redirect::to(&format!("/trace/{canonical}")).into_response(),
    })
}

/// The page, or the id under which it is.
fn show(
    connection: &Connection,
    console: &Console,
    asked: &str,
) -> Result<Result<Html<String>, TraceId>, PageError> {
    let id = resolve(connection, asked)?;
    if id.to_string() != asked {
        return Ok(Err(id));
    }
    let held = store::find(connection, id)?;
    // Before the timeline, so that a document that arrives meanwhile is seen as a change.
    let revision = held.as_ref().map(|held| query::revision(connection, held.key)).transpose()?;
    let timeline = console.traces().timeline(connection, id)?;
    let keys: Vec<_> = held.iter().map(|held| held.key).collect();
    let summaries = query::sum_up(connection, &keys)?;
    let (Some(held), Some(summary)) = (held, summaries.first()) else {
        return Err(PageError::not_found(format!("No trace {id} is stored here.")));
    };
    let linked = query::sum_up(connection, &query::linked(connection, held.key, LINKED)?)?;
    let graph = query::trace_graph(connection, &[id])?;
    let map = map::draw(&graph, &map::Asked { trace: id.to_string(), ..map::Asked::default() }, None);
    let endpoint = &console.options().endpoint;
    let revision = revision.unwrap_or_default();
    let shown = Shown { id, revision, summary, timeline: &timeline, linked: &linked, map, endpoint };
    Ok(Ok(page::page(&shown)))
}

/// Asks for the timeline of a trace, and answers from it.
async fn of_timeline<T: Send + 'static>(
    console: Console,
    id: String,
    answer: impl FnOnce(Arc<Timeline>) -> Result<T, PageError> + Send + 'static,
) -> Result<T, PageError> {
    let this = console.clone();
    console
        .ask(move |connection| {
            let id = parse_trace_id(&id).map_err(|err| PageError::bad_request(err.to_string()))?;
            answer(this.traces().timeline(connection, id)?)
        })
        .await
}

/// The short picture of the live page.
async fn preview(State(console): State<Console>, Path(id): Path<String>) -> Result<Html<String>, PageError> {
    let own = id.clone();
    of_timeline(console, id, move |timeline| Ok(order::written(preview::preview(&own, &timeline))))
        .await
        .map(Html)
}

/// The revision of a trace, by which a page sees that another document has arrived.
async fn revision(
    State(console): State<Console>,
    Path(id): Path<String>,
) -> Result<axum::Json<Value>, PageError> {
    let revision = console
        .ask(move |connection| {
            let id = parse_trace_id(&id).map_err(|err| PageError::bad_request(err.to_string()))?;
            let held = store::find(connection, id)?;
            let held = held.ok_or_else(|| PageError::not_found(format!("No trace {id} is stored here.")))?;
            Ok(query::revision(connection, held.key)?)
        })
        .await?;
    Ok(axum::Json(json!({ "revision": revision })))
}

async fn rows(State(console): State<Console>, Path(id): Path<String>) -> Result<Response, PageError> {
    let columns = of_timeline(console, id, |timeline| Ok(timeline.columns())).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], columns).into_response())
}

#[derive(Deserialize)]
struct Words {
    #[serde(default)]
    q: String,
}

async fn search(
    State(console): State<Console>,
    Path(id): Path<String>,
    Query(Words { q }): Query<Words>,
) -> Result<axum::Json<Value>, PageError> {
    let found = of_timeline(console, id, move |timeline| Ok(find::find(&timeline, &q))).await?;
    Ok(axum::Json(json!({ "rows": found })))
}

async fn span(
    State(console): State<Console>,
    Path((id, span)): Path<(String, String)>,
) -> Result<Html<String>, PageError> {
    let part = of_timeline(console, id, move |timeline| {
        let at = timeline.position(&span);
        let at = at.ok_or_else(|| PageError::not_found(format!("The trace has no span {span}.")))?;
        Ok(order::written(details::details(&timeline, at)))
    });
    part.await.map(Html)
}

#[derive(Deserialize)]
struct Download {
    download: Option<String>,
}

/// Writes the trace as `BatchGetTraces` returns one.
async fn raw(
    State(console): State<Console>,
    Path(id): Path<String>,
    Query(Download { download }): Query<Download>,
) -> Result<Response, PageError> {
    let (id, json) = console
        .ask(move |connection| {
            let id = resolve(connection, &id)?;
            let found = query::traces(connection, &[id])?;
            let trace = found.traces.first();
            let trace =
                trace.ok_or_else(|| PageError::not_found(format!("No trace {id} is stored here.")))?;
            let segments: Vec<Value> =
                trace.segments.iter().map(|(id, document)| json!({"Id": id, "Document": document})).collect();
            let traces = json!({"Traces": [{
                "Id": id.to_string(),
                "Duration": trace.duration.rounded_seconds(),
                "LimitExceeded": trace.limit_exceeded,
                "Segments": segments,
            }]});
            Ok((id, serde_json::to_string_pretty(&traces).unwrap_or_default()))
        })
        .await?;
    let mut response = ([(header::CONTENT_TYPE, "application/json")], json).into_response();
    if download.is_some()
        && let Ok(value) = format!("attachment; filename=\"{id}.json\"").parse()
    {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}
