//! Central sampling: the rules, and the targets that clients get for their statistics.
//!
//! Reports of clients are added up in the store. Promises to them are in memory, since a promise lasts half a minute.

mod boost;
mod rules;
mod share;
mod statistics;
mod targets;

pub use boost::BoostStatistics;
pub use rules::{Rule, RuleKey, arn, create, delete, ensure_default, last_modification, list, update};
pub use statistics::{Window, windows};
pub use targets::{ClientStatistics, Outcome, Target, Targets, Unprocessed};
