//! The work that is measured: jobs, the tables' columns, and what a contender is.

pub(crate) mod cpu_clock;

mod exchange;
mod polled;

pub mod jobs;

pub mod contender;

pub mod columns;
