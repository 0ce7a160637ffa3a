//! loom's primitives under the names of the SDK's `queued/sync.rs`. What loom does not have is as close as it gets: a
//! sleep with a limit is a step in which others go on, and all threads have the same home, where they meet most.

use std::time::Duration;

pub(super) use loom::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, fence};
pub(super) use loom::sync::{Condvar, Mutex, MutexGuard};
pub(super) use loom::thread::{Thread, park, yield_now};
pub(super) use loom::thread_local;

/// Nothing. loom's own would let the thread that holds a lock go on, and a spin would never be in vain.
pub(super) fn spin_loop() {}

pub(super) fn sleep(_: Duration) {
    yield_now();
}

/// A limit of a day is none, so that a wake-up which is lost is found.
pub(super) fn park_timeout(time: Duration) {
    if time < super::models::LONG {
        yield_now();
    } else {
        park();
    }
}

/// The same for all, since a model has to run the same each time.
pub(super) fn next_thread_number() -> usize {
    0
}
