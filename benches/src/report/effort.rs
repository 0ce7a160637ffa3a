//! The effort of a measurement: its rounds, and their length.

use std::time::Duration;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Rounds in which all take turns.
    pub rounds: u32,
    /// How long a contender does a job in each, pauses included.
    pub long: Duration,
}
