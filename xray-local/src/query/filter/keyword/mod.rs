//! The table of keywords: the one place where the language is defined.
//!
//! The table drives the parser, its hints, the completion, the SQL compiler and the reference page. `row` says what a
//! row has, `flags`, `strings` and `elements` are the rows.

mod column;
mod elements;
mod flags;
mod row;
mod scope;
mod strings;
mod table;

pub(super) use column::Column;
pub use row::{Keyword, Kind, Place};
pub use scope::{Scope, Within};
pub use table::Field;
