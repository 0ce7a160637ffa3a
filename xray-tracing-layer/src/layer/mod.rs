//! The face to `tracing_subscriber`: the layer, its default filter, and both together.

pub(crate) mod default_filter;
pub(crate) mod filter_mode;
mod filtered;
pub(crate) mod xray_layer;
