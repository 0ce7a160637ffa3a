//! The crate from outside: real sockets, real files.

mod central;
mod faults;
mod model;
mod policies;
mod program;
mod server;
mod serving;
mod terminal;
