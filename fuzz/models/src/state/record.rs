//! The part of a span's record that the table knows of: its kind, and a number by which records differ.

#[path = "../../../../xray-tracing-layer/src/state/record/role.rs"]
mod role;

pub(crate) use role::Kind;

/// The layer's `Inheritance`: words.
pub(crate) type Inheritance = [u64; 6];

#[derive(Debug)]
pub(crate) struct SpanRecord {
    pub(crate) kind: Kind,
    pub(crate) number: u32,
}

impl SpanRecord {
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }
}
