//! What opening a span may take beside the general way: the short way of most spans, and the question to the sampler.

pub(crate) mod plain;
pub(crate) mod sample;
