//! The AWS SDK's clients against an endpoint on loopback: with the interceptor, where the layer sees the SDK's spans
//! and where a filter hides them, and without it.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by it")]

mod endpoint;
mod shop;

mod calls;
mod cost;
mod failures;
mod lambda;
mod placement;
