//! A contender, as the tables see it: a name, and a [`World`] that it sets up for a [`Setting`]. Each is alone in the
//! process at that time: `tracing` asks every subscriber that lives about each callsite, so two at once would pay for
//! each other.

use std::io;
use std::net::SocketAddr;

use super::jobs::Job;
use crate::harness::receiver::Reading;

/// A contender that is set up.
pub trait World: Send + Sync {
    /// Does a job so many times on the calling thread.
    fn run(&self, job: Job, times: u32);

    /// Runs `what` with this world's subscriber, if it is one of `tracing`; whether it did.
    fn with_tracing(&self, what: &dyn Fn()) -> bool {
        let _ = what;
        false
    }

    /// Waits until all that was done is in the socket.
    fn flush(&self) {}

    /// Returns whether its threads work off what is done, so that nothing will be lost. Defaults to `true`.
    fn keeps_up(&self) -> bool {
        true
    }
}

/// What a world is set up for.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Where the daemon listens.
    pub daemon: SocketAddr,
    /// Whether traces are sampled.
    pub sampled: bool,
    /// Whether another layer that wants everything and does nothing is beside.
    pub beside: bool,
    /// Whether queues have the length that they have by default, instead of one that never overflows.
    pub short_queue: bool,
}

impl Setting {
    /// Everything is sampled, no other layer is beside, no queue overflows.
    #[must_use]
    pub fn to(daemon: SocketAddr) -> Self {
        Self { daemon, sampled: true, beside: false, short_queue: false }
    }
}

/// A world, or `None` if a contender has no such setting.
pub type Built = io::Result<Option<Box<dyn World>>>;

/// One row of the tables.
#[derive(Clone, Copy)]
pub struct Contender {
    /// Short and unique.
    pub name: &'static str,
    /// Whether documents leave it.
    pub sends: bool,
    /// The largest trace that it survives, in spans.
    pub largest: u32,
    /// Who receives what it sends.
    pub receiver: Reading,
    /// Sets it up; `None` if it has no such setting.
    pub build: fn(Setting) -> Built,
}
