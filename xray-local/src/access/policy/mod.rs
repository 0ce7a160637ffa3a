//! IAM policies: parsed strictly, evaluated purely.
//!
//! Whatever decides about a request lives here: the document's grammar, wildcards, policy variables, conditions, and
//! the order in which explicit denials, boundaries, session policies and allowances count. Nothing in this room knows
//! HTTP, the store or the clock. A document that this room does not understand in full is refused when it is loaded,
//! because a `Deny` that quietly matches nothing would permit.

mod arn;
mod condition;
mod context;
mod document;
mod evaluate;
mod json;
mod net;
mod operator;
mod pattern;
mod principal;
mod statement;
mod timestamp;

pub use context::Context;
pub use document::{Policy, PolicyError};
pub use evaluate::{
    Layer, Named, Outcome, Policies, Question, StatementRef, Verdict, evaluate, evaluate_trust,
};
pub use principal::{Principal, PrincipalKind};
pub use statement::Kind;

#[cfg(test)]
mod tests;
