//! Clocks and medians: how long a world takes for a job, on the thread that does it and in the whole process.
//! Who is measured is a [`World`] like any other here.

use std::time::{Duration, Instant};

use crate::workload::contender::World;
use crate::workload::cpu_clock::{cpu_of_process, cpu_of_thread, stay_awake};
use crate::workload::jobs::Job;

/// One measurement, in nanoseconds per job.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sample {
    /// Time on the wall until the calling thread goes on.
    pub(crate) wall: f64,
    /// CPU time of the calling thread, without the flush.
    pub(crate) caller: f64,
    /// CPU time of the whole process until all bytes are in the socket.
    pub(crate) total: f64,
    /// In what rhythm that was.
    pub(crate) rhythm: Rhythm,
}

/// Jobs one after the other, and how long the thread stayed awake for nothing until the next. While it does, the core's
/// caches are somebody else's: what is compared has to be done in the same rhythm.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rhythm {
    batch: u32,
    rest: Duration,
}

/// Does `job` `times` times, in batches with a flush after each, so that no queue overflows.
pub(crate) fn sample(world: &dyn World, job: Job, times: u32) -> Sample {
    let batch = (world.batch() / job.spans()).max(1);
    sample_in(world, job, times, Rhythm { batch, rest: Duration::ZERO })
}

/// The same, with pauses as long as another contender's.
pub(crate) fn sample_in(world: &dyn World, job: Job, times: u32, rhythm: Rhythm) -> Sample {
    let Rhythm { batch, rest } = rhythm;
    let (mut wall, mut caller, mut waited) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    let total_before = cpu_of_process();
    let mut left = times;
    while left > 0 {
        let now = left.min(batch);
        let (cpu, start) = (cpu_of_thread(), Instant::now());
        world.run(job, now);
        wall += start.elapsed();
        caller += cpu_of_thread().saturating_sub(cpu);
        waited += world.settle();
        if !rest.is_zero() {
            waited += stay_awake(rest, || true);
        }
        left -= now;
    }
    let total = cpu_of_process().saturating_sub(total_before + waited);
    let per_job = |time: Duration| time.as_nanos() as f64 / f64::from(times);
    let rhythm = Rhythm { batch, rest: waited / times.div_ceil(batch) };
    Sample { wall: per_job(wall), caller: per_job(caller), total: per_job(total), rhythm }
}

/// How often to do `job` so that it takes `long` on the calling thread; at most so that a slow export behind
/// it ends in ten times as long.
pub(crate) fn times_for(world: &dyn World, job: Job, long: Duration) -> u32 {
    let mut times = 1;
    loop {
        let start = Instant::now();
        let one = sample(world, job, times);
        let took = start.elapsed();
        if took > long / 8 || times > 1 << 20 {
            let per_job = one.wall.max(took.as_nanos() as f64 / f64::from(times) / 10.0).max(1.0);
            return (long.as_nanos() as f64 / per_job).clamp(1.0, 4e6) as u32;
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
