//! One trace: its page, its rows, a span's details, search, and its JSON.
//!
//! ```text
//!  query::spans ─► timeline (rows in order, depth, self time) ─► critical (path), minimap (SVG)
//!                     └─ cache ─► routes: page, rows, span, search, raw
//! ```

mod cache;
mod critical;
mod details;
mod find;
mod minimap;
mod page;
mod preview;
mod routes;
mod timeline;

pub(super) use cache::Cache;
pub(super) use routes::routes;
