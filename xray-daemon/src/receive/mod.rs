//! The thread that empties the UDP socket: datagrams in, documents into the engine.
//!
//! A thread of its own with a blocking `recv`, since a scheduler that is busy with TLS would cost datagrams. The rules of
//! the wire and the socket are `xray_sdk::receive`'s; a sender's run of datagrams comes in one call.

mod complaints;

mod thread;

pub use thread::{Receiver, Stopped};
