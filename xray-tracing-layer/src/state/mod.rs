//! The nouns that live between two callbacks: records, their table, the clock, the counters.
//!
//! No user code runs here, no socket is opened, and no macro of `tracing` is used.

pub(crate) mod clock;
pub(crate) mod lambda;
pub(crate) mod origin;
pub(crate) mod record;
pub(crate) mod stats;
pub(crate) mod table;
