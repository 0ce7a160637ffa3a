//! The time of spans: a counter that is cheap to read, the clock that proves it right, and the wall clock.
//!
//! Nothing here is read before a span opens. The wall clock is read by the layer in this room only.

mod agreement;
#[expect(clippy::module_inception, reason = "the room is named after its noun")]
mod clock;
#[cfg(feature = "processor-clock")]
mod processor;
#[cfg(test)]
mod script;
#[cfg(test)]
mod tests;

pub(crate) use clock::{Clock, Ticks};
