//! Addresses that are no page, such as one with a typing error.
//!
//! The API answers every path that X-Ray does not have, with an error as JSON. A browser gets a page instead, which has the
//! way back.

use axum::Router;
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};

use super::guard;
use super::parts::error::PageError;

/// Puts a page in the place of the API's 404 where a browser asks for one. Wraps the whole router of the port.
pub fn missing(router: Router) -> Router {
    router.layer(from_fn(replace))
}

async fn replace(request: Request, next: Next) -> Response {
    let accept = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let wants_page =
        request.method() == Method::GET && accept.is_some_and(|accept| accept.contains("text/html"));
    let path = request.uri().path().to_owned();
    let response = next.run(request).await;
    let has_page =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind != "application/json");
    if !wants_page || has_page || response.status() != StatusCode::NOT_FOUND {
        return response;
    }
    guard::protect(PageError::not_found(format!("There is no page {path}.")).into_response())
}
