//! What a contender is to the tables: a name, and a [`World`] that it sets up for a [`Setting`]. Each is alone in the
//! process at that time: `tracing` asks every subscriber that lives about each callsite, so two at once would pay for
//! each other.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::cpu_clock::stay_awake;
use super::jobs::Job;

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

    /// The same, between two measurements. Answers how long the calling thread was busy with staying awake: a core that
    /// slept is slow for a while, which says nothing about what is measured.
    fn settle(&self) -> Duration {
        flush_awake(self)
    }

    /// Spans to open between two flushes. Defaults to what OpenTelemetry's batch processor takes at once, so
    /// that no batch is torn by its size.
    fn batch(&self) -> u32 {
        500
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
    /// Everything is sampled, nobody is beside, no queue overflows.
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
    /// Sets it up; `None` if it has no such setting.
    pub build: fn(Setting) -> Built,
}

pub(crate) fn flush_awake(world: &(impl World + ?Sized)) -> Duration {
    let start = Instant::now();
    world.flush();
    if start.elapsed() > SLEPT { stay_awake(AWAKE, || true) } else { Duration::ZERO }
}

/// A flush that took so long has put the thread to sleep.
const SLEPT: Duration = Duration::from_micros(100);

/// After which a core is as fast as ever.
pub(crate) const AWAKE: Duration = Duration::from_millis(1);
