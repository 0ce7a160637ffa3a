//! The cost of a span: the same jobs for us and for the rivals, side by side in one process.
//!
//! ```text
//!  workload      what is done, in `tracing`'s words, and what a contender is
//!  contenders    who does it: the floor, ours, and the same in the rivals' words (feature `rivals`)
//!  harness       clocks and medians; who receives it: a child process; who counts allocations
//!  report        costs, threads, trace size, delivery: a table each, as Markdown and as a picture
//!  instructions  the gate, for machines that are not quiet
//!  sender        what the queue costs for a document     handover   and within requests
//!  bare_send     what the kernel takes for a datagram, bare and by the emitter
//!  memory        bytes per span     decisions   what central sampling costs     fork   what a guard against it would
//! ```
//! `benches/compare.rs` measures time with the system's allocator; `main.rs` counts allocations, and is the
//! receiver. Times of a binary that counts its allocations would be unfair to contenders that allocate.

pub mod workload;

pub mod bare_send;
pub mod contenders;

pub mod harness;

pub mod report;

pub mod handover;
pub mod sender;

pub mod instructions;

pub mod memory;

pub mod decisions;

pub mod fork;
