//! AWS X-Ray's protocol and policy, without `tracing`.
//!
//! Read the modules in this order: [`id`] and [`header`] are what travels between services,
//! [`document`] is what X-Ray stores, [`daemon`] is where documents go, [`sampling`] decides which of
//! them are made at all, [`origin`] finds out where this process runs, [`queue`] takes a trace through SQS,
//! `receive` (a feature) is the daemon's end of the wire, and [`local`] stands in for the daemon on a developer's
//! machine.

#![forbid(unsafe_code)]

pub mod id;

pub mod header;

pub mod document;

pub mod daemon;

pub mod sampling;

#[cfg(any(feature = "central-sampling", feature = "plugin-ec2", feature = "plugin-ecs"))]
mod http;

#[cfg(all(test, any(feature = "central-sampling", feature = "plugin-ec2", feature = "plugin-ecs")))]
#[path = "../tests/support/server.rs"]
mod server;

pub mod origin;

pub mod queue;

#[cfg(feature = "receive")]
pub mod receive;

#[cfg(feature = "local")]
pub mod local;

pub use daemon::{DaemonAddress, EmitError, Emitter, EmitterStats, Packet, UdpEmitter};
#[cfg(feature = "queue")]
pub use daemon::{QueueBuilder, QueueGuard, QueuedEmitter};
pub use header::{SamplingDecision, TraceHeader};
pub use id::{SegmentId, TraceId};
