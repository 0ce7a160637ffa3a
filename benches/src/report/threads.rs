//! Job A from several threads at once: requests per second of all of them together. A lock that they share shows
//! here as a ratio that does not grow with the cores.

use std::io;
use std::path::Path;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use crate::contenders::{self};
use crate::harness::meter::{Median, times_for};
use crate::harness::receiver::Receiver;
use crate::report::effort::Effort;
use crate::workload::contender::{Setting, World};
use crate::workload::jobs::Job;

/// How many threads do the same.
pub const THREADS: [usize; 4] = [1, 2, 4, 8];

/// Requests per second of one contender, in the order of [`THREADS`].
#[derive(Clone, Debug)]
pub struct Row {
    pub(crate) contender: &'static str,
    pub(crate) throughput: Vec<Median>,
}

/// Measures all contenders.
///
/// # Errors
/// If the sink or a contender can't be set up.
pub fn measure(binary: &Path, effort: Effort) -> io::Result<Vec<Row>> {
    let sink = Receiver::start(binary, "127.0.0.1:0")?;
    let contenders = contenders::all();
    let mut samples = vec![vec![Vec::new(); THREADS.len()]; contenders.len()];
    let mut times = vec![0; contenders.len()];
    for _ in 0..effort.rounds {
        for (index, contender) in contenders.iter().enumerate() {
            let Some(world) = (contender.build)(Setting::to(sink.address()))? else { continue };
            if times[index] == 0 {
                // Enough for all threads to run side by side for a while.
                times[index] = times_for(&*world, Job::Request, effort.long * 4).max(1_000);
            }
            for (threads, samples) in THREADS.into_iter().zip(&mut samples[index]) {
                samples.push(throughput(&*world, threads, times[index]));
                world.flush();
            }
        }
    }
    let row = |(contender, samples): (crate::workload::contender::Contender, Vec<Vec<f64>>)| Row {
        contender: contender.name,
        throughput: samples.into_iter().map(Median::of).collect(),
    };
    Ok(contenders.into_iter().zip(samples).map(row).collect())
}

/// Each thread looks at the clock itself: one that only waits for the others is woken when they are done already.
fn throughput(world: &dyn World, threads: usize, times: u32) -> f64 {
    let share = times / threads as u32 + 1;
    let start = Barrier::new(threads);
    let work = || {
        world.run(Job::Request, share / 10 + 1);
        start.wait();
        let begin = Instant::now();
        world.run(Job::Request, share);
        (begin, Instant::now())
    };
    let spans: Vec<(Instant, Instant)> = thread::scope(|scope| {
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        all.into_iter().filter_map(|one| one.join().ok()).collect()
    });
    let begin = spans.iter().map(|span| span.0).min();
    let end = spans.iter().map(|span| span.1).max();
    let took = begin.zip(end).map_or(f64::INFINITY, |(begin, end)| (end - begin).as_secs_f64());
    f64::from(share) * threads as f64 / took
}
