//! Calls of the AWS SDK for Rust.
//!
//! ```text
//!  interceptor   the hooks that the SDK calls
//!    resource    names of the table, the bucket, the queue
//!    tables      names of the tables of DynamoDB's batches and statements
//!    call_span   the span of the call, the SDK's own or one of ours, and its header
//!    call_body   the writer of its document
//!    outcome     the result
//! ```
//! The SDK passes a bag of values from hook to hook, and drops it with the call's future. All data of a call
//! is stored there, and nowhere else.

mod call_body;
mod call_span;
mod interceptor;
mod outcome;
mod resource;
mod tables;

pub use interceptor::XrayInterceptor;
