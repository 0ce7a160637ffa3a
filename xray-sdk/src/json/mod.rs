//! JSON, written a token at a time. No name of a member is known here: the grammar of documents is `document`'s.
//!
//! [`Buffer`] appends, `escape` finds what has to be escaped and where a string may be cut, `digits` makes decimals.

mod buffer;
mod digits;
mod escape;

pub use buffer::Buffer;
pub(crate) use digits::decimal_digits;
pub(crate) use escape::{escaped_prefix, string_token_len};

#[cfg(test)]
mod tests;
