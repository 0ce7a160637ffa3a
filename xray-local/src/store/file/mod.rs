//! The SQLite file: where it lies, its tables, its settings, and the connections that read it.
//!
//! Nothing here but `migrate` knows what is in the tables; `schema.sql` documents them.

mod beside;
mod migrate;
mod open;
mod options;
mod readers;
mod schema;

pub use beside::beside;
pub(super) use open::Source;
pub use options::{Options, Place};
pub(super) use readers::Readers;
pub(super) use schema::VERSION;
