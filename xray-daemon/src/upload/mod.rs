//! Batches, retries and concurrency: what is sent when, and what an answer means.
//!
//! ```text
//!            push                    next                    Call
//!  receive ────────► Engine ◄───────────────────► Driver ◄────────► X-Ray
//!                      │ Backlog, Gate, Limit,      │ ▲
//!                      │ Allowance, Index           ▼ │ blocking
//!                      └─ no clock, no network      Disk
//! ```
//!
//! The [`Engine`] decides: a state machine without clock, network, disk or randomness of its own, so that a
//! simulation can run it through years of faults in a second. The driver does what the engine says.

mod settings;

mod verdict;

mod limit;

mod gate;

mod allowance;

mod note;

mod flights;

mod job;

mod engine;

mod answers;

mod spooling;

mod clock;

mod news;

mod driver;

#[cfg(test)]
mod simulation;

pub use clock::Clock;
pub use driver::{Deadline, Uploads, drive};
pub use engine::{Engine, Next, Request};
pub use job::{DiskJob, DiskResult, LoadError};
pub use note::Note;
pub use settings::{Now, Settings, SpoolLimits};
pub use verdict::{Unprocessed, Verdict, judge};
