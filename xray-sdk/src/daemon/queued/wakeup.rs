//! [`Wakeup`]: whether the sender sleeps, which flushes are due, and whether it is to end. Waking is a system call and
//! costs the caller as much as the send that the queue spares it, so it is done for a sender that is parked, not for
//! one that naps.

use std::sync::atomic::Ordering;
use std::sync::{OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::sync::{
    AtomicBool, AtomicU8, AtomicU64, Condvar, Mutex, MutexGuard, Thread, fence, park, park_timeout,
};

#[derive(Default)]
pub(super) struct Wakeup {
    /// [`AWAKE`], [`NAPPING`] or [`PARKED`].
    state: AtomicU8,
    sender: OnceLock<Thread>,
    /// Flushes asked for.
    asked: AtomicU64,
    stopping: AtomicBool,
    abandoned: AtomicBool,
    progress: Mutex<Progress>,
    moved: Condvar,
}

#[derive(Default)]
struct Progress {
    /// Flushes that are done.
    answered: u64,
    ended: bool,
}

/// Called by emitters.
impl Wakeup {
    /// Wakes the sender if it is parked. To be called after each push.
    ///
    /// Relaxed is enough, for the shard's lock orders it: a sender that parks says so before it looks into each
    /// shard for the last time. Either it finds there what was pushed, or who pushes after it finds it parked.
    #[inline]
    pub(super) fn after_push(&self) {
        if self.state.load(Ordering::Relaxed) == PARKED {
            self.wake_from(PARKED);
        }
    }

    /// Rings if the sender naps, because the queue fills quicker than a nap is long.
    ///
    /// The fences are for a sender that begins to nap at this moment: either it sees that the queue is crowded, or it is
    /// seen napping here.
    pub(super) fn cut_nap(&self) {
        fence(Ordering::SeqCst);
        self.wake_from(NAPPING);
    }

    /// Wakes the sender once, however many emitters find it asleep.
    #[cold]
    fn wake_from(&self, state: u8) {
        if self.state.compare_exchange(state, AWAKE, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.ring();
        }
    }

    fn ring(&self) {
        if let Some(sender) = self.sender.get() {
            sender.unpark();
        }
    }
}

/// Called by threads that wait.
impl Wakeup {
    /// Waits until all that was pushed before is gone, or `timeout` is over, which is `false`.
    pub(super) fn flush(&self, timeout: Duration) -> bool {
        let ticket = self.asked.fetch_add(1, Ordering::AcqRel) + 1;
        self.ring();
        self.wait(timeout, |progress| progress.answered >= ticket || progress.ended)
    }

    /// Lets the sender send what there is and end. Whether it has, within `timeout`.
    pub(super) fn stop(&self, timeout: Duration) -> bool {
        self.stopping.store(true, Ordering::Release);
        self.ring();
        self.wait(timeout, |progress| progress.ended)
    }

    /// Lets the sender end with what there is unsent. Whether it has, within `timeout`.
    pub(super) fn abandon(&self, timeout: Duration) -> bool {
        self.abandoned.store(true, Ordering::Release);
        self.stop(timeout)
    }

    fn wait(&self, timeout: Duration, done: impl Fn(&Progress) -> bool) -> bool {
        let start = Instant::now();
        let mut progress = self.progress();
        while !done(&progress) {
            let Some(left) = timeout.checked_sub(start.elapsed()).filter(|left| !left.is_zero()) else {
                return false;
            };
            progress = self.moved.wait_timeout(progress, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    // Nothing panics under this lock.
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Called by the sender.
impl Wakeup {
    /// Says which thread is to be woken. To be called before anything is pushed.
    pub(super) fn introduce(&self, sender: Thread) {
        let _ = self.sender.set(sender);
    }

    /// Flushes asked for so far.
    pub(super) fn asked(&self) -> u64 {
        self.asked.load(Ordering::Acquire)
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Acquire)
    }

    /// Answers the flushes up to number `asked`.
    pub(super) fn answer(&self, asked: u64) {
        self.progress().answered = asked;
        self.moved.notify_all();
    }

    pub(super) fn end(&self) {
        self.progress().ended = true;
        self.moved.notify_all();
    }

    /// Sleeps for a while, unless the queue `is_crowded`, asked after the sender said so. What is pushed meanwhile waits.
    pub(super) fn nap(&self, time: Duration, is_crowded: impl FnOnce() -> bool) {
        self.state.store(NAPPING, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        if !is_crowded() {
            park_timeout(time);
        }
        self.state.store(AWAKE, Ordering::Relaxed);
    }

    /// Sleeps until something is pushed or asked for, unless `is_idle`, asked after the sender said so, is not.
    pub(super) fn park(&self, is_idle: impl FnOnce() -> bool) {
        self.state.store(PARKED, Ordering::Relaxed);
        if is_idle() {
            park();
        }
        self.state.store(AWAKE, Ordering::Relaxed);
    }
}

const AWAKE: u8 = 0;
const NAPPING: u8 = 1;
const PARKED: u8 = 2;
