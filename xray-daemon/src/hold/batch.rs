//! A batch: the body of one `PutTraceSegments` request, with the places of its documents.
//!
//! A document is encoded once, as a JSON string, and from then on exists in this form alone: sent, sent again, cut in
//! halves, written to disk. Nothing here decides when.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;

/// Documents on their way, encoded.
#[derive(Clone, Debug)]
pub struct Batch {
    body: Bytes,
    /// The end of each document's JSON string; a comma or the closing bracket follows.
    ends: Vec<u32>,
    /// The time at which the oldest of them was received.
    oldest: Duration,
}

impl Batch {
    /// An empty batch with room for this many bytes of documents.
    pub(super) fn with_capacity(bytes: usize) -> Builder {
        let mut body = Vec::with_capacity(PREFIX.len() + bytes + bytes / 8 + SUFFIX.len());
        body.extend_from_slice(PREFIX);
        Builder { body, ends: Vec::new(), oldest: Duration::MAX }
    }

    /// The number of documents.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns whether there are no documents.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The whole body, not copied.
    #[must_use]
    pub fn body(&self) -> Bytes {
        self.body.clone()
    }

    /// Bytes of memory that the batch takes.
    #[must_use]
    pub fn charge(&self) -> usize {
        self.body.len() + self.ends.len() * size_of::<u32>() + OVERHEAD
    }

    /// Returns when the oldest document was received.
    #[must_use]
    pub fn oldest(&self) -> Duration {
        self.oldest
    }

    /// A document as it is sent: as it came, but for bytes that are not UTF-8.
    #[must_use]
    pub fn document(&self, number: usize) -> String {
        let encoded = self.body.get(self.range(number)).unwrap_or_default();
        serde_json::from_slice(encoded).unwrap_or_default()
    }

    fn range(&self, number: usize) -> Range<usize> {
        let start = number.checked_sub(1).and_then(|before| self.ends.get(before));
        let start = start.map_or(PREFIX.len(), |end| *end as usize + 1);
        start..self.ends.get(number).map_or(start, |end| *end as usize)
    }

    /// Returns a batch of some of the documents.
    #[must_use]
    pub fn select(&self, documents: impl IntoIterator<Item = usize>) -> Self {
        let mut builder = Self::with_capacity(0);
        for number in documents {
            builder.add_encoded(self.body.get(self.range(number)).unwrap_or_default());
        }
        builder.oldest = self.oldest;
        builder.build()
    }

    /// Returns the two halves of a batch.
    ///
    /// The first has one document more if their number is odd.
    #[must_use]
    pub fn halves(&self) -> [Self; 2] {
        let middle = self.len().div_ceil(2);
        [self.select(0..middle), self.select(middle..self.len())]
    }

    /// Writes the batch as [`from_bytes`](Self::from_bytes) reads it.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(1 + 4 + 4 * self.ends.len() + self.body.len());
        bytes.push(FORMAT);
        bytes.extend_from_slice(&u32::try_from(self.ends.len()).unwrap_or(u32::MAX).to_le_bytes());
        for end in &self.ends {
            bytes.extend_from_slice(&end.to_le_bytes());
        }
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Reads a batch that [`to_bytes`](Self::to_bytes) wrote; its documents count as received at `oldest`.
    ///
    /// # Errors
    /// If the bytes are of another version, or not a whole batch.
    pub fn from_bytes(bytes: &[u8], oldest: Duration) -> Result<Self, BatchError> {
        let (format, rest) = bytes.split_first().ok_or(BatchError)?;
        let (count, rest) = rest.split_first_chunk::<4>().ok_or(BatchError)?;
        let count = u32::from_le_bytes(*count) as usize;
        let (ends, body) =
            rest.split_at_checked(count.checked_mul(4).ok_or(BatchError)?).ok_or(BatchError)?;
        let ends: Vec<u32> = ends.as_chunks::<4>().0.iter().map(|end| u32::from_le_bytes(*end)).collect();
        let ascending = ends.windows(2).all(|pair| pair[0] < pair[1]);
        let whole = ends.last().is_some_and(|end| *end as usize + SUFFIX.len() == body.len());
        let begun = body.starts_with(PREFIX) && ends.first().is_some_and(|end| *end as usize > PREFIX.len());
        if *format != FORMAT || !ascending || !whole || !begun {
            return Err(BatchError);
        }
        Ok(Self { body: Bytes::copy_from_slice(body), ends, oldest })
    }
}

/// Bytes that are not a batch, or one of another version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchError;

impl fmt::Display for BatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a batch of documents, or one of another version")
    }
}

impl std::error::Error for BatchError {}

/// A batch that documents are still added to.
#[derive(Debug)]
pub(super) struct Builder {
    body: Vec<u8>,
    ends: Vec<u32>,
    oldest: Duration,
}

impl Builder {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Adds a document, unless the body would become larger than `limit`.
    ///
    /// The first document is always added.
    pub(super) fn add(&mut self, document: &[u8], received: Duration, limit: usize) -> bool {
        let before = self.body.len();
        self.separate();
        encode(document, &mut self.body);
        if self.body.len() + SUFFIX.len() > limit && !self.ends.is_empty() {
            self.body.truncate(before);
            return false;
        }
        self.end();
        self.oldest = self.oldest.min(received);
        true
    }

