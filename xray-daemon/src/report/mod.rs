//! Reports about the daemon itself: log, telemetry, metrics, health, systemd.
//!
//! Everything here reads: the counters, the sizes of the other rooms, the state of credentials and clock. No other room
//! but `run` imports from here.

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
