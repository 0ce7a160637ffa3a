//! The two ids that travel: [`TraceId`] names a trace, [`SegmentId`] one piece of work in it.
//!
//! Values and their string forms only. Randomness comes from `entropy`, time from `clock`; the trace header and
//! the documents are built on top and never seen from here. The layer makes one segment id per span, so making
//! and encoding one costs a few nanoseconds and no allocation.

mod clock;
mod entropy;
mod hex;

mod error;
mod segment_id;
mod trace_id;

pub(crate) use clock::epoch_seconds;
#[cfg(feature = "central-sampling")]
pub(crate) use clock::epoch_time;
pub use entropy::reseed;
pub(crate) use entropy::{fast_u64, stir};
pub use error::ParseIdError;
pub use segment_id::SegmentId;
pub use trace_id::TraceId;

#[doc(hidden)]
pub mod internal {
    //! Functions on ids for the tracing layer. Exempt from semantic versioning.

    pub use super::entropy::stir as stir_ids;
}

#[cfg(test)]
mod tests;
