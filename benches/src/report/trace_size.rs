//! The growth of a span's cost with the size of its trace: from one span to ten thousand below a root, and from
//! one level to five hundred.

use std::io;
use std::path::Path;

use crate::contenders::{self};
use crate::harness::meter::{Median, Sample, sample};
use crate::harness::receiver::Receiver;
use crate::report::effort::Effort;
use crate::workload::contender::{Contender, Setting};
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

/// CPU per span, in nanoseconds, in the order of [`SIZES`].
#[derive(Clone, Debug)]
pub struct Row {
    pub(crate) contender: &'static str,
    /// Of the calling thread.
    pub(crate) caller: Vec<Option<Median>>,
    /// Of the whole process.
    pub(crate) total: Vec<Option<Median>>,
}

/// Measures all contenders.
///
/// # Errors
/// If the sink or a contender can't be set up.
pub fn measure(binary: &Path, effort: Effort) -> io::Result<Vec<Row>> {
    let sink = Receiver::start(binary, "127.0.0.1:0")?;
    let contenders = contenders::all();
    let mut samples = vec![vec![Vec::new(); SIZES.len()]; contenders.len()];
    for _ in 0..effort.rounds {
        for (index, contender) in contenders.iter().enumerate() {
            for (size, job) in SIZES.into_iter().enumerate() {
                if job.spans() > contender.largest {
                    continue;
                }
                let Some(world) = (contender.build)(Setting::to(sink.address()))? else { continue };
                samples[index][size].push(sample(&*world, job, effort.long));
            }
        }
    }
    let medians = |samples: &[Vec<Sample>], pick: fn(&Sample) -> f64| {
        let of = |(job, samples): (Job, &Vec<Sample>)| {
            let each = samples.iter().map(|one| pick(one) / f64::from(job.spans()));
            (!samples.is_empty()).then(|| Median::of(each))
        };
        SIZES.into_iter().zip(samples).map(of).collect()
    };
    let row = |(contender, samples): (Contender, Vec<Vec<Sample>>)| Row {
        contender: contender.name,
        caller: medians(&samples, |one| one.caller),
        total: medians(&samples, |one| one.total),
    };
    Ok(contenders.into_iter().zip(samples).map(row).collect())
}
