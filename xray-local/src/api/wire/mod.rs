//! Neutral types of `query` as the API's JSON.

mod graph;
mod summary;

pub(super) use graph::{forecast, graph_services, histogram, statistics};
pub(super) use summary::summary;
