//! One trace: its page, its rows, a span's details, search, and its JSON.
//!
//! ```text
//!  timeline (rows, from the cache) ─► routes ─► page, minimap (SVG), details, preview, find
//!  query::traces                   ─► routes ─► raw JSON
//! ```

mod details;
mod exceptions;
mod find;
mod minimap;
mod page;
mod preview;
mod routes;

pub(super) use routes::routes;
