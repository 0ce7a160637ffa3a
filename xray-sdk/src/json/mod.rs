//! JSON, written a token at a time. No name of a member is known here: the grammar of documents is `document`'s.
//!
//! [`Buffer`] appends, `escape` finds what has to be escaped and where a string may be cut, `digits` makes decimals,
//! `member` appends short members as blocks.

mod buffer;
mod digits;
mod escape;
mod member;

pub use buffer::Buffer;
pub(crate) use buffer::Piece;
pub(crate) use digits::{decimal_digits, decimal_digits_apart};
pub use escape::{all_words, end_of_host, is_plain_path, is_plain_path_or_port};
pub(crate) use escape::{escaped_prefix, string_token_len};
pub(crate) use member::MemberKey;

#[cfg(test)]
mod tests;
