//! A trace as a list of rows: order of the tree, own times, critical path, gaps, and what is odd about a row.
//!
//! ```text
//!  query::spans ─► rows (order, depth, flags) ─► critical (own times, path, gaps) ─► cache (the latest traces)
//! ```
//!
//! Nothing in this folder writes HTML; [`trace`](super::trace) draws these rows.

mod cache;
mod critical;
mod row;
mod rows;

pub(super) use cache::Cache;
pub(super) use row::{INFERRED, OPEN, ORPHAN, SEGMENT, WAITING};
pub(super) use rows::Timeline;
