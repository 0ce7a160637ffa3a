//! The service map and its statistics: `tally` counts, `draw` makes maps of the counts, `links` lists the
//! traces that lead into others, `series` makes periods, `layout` says where the nodes of a map lie.

mod draw;
mod graph;
pub mod layout;
mod links;
mod series;
mod tally;

pub use draw::{graph_of, service_graph, trace_graph};
pub use graph::{Edge, Graph, Histogram, Node, Statistics};
pub use links::{TraceLink, trace_links};
pub use series::{Period, SeriesSearch, series};
