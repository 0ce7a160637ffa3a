//! The TCP proxy through which SDKs ask X-Ray for sampling rules and targets.
//!
//! Requests come in unsigned from this machine and leave signed with the daemon's credentials.
