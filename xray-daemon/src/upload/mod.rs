//! Batches, retries and concurrency: what is sent when, and what an answer means.
//!
//! The decisions are a state machine without clock, network or randomness of its own; a driver runs it.
