//! A request from its first byte to its answer: host, path, signature, policies, members, operation, in this order.
//!
//! So an unsigned request with a malformed body is answered with 403, as AWS does it, and a caller without
//! permission does not learn what the body should have been.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};

use super::ask::asked;
use super::call::Call;
use super::error::ApiError;
use super::operation::{self, Operation};
use super::server::{Server, Shared};
use super::shape;
use crate::access::signature::Received;
use crate::access::{Caller, Origin, sts};
use crate::model::{Door, limits, now};
use crate::store::StoreError;

/// Answers a request to a path of the API, or to STS.
pub(super) async fn answer(server: Server, door: Door, request: Request) -> Response {
    let id = request_id();
    let (parts, body) = request.into_parts();
    if let Err(refusal) = server.0.hosts.check(&parts.method, &parts.headers) {
        return error(&ApiError::new(StatusCode::FORBIDDEN, "AccessDeniedException", refusal), &id);
    }
    let is_root = parts.uri.path() == "/" && door == Door::Api;
    let operation = operation::find(parts.uri.path()).filter(|_| parts.method == Method::POST);
    if operation.is_none() && !is_root {
        return error(&ApiError::unknown_operation(), &id);
    }
    let body = match read_body(body).await {
        Ok(body) => body,
        Err(err) => return error(&err, &id),
    };
    let own_id = id.clone();
    let answered = tokio::task::spawn_blocking(move || match operation {
        Some(operation) => respond(server, operation, door, &parts, &body, &own_id),
        None => respond_sts(&server, &parts, &body, &own_id),
    })
    .await;
    answered.unwrap_or_else(|_| error(&StoreError::Closed.into(), &id))
}

/// Reports whether a request beside the API's own paths is for STS: a presigned URL that is opened with `GET`.
pub(super) fn is_presigned_sts(request: &Request) -> bool {
    request.uri().path() == "/"
        && sts::is_call(&Received {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            body: &[],
        })
}

fn respond(
    server: Server,
    operation: &'static Operation,
    door: Door,
    parts: &Parts,
    body: &[u8],
    id: &str,
) -> Response {
    match run(server, operation, door, parts, body) {
        Ok(answer) => response(StatusCode::OK, "application/json", answer.to_string(), id),
        Err(err) => error(&err, id),
    }
}

fn run(
    server: Server,
    operation: &'static Operation,
    door: Door,
    parts: &Parts,
    bytes: &[u8],
) -> Result<Value, ApiError> {
    let origin = origin(parts);
    let parsed = parse(bytes);
    let body = parsed.clone().unwrap_or_else(|_| json!({}));
    let Shared { store, guard, .. } = &*server.0;
    let caller: Caller = store.read(|connection| {
        let caller = match door {
            Door::Daemon => guard.daemon(connection, origin)?,
            _ => guard.identify(connection, &received(parts, bytes), "xray", origin)?,
        };
        let asked = asked(connection, store.home(), operation.name, &body)?;
        guard.authorize(connection, &caller, &asked, door, origin.now)?;
        Ok::<_, ApiError>(caller)
    })?;
    let body = parsed?;
    shape::check(operation.members, &body)?;
    let call =
        Call { server: server.clone(), operation: operation.name, body, caller, door, now: origin.now };
    (operation.answer)(&call)
}

/// SDKs send `{}` or nothing where there is nothing to say.
fn parse(bytes: &[u8]) -> Result<Value, ApiError> {
    if bytes.is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_slice(bytes).map_err(|err| {
        ApiError::new(
            StatusCode::BAD_REQUEST,
            "SerializationException",
            format!("The body is no JSON document: {err}"),
        )
    })
}

fn respond_sts(server: &Server, parts: &Parts, body: &[u8], id: &str) -> Response {
    let received = received(parts, body);
    if !sts::is_call(&received) {
        return error(&ApiError::unknown_operation(), id);
    }
    let (status, xml) = sts::respond(&server.0.store, &server.0.guard, &received, origin(parts), id);
    response(status, "text/xml", xml, id)
}

/// Reads the body, which [`serve`](crate::serve) has bounded in size and time.
async fn read_body(body: Body) -> Result<Bytes, ApiError> {
    axum::body::to_bytes(body, limits::REQUEST_BYTES).await.map_err(|_| {
        ApiError::invalid(format!("The body must be whole and have at most {} bytes", limits::REQUEST_BYTES))
    })
}

fn received<'a>(parts: &'a Parts, body: &'a [u8]) -> Received<'a> {
    Received { method: &parts.method, uri: &parts.uri, headers: &parts.headers, body }
}

fn origin(parts: &Parts) -> Origin {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let address = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |ConnectInfo(peer)| peer.ip());
    Origin { address, now: now() }
}

fn error(err: &ApiError, id: &str) -> Response {
    let mut response = response(err.status, "application/json", err.body().to_string(), id);
    response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(err.code));
    response
}

fn response(status: StatusCode, content_type: &'static str, body: String, id: &str) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert("x-amzn-requestid", id);
    }
    response
}

/// A random UUID. Without randomness, one of zeros: it is for logs alone.
fn request_id() -> String {
    let mut bytes = [0_u8; 16];
    let _ = getrandom::fill(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
