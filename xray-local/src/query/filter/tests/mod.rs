//! The language: what parses and to what, what is refused and where, what is suggested.

mod accepted;
mod completion;
pub(in crate::query) mod generate;
mod page;
mod refused;
mod round_trip;
