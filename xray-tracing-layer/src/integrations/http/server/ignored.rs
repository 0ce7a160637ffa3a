//! Requests of which no trace is wanted: health checks, and what a program says.
//!
//! Such a request has a span that is never recorded, and neither is what happens inside of it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use ::http::header::USER_AGENT;
use ::http::{HeaderMap, Method, Request, Uri};
use tracing::{Span, info_span};

/// The head of a request, for [`XrayHttpLayer::ignore`](crate::XrayHttpLayer::ignore).
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    method: &'a Method,
    uri: &'a Uri,
    headers: &'a HeaderMap,
}

impl<'a> RequestHead<'a> {
    pub(super) fn of<B>(request: &'a Request<B>) -> Self {
        Self { method: request.method(), uri: request.uri(), headers: request.headers() }
    }

    /// Returns the method.
    #[must_use]
    pub fn method(&self) -> &'a Method {
        self.method
    }

    /// Returns the URI, which is the path in most requests.
    #[must_use]
    pub fn uri(&self) -> &'a Uri {
        self.uri
    }

    /// Returns the headers.
    #[must_use]
    pub fn headers(&self) -> &'a HeaderMap {
        self.headers
    }
}

/// A function that says whether a request is ignored.
pub(super) type Ignores = fn(&RequestHead<'_>) -> bool;

/// Returns whether a request is ignored; `None` if the function panics, which ignores none.
pub(super) fn is_ignored(ignores: Ignores, head: RequestHead<'_>) -> Option<bool> {
    // A method, a URI and headers are as they were, whatever a look at them did.
    catch_unwind(AssertUnwindSafe(|| ignores(&head))).ok()
}

/// Opens a span that is not recorded, for an ignored request. A call made inside carries `Sampled=0`.
pub(super) fn ignored_span() -> Span {
    info_span!(target: "xray_tracing_layer::http", "ignored HTTP request", xray.sampled = false)
}

/// Returns whether a request is the health check of a load balancer or an orchestrator, by its path or its user agent.
pub(super) fn is_health_check(head: &RequestHead<'_>) -> bool {
    let agent = head.headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let path = head.uri.path();
    let path = path.strip_suffix('/').unwrap_or(path);
    head.method == Method::HEAD && path.is_empty()
        || PATHS.contains(&path)
        || AGENTS.iter().any(|known| agent.starts_with(known))
}

/// Paths of health checks, as frameworks and Kubernetes' documentation have them.
const PATHS: &[&str] = &[
    "/health",
    "/healthz",
    "/health/live",
    "/health/ready",
    "/livez",
    "/readyz",
    "/live",
    "/ready",
    "/ping",
    "/healthcheck",
    "/health-check",
    "/_health",
];

/// User agents of load balancers and orchestrators, by their beginning.
const AGENTS: &[&str] =
    &["ELB-HealthChecker/", "kube-probe/", "Amazon-Route53-Health-Check-Service", "GoogleHC/"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_checks_are_recognized_by_path_or_agent() {
        for (method, path, agent, expected) in [
            ("GET", "/health", "", true),
            ("GET", "/healthz/", "", true),
            ("GET", "/orders", "ELB-HealthChecker/2.0", true),
            ("GET", "/", "kube-probe/1.31", true),
            ("HEAD", "/", "", true),
            ("GET", "/", "", false),
            ("GET", "/healthy-food", "curl/8", false),
            ("POST", "/orders/health", "", false),
        ] {
            let request =
                Request::builder().method(method).uri(path).header(USER_AGENT, agent).body(()).unwrap();
            assert_eq!(is_health_check(&RequestHead::of(&request)), expected, "{method} {path} {agent}");
        }
    }
}
