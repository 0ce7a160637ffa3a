//! What a span costs: the same jobs for us and for the rivals, side by side in one process.
//!
//! ```text
//!  jobs        what is done, in `tracing`'s words
//!  contenders  who does it: the floor, ours         rivals   the same in their words (feature `rivals`)
//!  sink        who receives it: a child process     meter    clocks, medians
//!  costs, threads, growth, arrivals                 one table each
//!  table, chart                                     how it is shown
//!  memory, gate                                     bytes; instructions, for machines that are not quiet
//!  decisions                                        what central sampling costs
//! ```
//! `benches/compare.rs` measures time with the system's allocator; `main.rs` counts allocations, and is the
//! sink. Times of a binary that counts its allocations would be unfair to whoever allocates.

pub mod jobs;

pub mod sink;

pub mod contenders;

#[cfg(feature = "rivals")]
mod rivals;

pub mod lambda;

mod meter;

pub mod costs;

pub mod threads;

pub mod growth;

pub mod arrivals;

pub mod table;

#[cfg(feature = "rivals")]
pub mod chart;

pub mod memory;

pub mod gate;

mod annotate;

pub mod counts;

pub mod decisions;
