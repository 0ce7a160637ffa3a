//! The primitives by which threads meet in the span table: std's. The models in `fuzz/models` compile the same `table`
//! with loom's in their place, to go through every order in which threads can meet.

pub(super) use std::sync::atomic::{AtomicU32, AtomicU64};
pub(super) use std::sync::{Mutex, MutexGuard};
