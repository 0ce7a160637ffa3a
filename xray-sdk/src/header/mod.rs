//! The trace header: what a caller tells a service about the trace that it is to join.
//!
//! [`TraceHeader`] is X-Ray's own (`x-amzn-trace-id`), with its [`SamplingDecision`]; [`Traceparent`] is W3C's
//! form of the same facts. HTTP, queues and Lambda's environment all carry the same text, so no transport is
//! known here: integrations read and write it there, the layer places spans by it.

mod decision;
mod trace_header;

mod carrier;
mod parse;
mod w3c;

pub use carrier::Carrier;
pub use decision::{ParseDecisionError, SamplingDecision};
pub use parse::ParseHeaderError;
pub use trace_header::{Extras, TraceHeader};
pub use w3c::{ParseTraceparentError, Traceparent};
