//! Filter expressions: the language in which traces are asked for.
//!
//! ```text
//!  text ── lexer ── parse ──► ast ──► sql        conditions over the store's columns
//!                     │        └────► print      canonical text again
//!                     └─ notes ─────► complete   suggestions at the cursor
//!  keyword (table) drives parse, hint, complete, sql and reference
//! ```
//!
//! What is not understood is an error with a position, never an expression that matches everything.

mod ast;
mod error;
mod hint;
pub mod keyword;
mod lexer;
mod parse;
mod print;
mod root_cause;
mod selector;
mod table;

pub use ast::{CauseLevel, Expr, NodeSelector, Operator, Predicate, Subject, Value};
pub use error::FilterError;
pub use root_cause::{CausePattern, EntityPattern, ExceptionPattern, ServicePattern};
pub use selector::Selector;

mod filter;
pub use filter::Filter;
