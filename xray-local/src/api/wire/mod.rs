//! Neutral types of `query` as the API's JSON.
//!
//! `query` knows no JSON of the API, and operations know no member names of graphs and summaries: both are here.

mod graph;
mod summary;

pub(super) use graph::{forecast, graph_links, graph_services, histogram, statistics};
pub(super) use summary::summary;
