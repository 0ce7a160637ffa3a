//! The crate from outside: real sockets, real files.
//!
//! Each file holds one subject. What other programs see of the server is tested in `tests/python`.

mod central;
mod faults;
mod model;
mod policies;
mod program;
mod server;
mod serving;
mod terminal;
