//! The way to the daemon: its address, the packet it reads, and the emitters that carry packets there.

mod address;
mod emitter;
mod packet;
mod udp;

pub use address::{DaemonAddress, ParseAddressError};
pub use emitter::{EmitError, Emitter, EmitterStats};
pub use packet::{MAX_DOCUMENT, Packet};
pub use udp::UdpEmitter;
