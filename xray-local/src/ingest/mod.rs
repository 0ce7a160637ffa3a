//! A document from received bytes to compiled segments, without storage.
//!
//! ```text
//!  bytes ─► accept   (the service's refusals and their codes)
//!        ─► check    (what X-Ray would drop, beside the intake)
//!  documents of one trace ─► compile ─► Compiled (segments, inferred segments, calls, facts)
//! ```
//!
//! [`store`](crate::store) calls this for everything that arrives.
