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
mod groups;
mod map;
mod nodes;
mod search;
mod summary;

#[cfg(test)]
mod tests;

pub use documents::{TraceDocuments, Traces, revision, spans, traces};
pub use explore::{
    Blocker, Bucket, Buckets, Comparison, Difference, Facet, Occurrence, blockers, chips, compare, histogram,
    linked, occurring, of_edge, of_node, of_times,
};
pub use groups::GroupMatcher;
pub use map::{
    Edge, Graph, Histogram, Node, Period, SeriesSearch, Statistics, TraceLink, graph_of, layout, series,
    service_graph, trace_graph, trace_links,
};
pub use search::{Found, Range, RangeKind, Sample, Search, among, find, matches};
pub use summary::{
    AnnotationSummary, AnnotationValue, CauseEntity, CauseService, HttpSummary, RootCause, Summary,
    SummaryPage, UserSummary, sum_up, summaries,
};
