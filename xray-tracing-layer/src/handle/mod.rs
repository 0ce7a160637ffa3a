//! A program's handle to its layer: counters, diagnostics, and a way to wait.

pub(crate) mod diagnose;
pub(crate) mod diagnostic;
pub(crate) mod layer_handle;
pub(crate) mod reporter;
