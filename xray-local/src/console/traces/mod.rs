//! The list of traces: filter box, chips, histogram, pages, and what differs between selected traces and the rest.
//!
//! ```text
//!  asked (the address) ─► page ─► row, chips, compare, none (which condition removed everything)
//!  assist               ─► completion and checks of the filter box
//! ```

mod asked;
mod assist;
mod chips;
mod none;
mod page;
pub(super) mod row;

use axum::Router;
use axum::routing::get;

use super::state::Console;

/// The routes of the list.
pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route("/traces", get(page::traces))
        .route("/console/complete", get(assist::complete))
        .route("/console/check", get(assist::check))
}
