//! Lambda on this machine, for a look at what a function sends, and for tests of it.
//!
//! A real function, built with `lambda_runtime`, is started as a child process. The process finds what it finds in Lambda:
//! the Runtime API, the variables, a daemon's address. Between two invocations it is frozen.
//!
//! ```text
//!  invoke ─► api: next ─► the function ─► api: response ─► frozen ─► what was sent? ─► invoke returns
//!                            │ documents                               ▲
//!                            └──────────► endpoint ────────────────────┘ ─► local::Collector ◄─ Lambda's segments
//! ```
//! The freeze comes before the response is answered, which is earlier than in Lambda: what is found in the socket
//! then was sent before the response was posted.

mod error;

mod http;

mod endpoint;
mod event;
mod process;

mod api;
mod emulator;

pub mod samples;

pub use emulator::{Lambda, Outcome, Settings};
pub use error::Error;
pub use event::Tracing;
