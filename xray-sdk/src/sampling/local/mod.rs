//! Rules that are kept beside the program: read from a file in the official SDKs' form, or written in code.
//!
//! `parse` is the file's grammar, `error` says which rule is wrong and why, `rule` is one of them, `rules` decides. The first rule that
//! matches wins, in the order of the file; the default comes last.

mod error;
mod rule;

mod parse;
mod rules;

pub use error::{RuleProblem, RulesError};
pub use rule::LocalRule;
pub use rules::LocalRules;
