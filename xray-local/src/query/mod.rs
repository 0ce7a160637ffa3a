//! Questions to the store: filter expressions, trace summaries, graphs, time series.
//!
//! Everything here takes a connection and plain values, and returns plain values. HTTP stays in
//! [`api`](crate::api).
