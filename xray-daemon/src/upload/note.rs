//! The engine's decisions that are worth a line in the log.
//!
//! The engine is silent; it leaves notes, and the driver writes them to the log.

/// Something worth a line in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// X-Ray took a batch.
    Sent {
        /// Its documents.
        documents: usize,
        /// Those of them that X-Ray did not process.
        unprocessed: usize,
    },
    /// X-Ray refused a document for good.
    Rejected {
        /// The document's `trace_id`, if it has one.
        trace_id: Option<String>,
        /// The document's `id`, or what X-Ray called it.
        id: Option<String>,
        /// Its bytes, if known.
        bytes: Option<usize>,
        /// X-Ray's code and message.
        why: String,
    },
    /// A batch is cut in halves to find the document that is at fault.
    Bisected {
        /// Its documents.
        documents: usize,
        /// X-Ray's code and message.
        why: String,
    },
    /// A call failed and will be repeated.
    Failed {
        /// Its documents.
        documents: usize,
        /// Failures in a row, of whatever batch.
        failures: u32,
        /// The words of X-Ray or the network.
        why: String,
    },
    /// X-Ray refuses the credentials or the role.
    Denied {
        /// X-Ray's words, or the reason why there are no credentials.
        why: String,
    },
    /// Calls go well again.
    Recovered,
    /// The spool could not be written or read.
    SpoolFailed {
        /// The disk's words.
        why: String,
    },
}
