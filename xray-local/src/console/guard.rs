//! Protection of the pages: the content policy on every answer, and a token beyond loopback.
//!
//! Hosts and origins are checked before, by [`access::Hosts`](crate::access::Hosts) at the door. The token comes in
//! the address once (`?token=...`) and moves to a cookie that other sites can't send.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq as _;

use super::parts::error::PageError;
use super::state::Console;

/// Scripts, styles and connections of this server alone; nothing inline, no frames, no other host.
pub(super) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Adds the security headers to every answer of the pages.
pub(super) async fn headers(request: Request, next: Next) -> Response {
    protect(next.run(request).await)
}

/// Adds the security headers to an answer.
pub(super) fn protect(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Lets a request pass that brings the token, if there is one to bring.
pub(super) async fn token(State(console): State<Console>, request: Request, next: Next) -> Response {
    let Some(token) = &console.options().token else { return next.run(request).await };
    if from_cookie(request.headers()).is_some_and(|brought| is_equal(brought, token)) {
        return next.run(request).await;
    }
    let query = request.uri().query().unwrap_or_default();
    let mut rest = form_urlencoded::Serializer::new(String::new());
    let mut is_right = false;
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        if key == "token" {
            is_right |= is_equal(&value, token);
        } else {
            rest.append_pair(&key, &value);
        }
    }
    if !is_right {
        let message =
            "Open the console with the address that xray-local printed when it started: it carries a token.";
        return PageError::new(StatusCode::UNAUTHORIZED, message).into_response();
    }
    let rest = rest.finish();
    let path = request.uri().path();
    let target = if rest.is_empty() { path.to_owned() } else { format!("{path}?{rest}") };
    let cookie = format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict");
    (StatusCode::SEE_OTHER, [(header::LOCATION, target), (header::SET_COOKIE, cookie)]).into_response()
}

fn from_cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

fn is_equal(brought: &str, token: &str) -> bool {
    brought.as_bytes().ct_eq(token.as_bytes()).into()
}

const COOKIE: &str = "xray_local";
