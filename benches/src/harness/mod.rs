//! The means of measurement: clocks and medians, the process that receives, the one that counts allocations.

pub mod environment;

pub mod receiver;

pub(crate) mod meter;

pub mod allocations;
