//! The span table, as `xray-tracing-layer` has it, on loom's primitives.
#![allow(dead_code, reason = "the models don't need every method")]

pub(crate) mod record;

mod sync;

#[path = "../../../../xray-tracing-layer/src/state/table.rs"]
mod table;

pub(crate) mod models;
