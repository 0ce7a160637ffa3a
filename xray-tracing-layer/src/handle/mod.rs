//! What a program keeps of its layer: counters, diagnostics, and a way to wait.

pub(crate) mod diagnostics;
pub(crate) mod layer_handle;
