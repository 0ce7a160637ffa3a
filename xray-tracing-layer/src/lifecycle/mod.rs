//! The verbs: one file for each callback, library event or decision, as methods of [`Core`](core::Core).
//!
//! The files are listed in the order of a span's life. Nothing here reads the environment, knows the builder,
//! or uses `tracing`'s macros.

pub(crate) mod core;

pub(crate) mod aws_response_event;
pub(crate) mod breadcrumb;
pub(crate) mod close;
pub(crate) mod closing;
pub(crate) mod emit_early;
pub(crate) mod entered;
pub(crate) mod finished_call;
pub(crate) mod open;
pub(crate) mod opening;
pub(crate) mod propagation;
pub(crate) mod stream;
pub(crate) mod unsampled;
pub(crate) mod update;
