//! Filter expressions: the language in which traces are asked for.
//!
//! ```text
//!  text ── lexer ── parse ──► ast ──► sql        conditions over the store's columns
//!                     │        └────► print      canonical text again
//!                     └─ notes ─────► complete   suggestions at the cursor
//!  keyword, table ── drive parse, hint, complete, sql and reference
//! ```
//!
//! What is not understood is an error with a position, never an expression that matches everything.

mod ast;
mod compare;
mod complete;
mod error;
mod expression;
mod fragment;
mod hint;
pub mod keyword;
mod lexer;
mod parse;
mod print;
pub mod reference;
mod root_cause;
mod selector;
pub(in crate::query) mod sql;
mod table;

#[cfg(test)]
pub(super) mod tests;

pub(in crate::query) use fragment::Fragment;

pub use ast::{CauseLevel, Expr, NodeSelector, Operator, Predicate, Subject, Value};
pub use complete::{Completion, Occurring, Suggestion, complete};
pub use error::FilterError;
pub use expression::Filter;
pub use root_cause::{CausePattern, EntityPattern, ExceptionPattern, ServicePattern};
pub use selector::Selector;
