//! loom's primitives under the names of the layer's `state/sync.rs`.

pub(super) use loom::sync::atomic::{AtomicU32, AtomicU64};
pub(super) use loom::sync::{Mutex, MutexGuard};
