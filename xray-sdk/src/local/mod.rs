//! A stand-in for the X-Ray daemon, inside the process: for tests, for examples, and for a look at one's traces
//! with no AWS account at hand.
//!
//! A [`Collector`] listens on a UDP port as the daemon does. What arrives is taken apart by the daemon's rules,
//! held against X-Ray's, assembled into traces and drawn:
//!
//! ```text
//!  datagram ─► header line, document  (as the daemon does it)        crate::receive
//!  document ─► problems               (what X-Ray would refuse)      check
//!  documents ─► Trace                 (nested, streamed, unfinished) assemble
//!  Trace ─► Waterfall                 (a picture for the terminal)   waterfall
//! ```
//!
//! ```
//! use std::net::UdpSocket;
//! use std::time::Duration;
//! use xray_sdk::local::{Collector, Waterfall};
//!
//! # fn main() -> std::io::Result<()> {
//! let collector = Collector::start()?;
//! let socket = UdpSocket::bind("127.0.0.1:0")?;
//! socket.send_to(
//!     concat!(
//!         r#"{"format":"json","version":1}"#, "\n",
//!         r#"{"name":"shop","id":"70de5b6f19ff9a0a","trace_id":"1-66f1a2b3-0123456789abcdef01234567","#,
//!         r#""start_time":1727112883.125,"end_time":1727112883.25,"aws":{"xray":{"sdk":"X-Ray for Rust"}}}"#,
//!     ).as_bytes(),
//!     collector.address(),
//! )?;
//!
//! assert!(collector.wait_for_documents(1, Duration::from_secs(5)));
//! let received = collector.received();
//! assert_eq!(received.problems(), Vec::<String>::new());
//! for trace in received.traces() {
//!     let _picture = Waterfall::for_stdout(&trace).to_string();
//! }
//! # Ok(())
//! # }
//! ```
//!
//! As the judge of the code that writes documents, this room shares nothing with it but the table of characters that
//! names may hold.

mod collector;

mod received;

mod document;

mod check;

mod assemble;

mod trace;

mod node_facts;

mod waiting;

mod waterfall;

pub use check::{Problem, Severity, check};
pub use collector::Collector;
pub use document::Document;
pub use node_facts::NodeException;
pub use received::{Received, Rejected};
pub use trace::{Node, Trace};
pub use waiting::TracesMissing;
pub use waterfall::Waterfall;
