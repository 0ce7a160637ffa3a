//! Heap allocations per job, on all threads until the bytes are in the socket. Counted by the binary whose
//! allocator counts; asked for as lines of text by the one that measures time.

use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::process::Command;

use crate::contenders::{self};
use crate::harness::meter::BURST;
use crate::harness::receiver::Receiver;
use crate::workload::columns::COLUMNS;
use crate::workload::contender::Setting;

/// Allocations and bytes so far, as the caller's allocator counts them.
pub type Count = fn() -> (usize, usize);

/// Counts all contenders' allocations for the columns of the table: a line each, `contender \t column \t
/// allocations \t bytes`, both per unit of the column, in steady state.
///
/// # Errors
/// If the sink or a contender can't be set up.
pub fn count_all(binary: &Path, count: Count) -> io::Result<String> {
    let sink = Receiver::start(binary, "127.0.0.1:0")?;
    let mut lines = String::new();
    for contender in contenders::all() {
        for column in COLUMNS {
            let setting = Setting { ..column.setting(sink.address()) };
            let Some(world) = (contender.build)(setting)? else { continue };
            let times = BURST / column.job.spans() + 1;
            for _ in 0..WARM_UP / (times * column.job.spans()) + 1 {
                world.run(column.job, times);
                world.flush();
            }
            let before = count();
            world.run(column.job, times);
            world.flush();
            let after = count();
            let per = |before, after| (after - before) as f64 / f64::from(times * column.units);
            let (allocations, bytes) = (per(before.0, after.0), per(before.1, after.1));
            let _ = writeln!(lines, "{}\t{}\t{allocations:.2}\t{bytes:.0}", contender.name, column.name);
        }
    }
    Ok(lines)
}

/// Spans until no buffer grows any more.
const WARM_UP: u32 = 15_000;

/// What the counting binary counted: contender, column, allocations, bytes.
pub(crate) fn ask(binary: &Path) -> io::Result<Vec<(String, String, f64, f64)>> {
    let output = Command::new(binary).arg("count").output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let parse = |line: &str| {
        let mut parts = line.split('\t');
        let mut next = || parts.next();
        Some((next()?.to_owned(), next()?.to_owned(), next()?.parse().ok()?, next()?.parse().ok()?))
    };
    Ok(text.lines().filter_map(parse).collect())
}
