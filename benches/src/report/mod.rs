//! One table each, and how they are shown.

pub mod effort;

pub mod costs;

pub mod delivery;

pub mod threads;

pub mod trace_size;

pub mod markdown;

#[cfg(feature = "rivals")]
pub mod chart;
