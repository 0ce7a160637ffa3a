//! A document from received bytes to compiled segments, without storage.
//!
//! ```text
//!  bytes ─► accept                  the service's refusals and their codes
//!  documents of one trace ─► tree   each id once, who contains and who calls whom
//!      tree ─► compile              segments, inferred segments, calls, facts, root causes
//!      tree ─► returned             the documents as BatchGetTraces returns them
//! ```
//!
//! [`store`](crate::store) calls `accept` and `compile` for everything that arrives, and `returned` is called when
//! a trace is read. The full checker of `xray_sdk::local` runs beside this way, in
//! [`store`](crate::store).

mod accept;
mod causes;
mod compile;
mod document;
mod lenient;
mod origin;
mod returned;
mod split;
mod tree;

#[cfg(test)]
mod tests;

pub use accept::{Accepted, accept, accept_parsed};
pub use compile::compile;
pub use document::{Parsed, service_name, trace_id};
pub use returned::{Piece, Returned, pieces, returned};
pub use split::split;
