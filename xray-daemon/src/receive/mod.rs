//! The thread that empties the UDP socket: datagrams in, documents into the hold.
//!
//! A thread of its own with a plain blocking `recv`, since a scheduler that is busy with TLS would cost datagrams.
