//! What operations do, once signature, policies and members allow them.

pub(super) mod graphs;
pub(super) mod groups;
pub(super) mod insights;
pub(super) mod rules;
pub(super) mod settings;
pub(super) mod tags;
pub(super) mod traces;
