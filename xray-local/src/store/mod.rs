//! One SQLite file: one thread that writes, connections that read, and the live tail.
//!
//! ```text
//!  datagrams ──offer──┐                       ┌─ blocks, documents, shapes
//!  PutTraceSegments ──put──► writer thread ──►├─ traces, segments, calls, … (compiled anew per touched trace)
//!  rules, identities ─write─┘   one transaction└─ minutes of the map
//!                               per batch      └─► tail (after the commit)
//!  questions ─────────read──► connections of their own, never blocked by the writer
//! ```
//!
//! Everything handed in within a batch is committed together, at most [`BATCH`] later, and `put` and `write` return
//! after the commit. The tables are documented in `file/schema.sql`.

mod checker;
mod counters;
mod documents;
mod error;
mod file;
mod handle;
mod job;
mod live;
mod overview;
mod problems;
mod retention;
mod traces;
mod writer;

#[cfg(test)]
mod tests;

pub use counters::Counts;
pub use documents::{Held, documents, find, find_by_prefix};
pub use error::{OpenError, StoreError};
pub use file::{Options, Place, beside};
pub use handle::Store;
pub use job::{Matcher, Stored, Verdicts};
pub use overview::{Recorded, latest_problems, size, totals, traces};
pub use problems::{Harm, Trouble};
pub use traces::Histogram;
pub use writer::BATCH;
