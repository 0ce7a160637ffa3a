//! Questions of the console beyond the API: values that occur and differ, histograms, conditions that removed everything.

mod ask;
mod facet;

pub use ask::{Blocker, Bucket, Buckets, Comparison, blockers, chips, compare, histogram, linked, occurring};
pub use facet::{Difference, Facet, Occurrence, of_edge, of_node, of_times};
