//! The judge of documents: what X-Ray, or another receiver, would refuse or lose, and why.
//!
//! [`text`] looks at the bytes, [`schema`] says what each key may hold, [`shape`] holds a document against it,
//! [`rules`] knows what keys owe to each other, and [`judge`] puts these together. Nothing here knows the code
//! that writes documents.

mod judge;

mod text;

mod schema;

mod shape;

mod rules;

mod problem;

#[cfg(test)]
mod tests;

pub use judge::check;
pub(super) use judge::judge;
pub use problem::{Problem, Severity};
