//! The contenders: ours in its variants, what it is compared with, and the rivals if they are built in.

mod subscribed;

mod ours;

#[cfg(feature = "rivals")]
pub mod cheapest;

#[cfg(feature = "rivals")]
mod otel;
#[cfg(feature = "rivals")]
mod xray_lite;

#[cfg(feature = "rivals")]
mod fastrace;

#[cfg(feature = "rivals")]
mod rivals;

mod registry;

pub use ours::{BARE, FLOOR, OURS};
pub use registry::{all, named};
#[cfg(feature = "rivals")]
pub(crate) use xray_lite::LAMBDA_HEADER;
