//! [`Received`]: what a collector received so far, accepted or rejected, and the traces made of it.
//!
//! No socket and no thread here. The collector adds datagrams, users get snapshots: a snapshot is a pointer, and
//! the next datagram copies the lists only while a snapshot is alive.

use std::sync::Arc;

use super::assemble::assemble;
use super::check::{Problem, Severity};
use super::document::Document;
use super::trace::Trace;
use crate::receive;

/// A snapshot of what was received, in order of arrival.
#[derive(Clone, Debug, Default)]
pub struct Received(Arc<Inner>);

#[derive(Clone, Debug, Default)]
struct Inner {
    documents: Vec<Document>,
    rejected: Vec<Rejected>,
    datagrams: usize,
    largest: usize,
    bytes: usize,
    /// The number of documents, and of rejected datagrams, that are kept; `None` keeps all.
    keep: Option<usize>,
}

/// A datagram of which nothing would ever be seen in X-Ray.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Rejected {
    /// The datagram, header line included.
    pub datagram: Vec<u8>,
    /// Why: the daemon drops it, or X-Ray refuses its document. Lesser problems of the document follow along.
    pub reasons: Vec<Problem>,
}

impl Received {
    /// Documents that X-Ray would take.
    #[must_use]
    pub fn documents(&self) -> &[Document] {
        &self.0.documents
    }

    /// Datagrams that the daemon would drop, and those with a document that X-Ray, or another receiver, would
    /// refuse. Their content is in neither [`documents`](Self::documents) nor [`traces`](Self::traces).
    #[must_use]
    pub fn rejected(&self) -> &[Rejected] {
        &self.0.rejected
    }

    /// A line for each thing that is wrong with anything received, whether it is refused or only in part lost.
    /// Empty when all is well, which is what a test asserts.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for rejected in self.rejected() {
            let size = rejected.datagram.len();
            lines.extend(
                rejected.reasons.iter().map(|reason| format!("rejected datagram of {size} bytes: {reason}")),
            );
        }
        for document in self.documents() {
            let (name, id) = (document.name(), document.id());
            lines.extend(
                document.problems().iter().map(|problem| format!("document {id} ({name}): {problem}")),
            );
        }
        lines.extend(assemble(self.documents()).1);
        lines
    }

    /// The documents put together, a tree for each trace, in order of the traces' first start.
    #[must_use]
    pub fn traces(&self) -> Vec<Trace> {
        assemble(self.documents()).0
    }

    /// Datagrams received, rejected ones included. An empty datagram is not counted: the daemon ignores those.
    #[must_use]
    pub fn datagrams(&self) -> usize {
        self.0.datagrams
    }

    /// The size of the largest datagram, in bytes, header line included.
    #[must_use]
    pub fn largest_datagram(&self) -> usize {
        self.0.largest
    }

    /// The size of all datagrams together, in bytes, header lines included.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.bytes
    }

    /// Keeps the newest documents and rejected datagrams only, as many of each.
    pub(crate) fn keep_last(&mut self, count: usize) {
        let inner = Arc::make_mut(&mut self.0);
        inner.keep = Some(count);
        inner.trim();
    }

    /// Forgets everything but how much is kept.
    pub(crate) fn forget(&mut self) {
        self.0 = Arc::new(Inner { keep: self.0.keep, ..Inner::default() });
    }

    /// Takes in one more datagram.
    pub(crate) fn add(&mut self, datagram: Vec<u8>) {
        if datagram.is_empty() {
            return;
        }
        let inner = Arc::make_mut(&mut self.0);
        inner.datagrams += 1;
        inner.bytes += datagram.len();
        inner.largest = inner.largest.max(datagram.len());
        match judge(&datagram) {
            Ok(document) => inner.documents.push(document),
            Err(reasons) => inner.rejected.push(Rejected { datagram, reasons }),
        }
        inner.trim();
    }
}

impl Inner {
    fn trim(&mut self) {
        let Some(keep) = self.keep else { return };
        self.documents.drain(..self.documents.len().saturating_sub(keep));
        self.rejected.drain(..self.rejected.len().saturating_sub(keep));
    }
}

fn judge(datagram: &[u8]) -> Result<Document, Vec<Problem>> {
    let reject = |message| vec![Problem { path: "datagram".to_owned(), message, severity: Severity::Reject }];
    let document =
        receive::document(datagram).map_err(|invalid| reject(format!("{invalid}: the daemon drops it")))?;
    if datagram.len() > LARGEST_DATAGRAM {
        return Err(reject(format!("{} bytes, UDP over IPv4 carries {LARGEST_DATAGRAM}", datagram.len())));
    }
    Document::judge(document)
}

