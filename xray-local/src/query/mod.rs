//! Questions to the store: filter expressions, trace summaries, graphs, time series, and what the console compares.
//!
//! Everything here takes a connection and plain values, and returns plain values. HTTP stays in
//! [`api`](crate::api). The functions block; async code calls them within [`Store::ask`](crate::store::Store::ask):
//!
//! ```text
//!  find ──► keys of matching traces, newest first        summaries ──► what GetTraceSummaries says of them
//!  service_graph, trace_graph, graph_of ──► Graph        traces ──► compiled documents
//!  series ──► statistics per period                      GroupMatcher ──► the groups of a trace, as it is stored
//! ```

pub mod filter;

mod documents;
mod explore;
mod facet;
mod graph;
mod groups;
pub mod layout;
mod map;
mod nodes;
mod plan;
mod range;
mod search;
mod series;
mod summarize;
mod summary;
mod tally;

#[cfg(test)]
mod tests;

pub use documents::{TraceDocuments, Traces, traces};
pub use explore::{
    Blocker, Bucket, Buckets, Comparison, blockers, chips, compare, histogram, linked, occurring,
};
pub use facet::{Difference, Facet, Occurrence, of_edge, of_node, of_times};
pub use graph::{Edge, Graph, Histogram, Node, Statistics};
pub use groups::GroupMatcher;
pub use map::{graph_of, service_graph, trace_graph};
pub use range::{Range, RangeKind, Sample, Search};
pub use search::{Found, among, find, matches};
pub use series::{Period, SeriesSearch, series};
pub use summarize::{sum_up, summaries};
pub use summary::{
    AnnotationSummary, AnnotationValue, CauseEntity, CauseService, HttpSummary, RootCause, Summary,
    SummaryPage, UserSummary,
};
