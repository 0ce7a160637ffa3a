//! The main table: what each job costs each contender. Worlds take turns within each round, so that what the
//! machine does meanwhile falls on all of them.

use std::io;
use std::net::SocketAddr;
use std::path::Path;

use crate::contenders::{self, FLOOR};
use crate::harness::allocations;
use crate::harness::meter::{Median, Sample, sample};
use crate::harness::receiver::{Arrived, Reading, Receiver};
use crate::report::effort::Effort;
use crate::workload::columns::{COLUMNS, Column};
use crate::workload::contender::Contender;

/// What one job costs one contender, per unit.
#[derive(Clone, Debug, Default)]
pub struct Cost {
    pub(crate) wall: Median,
    pub(crate) caller: Median,
    pub(crate) total: Median,
    /// How many times the floor's that is: of each round, by what the floor took right after.
    pub(crate) caller_ratio: Median,
    pub(crate) total_ratio: Median,
    pub(crate) allocations: Option<(f64, f64)>,
    /// Of one job, not per unit.
    pub(crate) arrived: Arrived,
}

/// One contender's costs, in the order of [`COLUMNS`]; `None` where it has no such job.
#[derive(Clone, Debug)]
pub struct Row {
    pub(crate) contender: &'static str,
    pub(crate) sends: bool,
    pub(crate) costs: Vec<Option<Cost>>,
}

/// Measures all contenders. `binary` is this package's program: the sink, and the one that counts allocations.
///
/// # Errors
/// If the sink or a contender can't be set up.
pub fn measure(binary: &Path, effort: Effort, progress: impl Fn(&str)) -> io::Result<Vec<Row>> {
    let mut single = Receiver::start(binary, "127.0.0.1:0")?;
    let mut runs = Receiver::start_reading(Reading::Runs, binary, "127.0.0.1:0")?;
    let addresses = (single.address(), runs.address());
    let contenders = contenders::all();
    let mut rows: Vec<Row> = contenders
        .iter()
        .map(|one| Row { contender: one.name, sends: one.sends, costs: vec![None; COLUMNS.len()] })
        .collect();
    for (index, column) in COLUMNS.iter().enumerate() {
        progress(column.title);
        let samples = rounds(&contenders, column, addresses, effort)?;
        for ((row, contender), samples) in rows.iter_mut().zip(&contenders).zip(samples) {
            if samples.is_empty() {
                continue;
            }
            let sink = if contender.receiver == Reading::Runs { &mut runs } else { &mut single };
            let per_unit = |pick: fn(&Sample) -> f64| {
                Median::of(samples.iter().map(|(one, _)| pick(one) / f64::from(column.units)))
            };
            let ratio = |pick: fn(&Sample) -> f64| {
                Median::of(samples.iter().map(|(one, floor)| pick(one) / pick(floor).max(f64::MIN_POSITIVE)))
            };
            row.costs[index] = Some(Cost {
                wall: per_unit(|one| one.wall),
                caller: per_unit(|one| one.caller),
                total: per_unit(|one| one.total),
                caller_ratio: ratio(|one| one.caller),
                total_ratio: ratio(|one| one.total),
                allocations: None,
                arrived: arrived(contender, column, sink)?,
            });
        }
    }
    progress("allocations");
    for (contender, column, allocations, bytes) in allocations::ask(binary)? {
        let row = rows.iter_mut().find(|row| row.contender == contender);
        let index = COLUMNS.iter().position(|one| one.name == column);
        if let Some((row, index)) = row.zip(index)
            && let Some(cost) = &mut row.costs[index]
        {
            cost.allocations = Some((allocations, bytes));
        }
    }
    Ok(rows)
}

/// Each sample with one of the floor's, from right after: a shared machine is fast and slow by turns, for seconds.
fn rounds(
    contenders: &[Contender],
    column: &Column,
    (single, runs): (SocketAddr, SocketAddr),
    effort: Effort,
) -> io::Result<Vec<Vec<(Sample, Sample)>>> {
    let floor = contenders::named(FLOOR)?;
    let mut samples = vec![Vec::new(); contenders.len()];
    for _ in 0..effort.rounds {
        for (index, contender) in contenders.iter().enumerate() {
            if column.job.spans() > contender.largest {
                continue;
            }
            let daemon = if contender.receiver == Reading::Runs { runs } else { single };
            let Some(world) = (contender.build)(column.setting(daemon))? else { continue };
            let one = sample(&*world, column.job, effort.long);
            drop(world);
            let Some(world) = (floor.build)(column.setting(daemon))? else { continue };
            samples[index].push((one, sample(&*world, column.job, effort.long)));
        }
    }
    Ok(samples)
}

/// The documents that arrive of one job, which is done alone, so that nothing is lost on the way.
fn arrived(contender: &Contender, column: &Column, sink: &mut Receiver) -> io::Result<Arrived> {
    if !contender.sends {
        return Ok(Arrived::default());
    }
    sink.arrived()?;
    sink.keep()?;
    if let Some(world) = (contender.build)(column.setting(sink.address()))? {
        world.run(column.job, 1);
        world.flush();
    }
    sink.arrived()
}
