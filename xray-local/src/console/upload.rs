//! Documents from the browser: files that are dropped on a page, and demo traffic.
//!
//! Bodies are JSON, so that a form of another site can't send one; the door checks the origin besides.

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use axum::{Json, http::StatusCode};
use serde_json::{Value, json};

use super::parts::error::PageError;
use super::state::Console;
use crate::demo;
use crate::ingest;
use crate::model::{Door, now};

/// Requests of the demo.
const REQUESTS: usize = 200;

pub(super) fn routes() -> Router<Console> {
    Router::new().route("/console/upload", post(upload)).route("/console/demo", post(send_demo))
}

async fn upload(
    State(console): State<Console>,
    Json(documents): Json<Vec<String>>,
) -> Result<Json<Value>, PageError> {
    if documents.is_empty() {
        return Err(PageError::new(StatusCode::BAD_REQUEST, "The file holds no documents."));
    }
    let documents: Vec<String> = documents.into_iter().flat_map(ingest::split).collect();
    let trace = documents.first().and_then(|document| ingest::trace_id(document.as_bytes()));
    let is_one = documents.iter().all(|document| ingest::trace_id(document.as_bytes()) == trace);
    let mut answer = put(&console, documents).await?;
    if let Some(trace) = trace.filter(|_| is_one) {
        answer["trace"] = Value::from(trace.to_string());
    }
    Ok(Json(answer))
}

async fn send_demo(State(console): State<Console>, _: Json<Value>) -> Result<Json<Value>, PageError> {
    let now = now();
    put(&console, demo::documents(now, REQUESTS, now.0.unsigned_abs())).await.map(Json)
}

async fn put(console: &Console, documents: Vec<String>) -> Result<Value, PageError> {
    let count = documents.len();
    let documents = documents.into_iter().map(String::into_bytes).collect();
    let verdicts = console.store().put(documents, Door::Console).await?;
    let refused: Vec<String> = verdicts
        .into_iter()
        .flatten()
        .map(|refused| format!("{}: {}", refused.code, refused.message))
        .collect();
    Ok(json!({ "sent": count, "refused": refused }))
}
