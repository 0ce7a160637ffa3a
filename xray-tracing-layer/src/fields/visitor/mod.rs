//! The visitors that encode a span's fields: one for any span, one for most spans,
//! and one for a status that comes alone.
//!
//! User code runs here (`Debug`, `Display`, the redaction hook), so no lock may be held.

mod field_visitor;
mod plain_visitor;
mod status_visitor;

pub(crate) use field_visitor::FieldVisitor;
pub(crate) use plain_visitor::PlainVisitor;
pub(crate) use status_visitor::status_alone;
