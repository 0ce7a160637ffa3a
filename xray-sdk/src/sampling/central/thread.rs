//! The thread that polls: it has the clock, and it waits. The thread starts with the first layer that uses the sampler and
//! ends with the last, after it has handed in what was counted until then; at once when it waits, within the time
//! limit of a request when it asks.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::poller::{Now, Poller};
use crate::id::epoch_time;

/// Requests to the thread, and its replies.
#[derive(Debug, Default)]
pub(super) struct PollerControl {
    control: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    stopped: bool,
    /// Flushes that were asked for, and that were answered.
    asked: u64,
    answered: u64,
    /// Set if the service accepted the latest report.
    taken: bool,
}

impl PollerControl {
    pub(super) fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }

    /// Has everything handed in that was counted so far, and waits for it.
    pub(super) fn flush(&self, timeout: Duration) -> bool {
        let mut state = self.lock();
        state.asked += 1;
        let mine = state.asked;
        self.changed.notify_all();
        let open = |state: &mut State| state.answered < mine;
        let waited = self.changed.wait_timeout_while(state, timeout, open);
        let (state, result) = waited.unwrap_or_else(PoisonError::into_inner);
        !result.timed_out() && state.taken
    }

    /// Waits for as long as `time`, or until there is an order.
    fn wait(&self, time: Duration) -> Order {
        let none = |state: &mut State| !state.stopped && state.asked <= state.answered;
        let waited = self.changed.wait_timeout_while(self.lock(), time, none);
        let state = waited.unwrap_or_else(PoisonError::into_inner).0;
        if state.asked > state.answered {
            Order::Flush(state.asked)
        } else if state.stopped {
            Order::Stop
        } else {
            Order::None
        }
    }

    fn answer(&self, flush: u64, taken: bool) {
        let mut state = self.lock();
        (state.answered, state.taken) = (flush, taken);
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Order {
    None,
    /// Up to the flush of this number.
    Flush(u64),
    Stop,
}

pub(super) fn spawn(mut poller: Poller) -> io::Result<Arc<PollerControl>> {
    let control = Arc::<PollerControl>::default();
    let started = Instant::now();
    let run = {
        let control = Arc::clone(&control);
        move || {
            let now = || Now { since_start: started.elapsed(), since_epoch: epoch_time() };
            loop {
                let next = poller.tick(now());
                match control.wait(next.saturating_sub(started.elapsed())) {
                    Order::None => {}
                    Order::Flush(number) => control.answer(number, poller.flush(now())),
                    // Callers that still wait, or ask later, get this reply.
                    Order::Stop => return control.answer(u64::MAX, poller.flush(now())),
                }
            }
        }
    };
    std::thread::Builder::new().name("xray-sampling".to_owned()).spawn(run)?;
    Ok(control)
}
