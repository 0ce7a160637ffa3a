//! Commands of the MongoDB driver that have not finished.
//!
//! The event that ends a command has neither its database nor its exact start. Both are stored here until
//! then.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::state::clock::Ticks;

/// Commands by the driver's request number. Each slot has room for one, the latest.
///
/// A command that never ends leaves nothing but its slot. A command that lost its slot is named after its
/// host.
#[derive(Debug)]
pub(crate) struct InFlightCommands([Mutex<Command>; COMMANDS]);

/// A command that was sent.
#[derive(Debug, Default)]
pub(crate) struct Command {
    request: u64,
    /// The time when the command was sent; 0 in an empty slot.
    pub(crate) started: Ticks,
    pub(crate) database: String,
}

/// The number of slots: commands in flight at once, if their numbers are consecutive.
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

    /// Removes the command, if it is still stored.
    pub(crate) fn ended(&self, request: u64) -> Option<Command> {
        let mut slot = self.slot(request);
        (slot.request == request && slot.started != 0).then(|| std::mem::take(&mut *slot))
    }

    fn slot(&self, request: u64) -> MutexGuard<'_, Command> {
        self.0[request as usize % COMMANDS].lock().unwrap_or_else(PoisonError::into_inner)
    }
}
