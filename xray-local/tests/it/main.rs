//! The crate from outside: real sockets, real files.

mod model;
