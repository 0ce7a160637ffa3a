//! Steps of opening a span: the short way of most spans, the question to the sampler, the record's way into the table.

pub(crate) mod insert;
pub(crate) mod plain;
pub(crate) mod sample;
