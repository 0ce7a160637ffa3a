//! The command line: arguments, commands, and the serving loop.
pub mod identity;
pub mod policy;
