//! The two TCP doors as routers.
//!
//! Sizes and times of bodies are bounded by [`serve`](crate::serve), before a request reaches these routers.

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::post;

use super::dispatch;
use super::operation::OPERATIONS;
use super::server::Server;
use crate::model::Door;

/// X-Ray's own door: the API, STS, and these pages on the paths that remain. What neither has is answered as the API
/// answers unknown paths.
///
/// Serve it with `into_make_service_with_connect_info::<SocketAddr>()`, so that policies see the client's address.
pub fn api_router(server: &Server, pages: Router) -> Router {
    let mut router = Router::new().route("/", post(api));
    for operation in &OPERATIONS {
        router = router.route(operation.path, axum::routing::any(api));
    }
    let unknown = Router::new().fallback(api).with_state(server.clone());
    let shared = server.clone();
    let router = router
        .with_state(server.clone())
        .merge(pages)
        // A path of the pages with a method of the API's, such as `POST /traces`, is an unknown operation.
        .method_not_allowed_fallback(move |request: Request| dispatch::answer(shared, Door::Api, request))
        .fallback_service(unknown);
    router.layer(from_fn_with_state(server.clone(), guard))
}

/// The daemon's door: the API, unsigned, as the identity `daemon`.
pub fn daemon_router(server: &Server) -> Router {
    Router::new().fallback(daemon).with_state(server.clone())
}

async fn api(State(server): State<Server>, request: Request) -> Response {
    dispatch::answer(server, Door::Api, request).await
}

async fn daemon(State(server): State<Server>, request: Request) -> Response {
    dispatch::answer(server, Door::Daemon, request).await
}

/// Lets no foreign site near the pages either, and answers presigned calls of STS.
async fn guard(State(server): State<Server>, request: Request, next: Next) -> Response {
    let is_foreign = server.0.hosts.check(request.method(), request.headers()).is_err();
    if is_foreign || dispatch::is_presigned_sts(&request) {
        return dispatch::answer(server, Door::Api, request).await;
    }
    next.run(request).await
}
