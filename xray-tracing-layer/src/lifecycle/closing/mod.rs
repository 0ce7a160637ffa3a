//! Ends of a span beside the slow path: the fast paths, the emission of a document, the user's closure, spans that are
//! left out, traces that wait for the decision at their end.

pub(crate) mod closed_by_child;
pub(crate) mod leave_out;
pub(crate) mod on_close;
pub(crate) mod plain;
mod send;
pub(crate) mod tail;
