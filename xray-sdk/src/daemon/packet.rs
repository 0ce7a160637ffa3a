//! The unit the daemon reads: a header line, then exactly one document. Knows nothing of sockets, nor of
//! what a document says.

use crate::json::Buffer;

/// A header line and one document. The header line is always there: it can't be left out or overwritten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    bytes: Buffer,
}

impl Packet {
    /// The line that comes before each document (X-Ray Developer Guide, "Sending segment documents to the
    /// X-Ray daemon").
    pub const HEADER: &'static str = "{\"format\":\"json\",\"version\":1}\n";

    /// Creates a packet with an empty document.
    #[must_use]
    pub fn new() -> Self {
        let mut bytes = Buffer::new();
        bytes.put(Self::HEADER);
        Self { bytes }
    }

    /// Clears the document, and returns the buffer to write the next one into.
    pub fn start_document(&mut self) -> &mut Buffer {
        self.bytes.truncate(Self::HEADER.len());
        &mut self.bytes
    }

    /// Returns header line and document, as they go into the datagram.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.as_bytes()
    }

    /// Returns the document alone.
    #[must_use]
    pub fn document(&self) -> &[u8] {
        &self.bytes.as_bytes()[Self::HEADER.len()..]
    }

    /// Returns how many bytes the packet holds without growing.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }
}

impl Default for Packet {
    fn default() -> Self {
        Self::new()
    }
}
