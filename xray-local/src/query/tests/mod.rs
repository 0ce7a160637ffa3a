//! Questions to a store with traces whose answers are known: from a naive evaluator, or worked out by hand.

mod agreement;
mod documents;
mod evaluation;
mod explore;
mod graphs;
mod oracle;
mod plans;
mod summaries;
mod support;
