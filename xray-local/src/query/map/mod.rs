//! The service map and its statistics: `tally` counts, `draw` makes maps of the counts, `series` makes periods, `layout`
//! says where the nodes of a map lie.

mod draw;
mod graph;
pub mod layout;
mod series;
mod tally;

pub use draw::{graph_of, service_graph, trace_graph};
pub use graph::{Edge, Graph, Histogram, Node, Statistics};
pub use series::{Period, SeriesSearch, series};
