//! Instructions instead of time, for machines that are not quiet.

mod profile;

pub mod gate;
