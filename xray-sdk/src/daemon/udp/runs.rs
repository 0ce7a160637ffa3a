//! [`Runs`]: packets that come together, sent in as few system calls as the kernel allows, on the caller's thread. Which of
//! them fit together is said by `batch`, whether the kernel takes runs by `gso`.
//!
//! A caller does not wait, so nothing is paced here. Who gives packets away bounds how many come at once.

use std::sync::{Arc, Mutex, TryLockError};

use super::connection::Connection;
use super::payload::{SendError, Transmit};
use crate::daemon::batch::{next_batch, write_run};
use crate::daemon::{EmitError, Packet};

/// The memory in which runs are put together.
#[derive(Debug, Default)]
pub(super) struct Runs {
    run: Mutex<Vec<u8>>,
}

impl Runs {
    /// Sends packets in order, and reports the result of each.
    pub(super) fn emit(
        &self,
        connection: &Arc<Connection>,
        packets: &[Packet],
        report: &mut dyn FnMut(usize, Result<(), EmitError>),
    ) {
        // Another thread has it seldom, and then for the time of a send.
        let mut own = Vec::new();
        let mut shared = match self.run.try_lock() {
            Ok(run) => Some(run),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        };
        let run = shared.as_deref_mut().unwrap_or(&mut own);
        let mut sent = 0;
        while let Some(rest) = packets.get(sent..).filter(|rest| !rest.is_empty()) {
            let bytes = || rest.iter().map(Packet::as_bytes);
            let batch = next_batch(bytes().map(<[u8]>::len), connection.largest_in_run(), usize::MAX);
            let mut result = Err(SendError::NoGso);
            if batch.count > 1 {
                write_run(run, bytes(), batch);
                result = connection.send(Transmit::run(run, batch.size));
            }
            for (index, packet) in (sent..).zip(rest.iter().take(batch.count)) {
                report(
                    index,
                    match result {
                        Err(SendError::NoGso) => connection.emit(packet.as_bytes()),
                        _ => result.map_err(EmitError::from),
                    },
                );
            }
            if batch.count > 1 && result != Err(SendError::NoGso) {
                connection.counters().count(result.map_err(EmitError::from), batch.count as u64, run.len());
            }
            sent += batch.count;
        }
    }
}
