//! From text to a tree, with errors that say where and why.
//!
//! `condition` and `element` are the grammar, `cursor` the position in the text, `expected` what the grammar accepts
//! there, `hint` how a mistake was meant.

mod condition;
mod cursor;
mod element;
mod expected;
mod hint;
mod lexer;

pub(super) use cursor::Parser;
pub(super) use expected::Expected;
pub(super) use lexer::is_word;
