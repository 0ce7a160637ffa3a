//! The primitives by which threads meet in the queue: std's. The models in `fuzz/models` compile the same `arena` and
//! `wakeup` with loom's in their place, to go through every order in which threads can meet. No other file of the queue
//! imports a lock, an atomic or a thread's sleep from std.

use std::sync::atomic::Ordering;

pub(super) use std::hint::spin_loop;
pub(super) use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, fence};
pub(super) use std::sync::{Condvar, Mutex, MutexGuard};
pub(super) use std::thread::{Thread, park, park_timeout, sleep, yield_now};
pub(super) use std::thread_local;

/// Returns another number for each thread that asks, from 0 on.
pub(super) fn next_thread_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
