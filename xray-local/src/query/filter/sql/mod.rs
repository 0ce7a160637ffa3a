//! Expressions as SQL over the store's tables.
//!
//! `condition` turns trees into conditions, `compare` single comparisons, `pattern` root causes,
//! `shape` conditions over shapes. `fragment` keeps SQL
//! and its parameters together.

mod compare;
mod condition;
mod fragment;
mod pattern;
mod shape;

pub(in crate::query) use condition::{OF_TRACE, column, condition, edge_ids, node_ids, rows, value_test};
pub(in crate::query) use fragment::Fragment;
pub(in crate::query) use shape::{implied, is_shaped, shapes};
