//! [`TracesMissing`]: why a test that waited for its traces did not get them.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use super::received::Received;
use super::trace::{Node, Trace};

/// Fewer traces were complete than a test waited for.
#[derive(Clone, Debug)]
pub struct TracesMissing {
    expected: usize,
    waited: Duration,
    received: Received,
}

impl TracesMissing {
    pub(crate) fn new(expected: usize, waited: Duration, received: Received) -> Self {
        Self { expected, waited, received }
    }

    /// Returns the documents that had been received when time ran out.
    #[must_use]
    pub fn received(&self) -> &Received {
        &self.received
    }
}

impl fmt::Display for TracesMissing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { expected, waited, received } = self;
        let (documents, rejected) = (received.documents().len(), received.rejected().len());
        let complete = received.complete_traces().len();
        write!(
            f,
            "expected {expected} complete traces within {waited:?}, received {complete}: {documents} documents, \
             {rejected} rejected datagrams"
        )?;
        match received.problems().first() {
            Some(problem) => write!(f, "; first problem: {problem}"),
            None if documents == 0 => {
                f.write_str("; is the layer installed, the sampler `Always`, the span closed?")
            }
            None => Ok(()),
        }
    }
}

impl Error for TracesMissing {}

impl Received {
    /// The traces of which every topmost span has ended.
    #[must_use]
    pub fn complete_traces(&self) -> Vec<Trace> {
        let is_complete = |trace: &Trace| trace.roots().all(|root: Node<'_>| root.end().is_some());
        self.traces().into_iter().filter(is_complete).collect()
    }
}
