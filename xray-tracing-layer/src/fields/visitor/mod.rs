//! The visitors that encode fields: one for any span, one for most spans, one for a status that comes alone, and one
//! for events that are kept with their span.
//!
//! User code runs here (`Debug`, `Display`, the redaction hook), so no lock may be held.

mod breadcrumb_visitor;
mod field_visitor;
mod plain_visitor;
mod status_visitor;

pub(crate) use breadcrumb_visitor::BreadcrumbVisitor;
pub(crate) use field_visitor::FieldVisitor;
pub(crate) use plain_visitor::PlainVisitor;
pub(crate) use status_visitor::status_alone;
