//! Pages about the server rather than about traces: rules, groups, access, problems, status.

mod access;
mod groups;
mod problems;
mod rules;
mod status;
mod tried;

use axum::Router;
use axum::routing::get;

use super::state::Console;

/// The routes of these pages.
pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route("/rules", get(rules::page))
        .route("/groups", get(groups::page))
        .route("/access", get(access::page))
        .route("/problems", get(problems::page))
        .route("/status", get(status::page))
}
