//! Instructions instead of time, for machines that are not quiet.

mod profile;
mod touched;

pub mod gate;
