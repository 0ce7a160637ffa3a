//! The way to the daemon: its address, the packet it reads, and the emitters that carry packets there.

mod address;
mod emitter;
mod packet;
#[cfg(feature = "queue")]
mod queue;
mod udp;

pub use address::{DaemonAddress, ParseAddressError};
pub use emitter::{EmitError, Emitter, EmitterStats};
pub use packet::{MAX_DOCUMENT, Packet};
#[cfg(feature = "queue")]
pub use queue::{QueueBuilder, QueueGuard, QueuedEmitter};
pub use udp::UdpEmitter;
