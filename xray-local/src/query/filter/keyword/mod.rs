//! The table of keywords: the one place where the language is defined.
//!
//! The table drives the parser, its hints, the completion, the SQL compiler and the reference page. `row` says what a
//! row has, `flags`, `strings` and `elements` are the rows, `table` finds one.

mod column;
mod elements;
mod field;
mod flags;
mod operator;
mod row;
mod scope;
mod strings;
mod table;

pub(in crate::query) use column::Column;
pub use field::Field;
pub use operator::Operator;
pub use row::{Keyword, Kind, Place};
pub use scope::{CauseLevel, Scope, Within};