    fn add_encoded(&mut self, encoded: &[u8]) {
        self.separate();
        self.body.extend_from_slice(encoded);
        self.end();
    }

    fn separate(&mut self) {
        if !self.ends.is_empty() {
            self.body.push(b',');
        }
    }

    fn end(&mut self) {
        self.ends.push(u32::try_from(self.body.len()).unwrap_or(u32::MAX));
    }

    pub(super) fn build(mut self) -> Batch {
        self.body.extend_from_slice(SUFFIX);
        self.body.shrink_to_fit();
        Batch { body: self.body.into(), ends: self.ends, oldest: self.oldest }
    }
}

/// Appends a document as a JSON string.
///
/// Each byte that is not part of valid UTF-8 becomes U+FFFD, as in AWS's daemon.
fn encode(document: &[u8], out: &mut Vec<u8>) {
    let put = |string: &str, out: &mut Vec<u8>| {
        // Writing a string to a vector can't fail.
        let _ = serde_json::to_writer(out, string);
    };
    if let Ok(document) = std::str::from_utf8(document) {
        return put(document, out);
    }
    let mut valid = String::with_capacity(document.len() + 16);
    for chunk in document.utf8_chunks() {
        valid.push_str(chunk.valid());
        valid.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    put(&valid, out);
}

const PREFIX: &[u8] = b"{\"TraceSegmentDocuments\":[";
const SUFFIX: &[u8] = b"]}";
/// The first byte of a batch on disk.
const FORMAT: u8 = 1;
/// The cost of a batch beside its bytes: itself, its place in a list, the allocator's words.
const OVERHEAD: usize = 256;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn batch(documents: &[&[u8]]) -> Batch {
        let mut builder = Batch::with_capacity(0);
        for document in documents {
            assert!(builder.add(document, Duration::from_secs(7), usize::MAX));
        }
        builder.build()
    }

    fn body(batch: &Batch) -> Value {
        serde_json::from_slice(&batch.body()).unwrap()
    }

    #[test]
    fn the_body_is_the_request_and_documents_are_unchanged() {
        let documents: [&[u8]; 5] =
            [br#"{"id":"a"}"#, b"", "\u{1F980}\u{2028}</>".as_bytes(), b"\0\x01\n\"\\", b"plain"];
        let batch = batch(&documents);
        let strings: Vec<&str> =
            documents.iter().map(|document| std::str::from_utf8(document).unwrap()).collect();
        assert_eq!(body(&batch), json!({ "TraceSegmentDocuments": strings }));
        for (number, string) in strings.iter().enumerate() {
            assert_eq!(batch.document(number), *string);
        }
    }

    #[test]
    fn each_bad_byte_becomes_one_replacement_character() {
        let batch = batch(&[b"a\xff\xfeb\xe2\x82c"]);
        assert_eq!(batch.document(0), "a\u{FFFD}\u{FFFD}b\u{FFFD}\u{FFFD}c");
        assert!(std::str::from_utf8(&batch.body()).is_ok());
    }

    #[test]
    fn halves_and_selections_are_batches_of_their_own() {
        let whole = batch(&[b"0", b"1", b"2", b"3", b"4"]);
        let [first, second] = whole.halves();
        assert_eq!(body(&first), json!({"TraceSegmentDocuments": ["0", "1", "2"]}));
        assert_eq!(body(&second), json!({"TraceSegmentDocuments": ["3", "4"]}));
        assert_eq!(body(&whole.select([4, 0])), json!({"TraceSegmentDocuments": ["4", "0"]}));
        assert_eq!((second.document(1), second.oldest()), ("4".to_owned(), Duration::from_secs(7)));
    }

    #[test]
    fn a_body_stops_growing_at_its_limit_but_has_one_document() {
        let mut builder = Batch::with_capacity(0);
        assert!(builder.add(&[b'x'; 100], Duration::ZERO, 50));
        assert!(!builder.add(b"y", Duration::ZERO, 50));
        let batch = builder.build();
        assert_eq!((batch.len(), batch.document(0).len()), (1, 100));
        assert!(serde_json::from_slice::<Value>(&batch.body()).is_ok());
    }

    #[test]
    fn a_batch_from_disk_is_the_batch_that_was_written() {
        let written = batch(&[b"a", b"\xff", b""]);
        let read = Batch::from_bytes(&written.to_bytes(), Duration::from_secs(1)).unwrap();
        assert_eq!((read.body(), read.len(), read.oldest()), (written.body(), 3, Duration::from_secs(1)));
        assert_eq!(read.document(1), "\u{FFFD}");
    }

    #[test]
    fn what_was_cut_or_changed_is_no_batch() {
        let bytes = batch(&[b"one", b"two"]).to_bytes();
        for length in 0..bytes.len() {
            assert_eq!(
                Batch::from_bytes(&bytes[..length], Duration::ZERO).unwrap_err(),
                BatchError,
                "{length}"
            );
        }
        for at in [0, 1, 5, 9, 13] {
            let mut bytes = bytes.clone();
            bytes[at] ^= 0x40;
            assert!(Batch::from_bytes(&bytes, Duration::ZERO).is_err(), "{at}");
        }
    }
}
