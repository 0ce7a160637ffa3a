//! What the daemon says of itself: counters, telemetry, metrics, health, log.
//!
//! [`counters`] and [`heartbeat`] are below all other rooms, which count in them; the rest of this room only reads.

pub mod counters;

pub mod heartbeat;

pub mod log;

mod log_file;

pub mod host;

pub mod telemetry;

pub mod summary;

pub mod metrics;

pub mod health;

pub mod health_socket;

pub mod admin;

pub mod notify;

pub mod signals;
