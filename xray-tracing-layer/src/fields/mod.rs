//! Fields on their way to bytes: names, callsites, visitors.
//!
//! The only room in which a user's `Debug`, `Display` and redaction hook run. So nothing here takes a lock that
//! belongs to a record, and the span table is unknown.

pub(crate) mod callsite;
pub(crate) mod conventions;
pub(crate) mod database;
pub(crate) mod deferred;
pub(crate) mod error_event;
pub(crate) mod redacted_body;
pub(crate) mod sql;
pub(crate) mod url;
pub(crate) mod value;
pub(crate) mod visitor;
