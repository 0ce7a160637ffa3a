//! Filter expressions: the language in which traces are asked for.
//!
//! ```text
//!  text ──────── parser ───► ast ──► sql        conditions over the store's columns
//!                     │        └────► print      canonical text again
//!                     └─ notes ─────► complete   suggestions at the cursor
//!  keyword (a table) drives parser, complete, sql and reference
//! ```
//!
//! An expression that is not understood is an error with a position, never one that matches everything.

mod ast;
mod complete;
mod error;
mod expression;
pub mod keyword;
mod parser;
mod print;
pub mod reference;
mod root_cause;
mod selector;
pub(in crate::query) mod sql;

#[cfg(test)]
pub(super) mod tests;

pub(in crate::query) use sql::Fragment;

pub use ast::{Expr, NodeSelector, Predicate, Subject, Value};
pub use complete::{Completion, Occurring, Suggestion, complete};
pub use error::FilterError;
pub use expression::Filter;
pub use keyword::{CauseLevel, Operator};
pub use root_cause::{CausePattern, EntityPattern, ExceptionPattern, ServicePattern};
pub use selector::Selector;
