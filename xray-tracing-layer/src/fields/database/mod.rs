//! Databases: values of their fields, and statements without the literals in them.

mod sql;
pub(crate) mod values;
