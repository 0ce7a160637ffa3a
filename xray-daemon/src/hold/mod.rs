//! Documents in memory, within one budget of bytes.
//!
//! Documents wait in two queues, complete ones and those in progress, as the bytes that came. A [`Batch`] is cut from
//! the fronts of both: the body of one request, in which each document is already a JSON string. A batch that failed
//! waits as it is. Everything counts at the size of the memory that it takes.
//!
//! ```text
//!  document ─► Queue (complete)    ─┐
//!  document ─► Queue (in progress) ─┴─► Batch ─► request
//!                                         ▲───────┘ failed
//! ```
//!
//! No clock, no lock and no log here: `upload` owns the backlog and passes the time.

mod queue;

mod batch;

mod identity;

mod backlog;

pub use backlog::{Attempts, Backlog, Evicted, Selection};
pub use batch::{Batch, BatchError};
pub use identity::{Identity, is_in_progress};
