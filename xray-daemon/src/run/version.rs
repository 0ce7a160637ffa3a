//! The version that `-v` and the first line of the log show.
//!
//! Below both of them. The user agent of calls has its own form, in `aws`.

/// The version, marked as that of this daemon and not of the one by AWS.
pub(super) const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "-rust");
