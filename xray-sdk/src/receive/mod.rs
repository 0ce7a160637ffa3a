//! The receiving end of the daemon's UDP protocol.
//!
//! A program that stands where the X-Ray daemon stands needs two things of the wire, and both are here:
//! [`ReceiveSocket`], a listening socket that survives bursts and counts what the kernel had to drop, and
//! [`document`], which takes a datagram apart by the daemon's rules. On Linux, what a sender sends in one system call, as
//! `QueuedEmitter` does, is received in one.
//!
//! ```
//! use std::net::UdpSocket;
//! use xray_sdk::receive::{DatagramBuffer, ReceiveSocket, document};
//!
//! # fn main() -> std::io::Result<()> {
//! let socket = ReceiveSocket::bind("127.0.0.1:0")?;
//! let sender = UdpSocket::bind("127.0.0.1:0")?;
//! sender.send_to(b"{\"format\":\"json\",\"version\":1}\n{\"name\":\"shop\"}", socket.local_addr()?)?;
//!
//! let mut buffer = DatagramBuffer::new();
//! for datagram in socket.recv(&mut buffer)? {
//!     assert_eq!(document(datagram), Ok(&b"{\"name\":\"shop\"}"[..]));
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Nothing here looks into a document, starts a thread or logs.

mod datagram;

mod socket;

mod datagrams;
mod gro;
mod kernel;

pub use datagram::{InvalidDatagram, document};
pub use datagrams::{DatagramBuffer, Datagrams};
pub use socket::{RECEIVE_BUFFER, ReceiveSocket};

#[cfg(test)]
mod tests;
