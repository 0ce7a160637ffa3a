//! The visitors that encode a span's fields: one for any span, and one for most spans.
//!
//! User code runs here (`Debug`, `Display`, the redaction hook), so no lock may be held.

mod field_visitor;
mod plain_visitor;

pub(crate) use field_visitor::FieldVisitor;
pub(crate) use plain_visitor::PlainVisitor;
