//! Whole scenarios: spans in, datagrams through a real socket, documents checked and compared as a picture.

#![allow(missing_docs, reason = "tests are named by what they claim")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails may panic")]

mod support;

mod bad_input;
mod breadcrumbs;
mod chaos;
mod concurrency;
mod conventions;
mod diagnoses;
mod effort;
mod error_chains;
mod fields;
mod filters;
mod forest;
mod late_children;
mod law;
mod leaving_out;
mod limits;
#[cfg(feature = "fmt")]
mod log_lines;
mod names_and_keys;
mod no_daemon;
mod not_installed;
mod not_sampled;
mod outcomes;
mod placement;
mod propagation;
mod queries;
#[cfg(feature = "queued-emitter")]
mod queued;
mod secrets;
mod stacking;
mod streaming;
mod unsampled;
mod urls;
mod user_code;
