//! Search for traces.
//!
//! `range` is the question, `plan` the conditions and the indexes that help, `find` the walk over the traces,
//! `minutes` counts them.

mod find;
mod minutes;
pub(in crate::query) mod plan;
mod range;

pub use find::{Found, among, find, matches};
#[cfg(test)]
pub(in crate::query) use find::{Pace, find_at};
pub use range::{Range, RangeKind, Sample, Search};
