//! Parts of opening a span beside the slow path: the fast path of most spans, the beginning of a root, and the
//! question to the sampler.

pub(crate) mod plain;
pub(crate) mod root;
mod root_fields;
pub(crate) mod sample;
