//! Documents that are ready and not yet sent: children that have left their parents, until a few of them go together.

pub(crate) mod stream_batch;
pub(crate) mod waiting_spans;
