//! The nouns that live between two callbacks: records, their table, the clock, the counters.
//!
//! No user code runs here, no socket is opened, and no macro of `tracing` is used.

pub(crate) mod clock;
pub(crate) mod closing_span;
pub(crate) mod in_flight_commands;
pub(crate) mod placement;
pub(crate) mod pool;
pub(crate) mod process;
pub(crate) mod record;
pub(crate) mod stats;
mod sync;
pub(crate) mod table;
pub(crate) mod tail;
pub(crate) mod thread;
pub(crate) mod unsampled;
pub(crate) mod waiting;
