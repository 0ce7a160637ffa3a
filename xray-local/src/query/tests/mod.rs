//! Questions to a store with traces whose answers are known: from a naive evaluator, or worked out by hand.

mod agreement;
mod documents;
mod evaluation;
mod graphs;
mod oracle;
mod summaries;
mod support;
