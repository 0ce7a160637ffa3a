//! Ends of a span beside being folded or sent: the user's closure, spans that are left out, traces
//! that wait for the decision at their end.

pub(crate) mod closed_by_child;
pub(crate) mod leave_out;
pub(crate) mod on_close;
pub(crate) mod plain;
pub(crate) mod tail;
