//! The visitors that encode fields. The first takes any span; the others are fast paths for what is most frequent.
//!
//! | visitor | for |
//! |---|---|
//! | `field_visitor` | any span |
//! | `plain_visitor` | spans inside a root whose fields are all metadata |
//! | `kind_visitor` | roots of which `otel.kind` alone decides, but not as the first field |
//! | `message_visitor` | ERROR events with a message alone |
//! | `status_visitor` | a status or a length that are recorded without others |
//! | `breadcrumb_visitor` | INFO and WARN events that are kept with their span |
//!
//! The visitor for roots is `lifecycle::opening::root_fields`. `ready_ways` has the ways of fields of roots and calls that
//! are appended after one look.
//!
//! User code runs here (`Debug`, `Display`, the redaction hook), so no lock may be held.

mod breadcrumb_visitor;
mod field_visitor;
mod kind_visitor;
mod message_visitor;
mod plain_visitor;
mod ready_ways;
mod status_visitor;

pub(crate) use breadcrumb_visitor::BreadcrumbVisitor;
pub(crate) use field_visitor::FieldVisitor;
pub(crate) use kind_visitor::is_call_by_kind;
pub(crate) use message_visitor::MessageVisitor;
pub(crate) use plain_visitor::PlainVisitor;
pub(crate) use ready_ways::{ReadyWay, ReadyWays};
pub(crate) use status_visitor::put_status_alone;
