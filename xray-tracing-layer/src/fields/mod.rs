//! The way of fields to bytes: names, callsites, visitors.
//!
//! Only here do a user's `Debug`, `Display` and redaction hook run. Therefore nothing in this room takes a
//! lock, and the span table is unknown.

pub(crate) mod callsite;
pub(crate) mod conventions;
pub(crate) mod database;
pub(crate) mod deferred;
pub(crate) mod error_event;
pub(crate) mod field_target;
pub(crate) mod grpc;
pub(crate) mod library_event;
pub(crate) mod redacted_body;
pub(crate) mod sanitize;
pub(crate) mod scratch;
pub(crate) mod slot;
pub(crate) mod value;
pub(crate) mod visitor;
