//! The trace header: what a caller sends to a service so that it joins the trace.
//!
//! [`TraceHeader`] is X-Ray's own (`x-amzn-trace-id`), with its [`SamplingDecision`]; [`Traceparent`] is W3C's
//! form of the same facts. HTTP, queues and Lambda's environment all carry the same string, so no
//! transport is known here: integrations read and write the header, and the layer places spans by it.

mod decision;
mod trace_header;

mod carrier;
mod pairs;
mod parse;
mod w3c;

pub use carrier::Carrier;
pub use decision::{ParseDecisionError, SamplingDecision};
pub use parse::ParseHeaderError;
pub use trace_header::{Extras, TraceHeader};
pub use w3c::{ParseTraceparentError, Traceparent};
