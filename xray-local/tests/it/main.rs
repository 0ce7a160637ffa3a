//! The crate from outside: real sockets, real files.

mod central;
mod model;
mod policies;
mod server;
