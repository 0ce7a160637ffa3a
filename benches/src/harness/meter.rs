//! Clocks, medians, and the rhythm in which worlds are measured: how long a world takes for a job, on the thread that does
//! it and in the whole process. Who is measured is a [`World`] like any other here.
//!
//! The rhythm is that of a busy service, and the same for all: [`BURST`] spans, then a pause, in which the threads of those
//! that have some do their work, as they would anyway. Nothing is flushed before the end. The calling thread stays awake in
//! the pause, since a core that slept is slow for a while, and that time would be counted for a contender.

use std::time::{Duration, Instant};

use crate::workload::contender::World;
use crate::workload::cpu_clock::{cpu_of_process, cpu_of_thread, stay_awake};
use crate::workload::jobs::Job;

/// Spans at once.
pub(crate) const BURST: u32 = 500;

/// The pause after so many spans: ten thousand requests of five spans a second.
pub(crate) const PAUSE: Duration = Duration::from_millis(10);

/// One measurement, in nanoseconds per job.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sample {
    /// Time on the wall until the calling thread goes on.
    pub(crate) wall: f64,
    /// CPU time of the calling thread, without the flush.
    pub(crate) caller: f64,
    /// CPU time of the whole process until all bytes are in the socket.
    pub(crate) total: f64,
}

/// Does `job` in the rhythm for about as `long` as that, after half of that to warm up.
pub(crate) fn sample(world: &dyn World, job: Job, long: Duration) -> Sample {
    turns(world, job, long / 2);
    turns(world, job, long)
}

fn turns(world: &dyn World, job: Job, long: Duration) -> Sample {
    let jobs = (BURST / job.spans()).max(1);
    let pause = PAUSE * (jobs * job.spans()) / BURST;
    let turns = long.div_duration_f64(pause).round().max(1.0) as u32;
    let (mut wall, mut caller, mut awake) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    let before = cpu_of_process();
    for _ in 0..turns {
        let (cpu, start) = (cpu_of_thread(), Instant::now());
        world.run(job, jobs);
        wall += start.elapsed();
        caller += cpu_of_thread().saturating_sub(cpu);
        awake += stay_awake(pause, || world.keeps_up());
    }
    world.flush();
    let total = cpu_of_process().saturating_sub(before + awake);
    let per_job = |time: Duration| time.as_nanos() as f64 / f64::from(turns * jobs);
    Sample { wall: per_job(wall), caller: per_job(caller), total: per_job(total) }
}

/// How often the calling thread does `job` in so `long` a time, without a pause.
pub(crate) fn times_for(world: &dyn World, job: Job, long: Duration) -> u32 {
    let mut times = 1;
    loop {
        let start = Instant::now();
        world.run(job, times);
        let took = start.elapsed();
        world.flush();
        if took > long / 8 || times > 1 << 20 {
            let per_job = took.as_nanos() as f64 / f64::from(times);
            return (long.as_nanos() as f64 / per_job.max(1.0)).clamp(1.0, 4e6) as u32;
        }
        times *= 2;
    }
}

/// The middle of some measurements, and how far they lie apart.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Median {
    pub(crate) value: f64,
    /// Half the distance between the quartiles, as a part of the value.
    pub(crate) spread: f64,
}

impl Median {
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let at = |part: f64| {
            let place = part * values.len().saturating_sub(1) as f64;
            values.get(place.round() as usize).copied().unwrap_or_default()
        };
        let value = at(0.5);
        let spread = if value > 0.0 { (at(0.75) - at(0.25)) / 2.0 / value } else { 0.0 };
        Self { value, spread }
    }
}
