//! Puts the rooms together: from arguments to an exit code.
//!
//! `commands` are the short ones, `daemon` is the long one: configuration, log, sockets, client, threads come up in
//! this order, and `stop` takes them down: sockets, hold, report.

mod version;

mod commands;

mod daemon;

mod stop;

pub use commands::main;
