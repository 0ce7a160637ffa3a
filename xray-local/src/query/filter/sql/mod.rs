//! Expressions as SQL over the store's tables.
//!
//! `condition` turns trees into conditions, `compare` single comparisons, `pattern` root causes. `fragment` keeps SQL
//! and its parameters together.

mod compare;
mod condition;
mod fragment;
mod pattern;

pub(in crate::query) use condition::{condition, edge_ids, node_ids, rows};
pub(in crate::query) use fragment::Fragment;
