//! A stand-in for AWS on a loopback port, with the few responses that the example needs. The first message is refused,
//! as if there had been too many.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, Response};
use tokio::net::TcpListener;

/// Serves for as long as the program runs, at the returned URL.
pub(crate) async fn start() -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async { axum::serve(listener, Router::new().fallback(respond)).await });
    Ok(url)
}

async fn respond(request: Request) -> Response<Body> {
    static REQUESTS: AtomicU32 = AtomicU32::new(1);
    static MESSAGES: AtomicU32 = AtomicU32::new(0);
    let operation = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
    let (status, body) = match (operation.and_then(|target| target.split('.').next_back()), request.method())
    {
        (Some("GetItem"), _) => (200, r#"{"Item":{"id":{"S":"7"}}}"#),
        (Some("SendMessage"), _) if MESSAGES.fetch_add(1, Relaxed) == 0 => {
            (400, r#"{"__type":"com.amazonaws.sqs#RequestThrottled","message":"later"}"#)
        }
        (Some("SendMessage"), _) => (200, r#"{"MessageId":"m1"}"#),
        (None, &Method::PUT) => (200, ""),
        (None, &Method::GET) => (404, "<Error><Code>NoSuchKey</Code><Message>no such key</Message></Error>"),
        _ => (501, ""),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status.try_into().unwrap_or_default();
    let id = format!("R{}", REQUESTS.fetch_add(1, Relaxed));
    let name = if operation.is_some() { "x-amzn-requestid" } else { "x-amz-request-id" };
    response.headers_mut().extend(id.parse().map(|id| (axum::http::HeaderName::from_static(name), id)));
    response
}
