//! Parts of opening a span beside the general way: the short way of most spans, the beginning of a root, and the
//! question to the sampler.

pub(crate) mod plain;
pub(crate) mod root;
mod root_fields;
pub(crate) mod sample;
