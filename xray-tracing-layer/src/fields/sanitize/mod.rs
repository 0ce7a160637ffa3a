//! Removes secrets from values whose form is known: connection strings, statements, URLs, headers.
//!
//! The rule of this room: a value whose form is not understood is left out, never sent. So each function
//! reads strictly, keeps what it recognizes as harmless, and builds the result anew. Nothing in here knows
//! fields, documents or the layer, and all of it runs in time linear to its input.

mod command;
pub(crate) mod connection_string;
mod dialect;
pub(crate) mod free_text;
#[cfg(feature = "http")]
pub(crate) mod header;
pub(crate) mod host;
pub(crate) mod known_statement;
pub(crate) mod secret_key;
mod sql;
pub(crate) mod statement;
pub(crate) mod url;
pub(crate) mod written;
