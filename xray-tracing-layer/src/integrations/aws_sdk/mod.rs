//! Calls by the AWS SDK for Rust, seen from inside. (Feature `aws-sdk`.)
//!
//! ```text
//!  interceptor   the hooks that the SDK calls
//!    resource    what a call is about: a table, a bucket, a queue
//!    call_span   the span that stands for it, the SDK's own or one of ours, and its header
//!    outcome     what came of it
//! ```
//! The SDK knows a call by a bag of values that goes from hook to hook and is dropped with the call's future: what is
//! known of the call here lies in that bag, and nowhere else.

mod call_span;
mod interceptor;
mod outcome;
mod resource;

pub use interceptor::XrayInterceptor;
