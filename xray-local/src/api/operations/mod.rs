//! Work of the operations, once signature, policies and members allow them.
//!
//! Each function is one row of the operations' table. A function may block: a thread for blocking work runs it.

pub(super) mod graphs;
pub(super) mod groups;
pub(super) mod insights;
pub(super) mod rules;
pub(super) mod settings;
pub(super) mod tags;
pub(super) mod traces;
