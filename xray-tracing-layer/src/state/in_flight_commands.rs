//! Commands of the MongoDB driver that were sent and are not over yet: where their name and exact start are kept
//! until the event that ends them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::state::clock::Ticks;

/// Commands that were sent, by the number that the driver gives each: for every one the latest in its slot. One that
/// never ends leaves nothing behind but its slot, and one that lost its slot is named by its host alone.
#[derive(Debug)]
pub(crate) struct InFlightCommands([Mutex<Command>; COMMANDS]);

/// A command that was sent.
#[derive(Debug, Default)]
pub(crate) struct Command {
    request: u64,
    /// 0 if there is none.
    pub(crate) started: Ticks,
    pub(crate) database: String,
}

/// Commands that may be under way at once, if their numbers follow each other.
const COMMANDS: usize = 64;

impl Default for InFlightCommands {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::default()))
    }
}

impl InFlightCommands {
    pub(crate) fn started(&self, request: u64, database: String, now: Ticks) {
        *self.slot(request) = Command { request, started: now, database };
    }

    /// Forgets the command, if it is still known.
    pub(crate) fn ended(&self, request: u64) -> Option<Command> {
        let mut slot = self.slot(request);
        (slot.request == request && slot.started != 0).then(|| std::mem::take(&mut *slot))
    }

    fn slot(&self, request: u64) -> MutexGuard<'_, Command> {
        self.0[request as usize % COMMANDS].lock().unwrap_or_else(PoisonError::into_inner)
    }
}
