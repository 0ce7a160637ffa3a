//! What the daemon says of itself: counters, telemetry, metrics, health, log.
//!
//! [`counters`] is below all other rooms, which count in it; the rest of this room only reads.

pub mod counters;
