//! The service map: SVG from the server's layout, a panel for the chosen node or edge, and a table of the same.
//!
//! ```text
//!  asked ─► query (service_graph, graph_of, trace_graph) ─► picture (SVG), table, panel
//!  panel's form ─► /console/map/traces ─► the filter expression ─► /traces
//! ```

mod asked;
mod page;
mod panel;
mod picture;
mod table;

use axum::Router;
use axum::routing::get;

use super::state::Console;

pub(super) use asked::Asked;
pub(super) use picture::draw;

/// The routes of the map.
pub(super) fn routes() -> Router<Console> {
    Router::new().route("/map", get(page::map)).route("/console/map/traces", get(panel::traces))
}
