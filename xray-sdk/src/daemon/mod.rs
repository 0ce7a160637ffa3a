//! The way to the daemon: its address, the packet it reads, and the emitters that carry packets there.

mod address;
mod emitter;
mod packet;
mod problem;
mod receive_buffer;

#[cfg(feature = "queued-emitter")]
mod batch;

mod udp;

#[cfg(feature = "queued-emitter")]
mod queued;

pub use address::{DaemonAddress, ParseAddressError};
pub use emitter::{EmitError, Emitter, EmitterStats};
pub use packet::Packet;
pub use problem::EmitterProblem;
#[cfg(feature = "queued-emitter")]
pub use queued::{QueueBuilder, QueueGuard, QueuedEmitter};
pub use udp::UdpEmitter;

pub use crate::document::MAX_DOCUMENT;
