//! Work for the writer, and what becomes of it: documents, changes of other tables, problems.

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::StoreError;
use super::problems::Trouble;
use crate::model::{Door, Refused, Time, TraceKey};

/// A trace that was written, complete or in part. Sent to [`Store::tail`](crate::store::Store::tail) after the commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its key.
    pub key: TraceKey,
    /// Its revision, 1 for a new trace.
    pub revision: i64,
    /// True if any segment is in progress, or the root is missing.
    pub partial: bool,
}

/// Finds the groups that a trace belongs to, as it is stored. Implemented in [`query`](crate::query).
pub trait Matcher: Send + Sync + std::fmt::Debug {
    /// The pairs of group number and trace, for traces that were just written on this connection.
    ///
    /// # Errors
    /// SQLite's.
    fn groups(&self, connection: &Connection, traces: &[TraceKey]) -> rusqlite::Result<Vec<(i64, TraceKey)>>;
}

/// A document as it arrived.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) bytes: Vec<u8>,
    pub(super) door: Door,
    pub(super) received: Time,
}

/// One verdict per document, in their order; `None` for what was accepted.
pub type Verdicts = Vec<Option<Refused>>;

/// A change and, once the outcome of the commit is known, its report to the asker. Without a transaction, a change gets
/// the reason in place of the connection, and reports that.
pub(super) type Change = Box<dyn FnOnce(Result<&Connection, StoreError>) -> (bool, Report) + Send>;
pub(super) type Report = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Work for the writer.
pub(super) enum Job {
    /// A datagram's document, without an asker who waits.
    Offer(Incoming),
    /// The documents of a request, whose answer waits for the commit.
    Put(Vec<Incoming>, oneshot::Sender<Result<Verdicts, StoreError>>),
    /// Changes in other tables.
    Write(Change),
    /// Something that is wrong with a document.
    Trouble(Box<Trouble>),
    /// A datagram that the daemon would drop.
    Refusal(Box<Trouble>),
    /// Everything before this one, committed; then the end.
    Close,
}
