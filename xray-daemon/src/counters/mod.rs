//! The counts of the daemon: each document's fate, each call's outcome, and a thread's signs of life.
//!
//! Below all rooms that count in it, and above none of them: nothing here knows how a number comes about or who reads
//! it. `receive` and `upload` write, `report` and `run` read.

mod counts;

mod heartbeat;

pub use counts::{CallErrors, Counters, Counts, Dropped, Reason};
pub use heartbeat::Heartbeat;
