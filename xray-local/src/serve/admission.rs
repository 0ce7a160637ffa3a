//! Bounds of a request: bytes, and time.
//!
//! A body is read under a share of [`BODIES`] bytes that all requests have together, so that many large bodies wait
//! for each other instead of filling the memory. A client that sends slower than [`PATIENCE`] allows gets 408.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::model::limits;

/// Bytes of bodies that are read at one time, over all connections.
const BODIES: usize = 48 * 1024 * 1024;

/// Longest time for a body to arrive, and to wait for its share.
const PATIENCE: Duration = Duration::from_secs(30);

/// Admits requests: their bodies are read, within bounds, before anything else sees them.
#[derive(Clone, Debug)]
pub struct Admission(Arc<Semaphore>);

impl Default for Admission {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(BODIES)))
    }
}

/// Reads the body of a request within bounds and hands it on as one piece.
pub async fn admit(State(admission): State<Admission>, request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let stated =
        parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if stated.is_some_and(|length| length > limits::REQUEST_BYTES as u64) {
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLargeException", &too_large());
    }
    let share = stated.map_or(limits::REQUEST_BYTES, |length| length as usize) as u32;
    let read = async {
        let permit = admission.0.acquire_many(share).await.map_err(|_| None)?;
        let bytes = Limited::new(body, limits::REQUEST_BYTES).collect().await.map_err(Some)?.to_bytes();
        Ok::<_, Option<Box<dyn std::error::Error + Send + Sync>>>((permit, bytes))
    };
    let (permit, bytes): (_, Bytes) = match timeout(PATIENCE, read).await {
        Ok(Ok(read)) => read,
        Ok(Err(Some(err))) if err.is::<LengthLimitError>() => {
            return refuse(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLargeException", &too_large());
        }
        Ok(Err(_)) => return refuse(StatusCode::BAD_REQUEST, "SerializationException", "the body broke off"),
        Err(_) => {
            let message = format!("the body did not arrive within {} seconds", PATIENCE.as_secs());
            return refuse(StatusCode::REQUEST_TIMEOUT, "RequestTimeoutException", &message);
        }
    };
    let response = next.run(Request::from_parts(parts, Body::from(bytes))).await;
    drop(permit);
    response
}

fn too_large() -> String {
    format!("a request's body has at most {} bytes", limits::REQUEST_BYTES)
}

/// An error in the form that SDKs read.
fn refuse(status: StatusCode, kind: &'static str, message: &str) -> Response {
    let body = serde_json::json!({"__type": kind, "Message": message}).to_string();
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("x-amzn-errortype", HeaderValue::from_static(kind));
    // The rest of the body may still be on its way.
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
