//! Signed calls of X-Ray's API: credentials, region, endpoint, and one HTTP client for all callers.
//!
//! Uploads, telemetry and relay share the client. What an answer means is not decided here: `upload` sees status,
//! headers and body as they came. [`Call`] is the seam, so that tests can stand in for X-Ray without a socket.

mod call;

pub use call::{Call, CallError, Reply};
