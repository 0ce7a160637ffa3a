//! The face to `tracing_subscriber`: the layer, its default filter, and the way from a span to its record.

#[cfg(feature = "http")]
pub(crate) mod carried;
pub(crate) mod default_filter;
pub(crate) mod filter_mode;
pub(crate) mod filtered;
pub(crate) mod find;
#[cfg(feature = "http")]
pub(crate) mod headers;
pub(crate) mod panic_hook;
#[cfg(feature = "fmt")]
pub(crate) mod registered;
#[cfg(feature = "aws-sdk")]
pub(crate) mod tracked_span;
pub(crate) mod xray_layer;
