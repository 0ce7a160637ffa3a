//! Objects that the API keeps besides traces: sampling rules and their targets, groups, tags, resource policies, settings,
//! retrievals, telemetry.
//!
//! Functions over a connection, and errors in the service's names. HTTP and JSON of whole answers stay in
//! [`api`](crate::api); a rule and a group are kept as the API's own JSON.

mod error;
pub mod groups;
pub mod resource_policies;
pub mod retrievals;
pub mod sampling;
pub mod settings;
pub mod tags;
pub mod telemetry;

pub use error::{ControlError, Limits};

#[cfg(test)]
mod tests;
