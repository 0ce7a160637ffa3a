//! The crate from outside: real sockets, real files.

mod faults;
mod model;
mod program;
mod serving;
mod terminal;
