//! The thread that polls: it has the clock, and it waits. It starts with the first layer that uses the sampler and
//! ends with the last, at once when it waits, within the time limit of a request when it asks.

use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::poller::{Now, Poller};
use crate::id::epoch_time;

/// Tells the thread to end.
#[derive(Debug, Default)]
pub(super) struct Stop {
    stopped: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    pub(super) fn stop(&self) {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Waits for as long as `time`; whether it is time to end.
    fn wait(&self, time: Duration) -> bool {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(stopped, time, |stopped| !*stopped);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

pub(super) fn spawn(mut poller: Poller) -> io::Result<Arc<Stop>> {
    let stop = Arc::<Stop>::default();
    let started = Instant::now();
    let run = {
        let stop = Arc::clone(&stop);
        move || {
            loop {
                let next = poller.tick(Now { since_start: started.elapsed(), since_epoch: epoch_time() });
                if stop.wait(next.saturating_sub(started.elapsed())) {
                    return;
                }
            }
        }
    };
    std::thread::Builder::new().name("xray-sampling".to_owned()).spawn(run)?;
    Ok(stop)
}
