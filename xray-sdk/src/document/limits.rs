//! The sizes of a document's parts: numbers, each with its source.

/// The largest document we send, in bytes.
///
/// The service's limit is written as "64 kB" (X-Ray's quotas), the daemon's buffer holds 65,536 bytes and the
/// largest UDP/IPv4 payload is 65,507: this bound and [`Packet::HEADER`](crate::Packet::HEADER) fit below all of them.
pub const MAX_DOCUMENT: usize = 64_000;

/// Characters in a name (X-Ray Developer Guide, segment documents: 200).
pub const MAX_NAME: usize = 200;

/// Characters in an http or user string (segment document schema 1.0.0: `maxLength` 250).
pub const MAX_STRING: usize = 250;

/// Characters in an annotation's string (schema: `maxLength` 1000).
pub const MAX_ANNOTATION_VALUE: usize = 1000;

/// Characters in an annotation's key (schema: 500).
pub(crate) const MAX_ANNOTATION_KEY: usize = 500;

/// Annotations in a document. X-Ray indexes 50 per trace (Developer Guide, segment documents); those above
/// are kept as metadata.
pub const MAX_ANNOTATIONS: u32 = 50;

/// Exceptions in a document. Further ones are left out and counted.
pub const MAX_EXCEPTIONS: u32 = 32;

/// Bytes that one value may take once it is encoded. A quarter of [`MAX_BODY`]: no single field, a
/// megabyte of `Debug` say, can push out everything else.
pub const MAX_VALUE: usize = MAX_BODY / 4;

/// Bytes of a body, all its members together. The document bound less room for ids, times, a name of
/// [`MAX_NAME`] four-byte characters, the frozen preamble and the marks of what was left out.
pub const MAX_BODY: usize = MAX_DOCUMENT - 8_000;

/// Members of metadata outside the namespace `default`. Each brings braces of its own, and they are sorted into
/// their namespaces when the document is written.
pub(crate) const MAX_NAMESPACED: u32 = 256;

/// Members of a body. Each further one is compared with all that are there, since it may replace one, and is dropped
/// if it does not: what a caller repeats does not get slower with each time.
pub(crate) const MAX_MEMBERS: usize = 512;

/// The most levels of a metadata value. Common JSON parsers stop at 128 levels, of which the deepest subsegment
/// takes 103 ([`Children::MAX_HEIGHT`](super::internal::Children::MAX_HEIGHT)).
pub(crate) const MAX_DEPTH: usize = 20;

/// Bytes of one member that all segments share, and of all of them.
pub(crate) const MAX_PREAMBLE_MEMBER: usize = 1_000;
pub(crate) const MAX_PREAMBLE: usize = 4_000;

/// Bytes of a metadata key or namespace. No rule of X-Ray's: a key is a name, not a place for data.
pub(crate) const MAX_METADATA_KEY: usize = 500;
