//! [`Runs`]: packets that come together, sent in as few system calls as the kernel allows, on the caller's thread. Which of
//! them fit together is said by `batch`, whether the kernel takes runs by `gso`.
//!
//! A caller does not wait. Who gives packets away bounds how many come at once, and `pace` makes way for the receiver.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::connection::Connection;
use super::pace::Pace;
use super::payload::{SendError, Transmit};
use crate::daemon::batch::{next_batch, write_run};
use crate::daemon::{EmitError, Packet};

/// The memory in which runs are put together. A thread takes it for the time of its sends, and another one that sends
/// meanwhile has memory of its own.
#[derive(Debug, Default)]
pub(super) struct Runs {
    run: Mutex<Vec<u8>>,
}

impl Runs {
    /// Sends packets in order, and reports the result of each.
    pub(super) fn emit(
        &self,
        (connection, pace): (&Arc<Connection>, &Pace),
        packets: &[Packet],
        report: &mut dyn FnMut(usize, Result<(), EmitError>),
    ) {
        let mut run = std::mem::take(&mut *self.run());
        let mut sent = 0;
        while let Some(rest) = packets.get(sent..).filter(|rest| !rest.is_empty()) {
            let bytes = || rest.iter().map(Packet::as_bytes);
            let batch = next_batch(bytes().map(<[u8]>::len), connection.largest_in_run(), usize::MAX);
            let mut result = Err(SendError::NoGso);
            if batch.count > 1 {
                write_run(&mut run, bytes(), batch);
                result = connection.send(Transmit::run(&run, batch.size));
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
            pace.after(batch.cost(), connection.system());
        }
        *self.run() = run;
    }

    // Held for the time of a move, and nothing panics meanwhile.
    fn run(&self) -> MutexGuard<'_, Vec<u8>> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