/// 65,535 bytes of an IPv4 packet, less 20 of its header and 8 of UDP's. IPv6 carries 20 more.
const LARGEST_DATAGRAM: usize = 65_535 - 20 - 8;

#[cfg(test)]
mod tests {
    use super::*;

    const SEGMENT: &str = r#"{"name":"shop","id":"70de5b6f19ff9a0a","trace_id":"1-66f1a2b3-0123456789abcdef01234567","start_time":1.5,"end_time":2,"aws":{"xray":{}}}"#;

    fn received(documents: &[&str]) -> Received {
        let mut received = Received::default();
        for document in documents {
            received.add(format!("{{\"format\":\"json\",\"version\":1}}\n{document}").into_bytes());
        }
        received
    }

    #[test]
    fn empty_datagrams_are_ignored_as_the_daemon_ignores_them() {
        let mut received = received(&[SEGMENT]);
        received.add(Vec::new());
        assert_eq!((received.datagrams(), received.rejected().len()), (1, 0));
    }

    #[test]
    fn counters_cover_rejected_datagrams_too() {
        let mut received = received(&[SEGMENT]);
        let size = received.bytes();
        received.add(b"no header".to_vec());
        assert_eq!(
            (received.datagrams(), received.bytes(), received.largest_datagram()),
            (2, size + 9, size)
        );
        assert_eq!(
            received.problems(),
            [
                "rejected datagram of 9 bytes: datagram: no line feed between header and document: the daemon drops it"
            ]
        );
    }

    #[test]
    fn a_refused_document_is_kept_with_its_datagram_and_reasons() {
        let received = received(&[&SEGMENT.replace("shop", "shop?")]);
        assert!(received.documents().is_empty() && received.traces().is_empty());
        assert!(received.rejected()[0].datagram.ends_with(b"}"));
        assert!(
            received.problems()[0].contains("name: '?' may not stand in a name"),
            "{:?}",
            received.problems()
        );
    }

    #[test]
    fn a_document_with_a_lesser_problem_passes_and_is_reported() {
        let received = received(&[&SEGMENT.replace(r#","aws":{"xray":{}}"#, "")]);
        assert_eq!(received.documents().len(), 1);
        assert!(received.problems()[0].starts_with("document 70de5b6f19ff9a0a (shop): aws.xray: missing"));
    }

    #[test]
    fn a_snapshot_stays_as_it_was() {
        let mut received = received(&[SEGMENT]);
        let snapshot = received.clone();
        received.add(b"x".to_vec());
        assert_eq!((snapshot.datagrams(), received.datagrams()), (1, 2));
    }

    #[test]
    fn datagrams_beyond_what_ipv4_carries_are_rejected() {
        let received = received(&[&format!("{SEGMENT}{}", " ".repeat(65_507))]);
        assert!(received.problems()[0].contains("UDP over IPv4 carries 65507"), "{:?}", received.problems());
    }

    #[test]
    fn accessors_read_what_the_document_says() {
        let subsegment = r#"{"name":"db","id":"70de5b6f19ff9a0b","type":"subsegment","trace_id":"1-66f1a2b3-0123456789abcdef01234567","parent_id":"70de5b6f19ff9a0a","start_time":1,"in_progress":true,"subsegments":[{"name":"a","id":"70de5b6f19ff9a0c","start_time":1,"end_time":1,"subsegments":[{"name":"b","id":"70de5b6f19ff9a0d","start_time":1,"end_time":1}]}]}"#;
        let received = received(&[SEGMENT, subsegment]);
        let [segment, subsegment] = received.documents() else { panic!("{:?}", received.problems()) };
        assert_eq!((segment.name(), segment.id(), segment.parent_id()), ("shop", "70de5b6f19ff9a0a", None));
        assert_eq!(
            (segment.is_subsegment(), segment.is_in_progress(), segment.span_count()),
            (false, false, 1)
        );
        assert_eq!((segment.text(), segment.trace_id()), (SEGMENT, "1-66f1a2b3-0123456789abcdef01234567"));
        assert_eq!((subsegment.parent_id(), subsegment.span_count()), (Some("70de5b6f19ff9a0a"), 3));
        assert!(subsegment.is_subsegment() && subsegment.is_in_progress());
    }
}
