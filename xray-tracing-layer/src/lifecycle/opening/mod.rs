//! What opening a span may take beside the general way: the short way of most spans, what local
//! roots have alone, and the question to the sampler.

pub(crate) mod plain;
pub(crate) mod root;
mod root_fields;
pub(crate) mod sample;
