//! How the cost of a span grows with the size of its trace: from one span to ten thousand below a root, and from
//! one level to five hundred.

use std::io;
use std::path::Path;

use crate::contenders::{self};
use crate::harness::meter::{Median, sample, times_for};
use crate::harness::receiver::Receiver;
use crate::report::effort::Effort;
use crate::workload::contender::Setting;
use crate::workload::jobs::Job;

/// Traces, from small to large: children of one root, then levels below it.
pub const SIZES: [Job; 9] = [
    Job::Children(1),
    Job::Children(10),
    Job::Children(100),
    Job::Children(1_000),
    Job::Children(10_000),
    Job::Chain(1),
    Job::Chain(10),
    Job::Chain(100),
    Job::Chain(500),
];

/// CPU of the whole process per span, in nanoseconds, in the order of [`SIZES`].
#[derive(Clone, Debug)]
pub struct Row {
    pub(crate) contender: &'static str,
    pub(crate) per_span: Vec<Option<Median>>,
}

/// Measures all contenders.
///
/// # Errors
/// If the sink or a contender can't be set up.
pub fn measure(binary: &Path, effort: Effort) -> io::Result<Vec<Row>> {
    let sink = Receiver::start(binary, "127.0.0.1:0")?;
    let contenders = contenders::all();
    let mut samples = vec![vec![Vec::new(); SIZES.len()]; contenders.len()];
    let mut times = vec![[0; SIZES.len()]; contenders.len()];
    for _ in 0..effort.rounds {
        for (index, contender) in contenders.iter().enumerate() {
            for (size, job) in SIZES.into_iter().enumerate() {
                if job.spans() > contender.largest {
                    continue;
                }
                let Some(world) = (contender.build)(Setting::to(sink.address()))? else { continue };
                let times = &mut times[index][size];
                if *times == 0 {
                    *times = times_for(&*world, job, effort.long / 2);
                }
                sample(&*world, job, *times / 10 + 1);
                samples[index][size].push(sample(&*world, job, *times).total / f64::from(job.spans()));
            }
        }
    }
    let row = |(contender, samples): (crate::workload::contender::Contender, Vec<Vec<f64>>)| Row {
        contender: contender.name,
        per_span: samples.into_iter().map(|one| (!one.is_empty()).then(|| Median::of(one))).collect(),
    };
    Ok(contenders.into_iter().zip(samples).map(row).collect())
}
