//! Packets to the daemon, one datagram each, from the thread that closed the span.
//!
//! `emitter` is [`UdpEmitter`]. Below it, `connection` decides what is sent again,
//! when to move on to another address, and what counts as what; `socket` is the socket and what its errors mean;
//! `addresses` knows the daemon's addresses and when to look them up; `gso` sends many datagrams in one call;
//! `gauge` asks how full the receiver's buffer is;
//! `trouble` is the latest reason why packets did not get through; `runs` sends packets that come together; `pace`
//! leaves the processor to the receiver of many of those; `system` is the clock, the resolver and the thread that a test
//! replaces. The queue's sender uses the same connection.

mod counters;
mod payload;
mod system;

mod pace;

mod addresses;
mod socket;

#[cfg(feature = "queued-emitter")]
mod gauge;
#[cfg(feature = "queued-emitter")]
mod gso;

mod trouble;

mod connection;

#[cfg(feature = "queued-emitter")]
mod runs;

mod emitter;

pub use emitter::UdpEmitter;

#[cfg(feature = "queued-emitter")]
pub(super) use connection::Connection;
#[cfg(feature = "queued-emitter")]
pub(super) use payload::{Level, SendError, Transmit};
#[cfg(feature = "queued-emitter")]
pub(super) use system::{RealSystem, System};

#[cfg(test)]
mod tests;
