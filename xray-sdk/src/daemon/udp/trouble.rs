//! [`Trouble`]: the latest reason why packets did not get through, and whether it still holds. Not part of sending:
//! [`EmitterProblem`]s are for diagnoses.

use crate::daemon::EmitterProblem;

pub(super) struct Trouble {
    pub(super) problem: EmitterProblem,
    /// The packets that the kernel had taken by then.
    pub(super) sent: u64,
}

impl Trouble {
    /// Returns whether the reason still holds, when the kernel has taken `sent` packets.
    ///
    /// After a refusal, the packet is sent once more, which the kernel takes. If that one was refused as well, the next
    /// send renews the reason.
    pub(super) fn is_current(&self, sent: u64) -> bool {
        sent <= self.sent + ATTEMPTS
    }
}

/// Packets that the kernel takes, at most, before it reports a refusal again: the one that is sent once more. Another
/// thread may send one meanwhile.
const ATTEMPTS: u64 = 2;
