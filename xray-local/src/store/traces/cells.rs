//! Changes of a batch to the counts per minute: gathered in memory, applied once per cell.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::histogram::Histogram;
use crate::model::{Flags, Time, TraceKey};

/// Changes to `node_minutes`, `edge_minutes` and `trace_minutes`.
#[derive(Debug, Default)]
pub(super) struct Cells {
    nodes: HashMap<(i64, i64, i64), Cell>,
    edges: HashMap<(i64, i64, i64), Cell>,
    traces: HashMap<i64, i64>,
}

/// One completed segment or call, as a cell counts it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) start: Time,
    pub(super) end: Time,
    pub(super) flags: Flags,
    pub(super) root: bool,
    /// Milliseconds including asynchronous subsegments; for a link, the age of the event.
    pub(super) other: Option<i64>,
}

#[derive(Debug)]
struct Cell {
    /// ok, error, throttle, fault, time_us, root, inferred.
    sums: [i64; 7],
    first: i64,
    last: i64,
    responses: Histogram,
    others: Histogram,
}

impl Default for Cell {
    fn default() -> Self {
        let (responses, others) = (Histogram::default(), Histogram::default());
        Self { sums: [0; 7], first: i64::MAX, last: i64::MIN, responses, others }
    }
}

impl Cell {
    /// The classes of the service's statistics: a fault, else a throttle, else an error, else ok.
    fn count(&mut self, sample: &Sample, sign: i64) {
        let Flags { fault, throttle, error, inferred, .. } = sample.flags;
        let class = if fault {
            3
        } else if throttle {
            2
        } else if error {
            1
        } else {
            0
        };
        let response = sample.end - sample.start;
        self.sums[class] += sign;
        self.sums[4] += sign * response.0;
        self.sums[5] += sign * i64::from(sample.root);
        self.sums[6] += sign * i64::from(inferred);
        self.responses.add(response.milliseconds(), sign);
        if let Some(other) = sample.other {
            self.others.add(other, sign);
        }
        if sign > 0 {
            self.first = self.first.min(sample.start.0);
            self.last = self.last.max(sample.end.0);
        }
    }
}

impl Cells {
    pub(super) fn node(&mut self, group: i64, node: i64, sample: &Sample, sign: i64) {
        self.nodes.entry((group, sample.start.epoch_minute(), node)).or_default().count(sample, sign);
    }

    pub(super) fn edge(&mut self, group: i64, edge: i64, sample: &Sample, sign: i64) {
        self.edges.entry((group, sample.start.epoch_minute(), edge)).or_default().count(sample, sign);
    }

    pub(super) fn trace(&mut self, key: TraceKey, sign: i64) {
        *self.traces.entry(key.minute()).or_default() += sign;
    }

    /// Writes all changes.
    pub(super) fn apply(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        for ((group, minute, node), cell) in self.nodes.drain() {
            apply(connection, &NODES, [group, minute, node], cell)?;
        }
        for ((group, minute, edge), cell) in self.edges.drain() {
            apply(connection, &EDGES, [group, minute, edge], cell)?;
        }
        for (minute, change) in self.traces.drain().filter(|(_, change)| *change != 0) {
            connection
                .prepare_cached(
                    "INSERT INTO trace_minutes (minute, traces) VALUES (?1, ?2)
                     ON CONFLICT (minute) DO UPDATE SET traces = traces + ?2",
                )?
                .execute([minute, change])?;
            connection
                .prepare_cached("DELETE FROM trace_minutes WHERE minute = ? AND traces <= 0")?
                .execute([minute])?;
        }
        Ok(())
    }

    pub(super) fn clear(&mut self) {
        self.nodes.clear();
        self.edges.clear();
        self.traces.clear();
    }
}

/// The statements of one table.
struct Table {
    select: &'static str,
    delete: &'static str,
    write: &'static str,
    has_root: bool,
}

const NODES: Table = Table {
    select: "SELECT ok, error, throttle, fault, time_us, root, inferred, first_us, last_us, responses, durations
             FROM node_minutes WHERE grp = ? AND minute = ? AND node = ?",
    delete: "DELETE FROM node_minutes WHERE grp = ? AND minute = ? AND node = ?",
    write: "INSERT OR REPLACE INTO node_minutes (grp, minute, node, ok, error, throttle, fault, time_us, root,
            inferred, first_us, last_us, responses, durations) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    has_root: true,
};

const EDGES: Table = Table {
    select: "SELECT ok, error, throttle, fault, time_us, 0, 0, first_us, last_us, responses, ages
             FROM edge_minutes WHERE grp = ? AND minute = ? AND edge = ?",
    delete: "DELETE FROM edge_minutes WHERE grp = ? AND minute = ? AND edge = ?",
    write: "INSERT OR REPLACE INTO edge_minutes (grp, minute, edge, ok, error, throttle, fault, time_us,
            first_us, last_us, responses, ages) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    has_root: false,
};

fn apply(connection: &Connection, table: &Table, key: [i64; 3], change: Cell) -> rusqlite::Result<()> {
    let stored = connection
        .prepare_cached(table.select)?
        .query_row(key, |row| {
            let mut cell = Cell::default();
            for (column, sum) in cell.sums.iter_mut().enumerate() {
                *sum = row.get(column)?;
            }
            (cell.first, cell.last) = (row.get(7)?, row.get(8)?);
            cell.responses = Histogram::from_bytes(row.get_ref(9)?.as_blob()?);
            cell.others = Histogram::from_bytes(row.get_ref(10)?.as_blob()?);
            Ok(cell)
        })
        .optional()?;
    let mut cell = stored.unwrap_or_default();
    cell.sums.iter_mut().zip(change.sums).for_each(|(sum, change)| *sum += change);
    // What is taken away may have been the earliest or the latest; the bounds stay, a little too wide.
    (cell.first, cell.last) = (cell.first.min(change.first), cell.last.max(change.last));
    cell.responses.merge(&change.responses);
    cell.others.merge(&change.others);
    let [ok, error, throttle, fault, time, root, inferred] = cell.sums;
    if ok + error + throttle + fault <= 0 {
        return connection.prepare_cached(table.delete)?.execute(key).map(drop);
    }
    let [group, minute, name] = key;
    let (responses, others) = (cell.responses.to_bytes(), cell.others.to_bytes());
    let mut write = connection.prepare_cached(table.write)?;
    if table.has_root {
        let (first, last) = (cell.first, cell.last);
        write.execute(params![
            group, minute, name, ok, error, throttle, fault, time, root, inferred, first, last, responses,
            others
        ])?;
    } else {
        let (first, last) = (cell.first, cell.last);
        write.execute(params![
            group, minute, name, ok, error, throttle, fault, time, first, last, responses, others
        ])?;
    }
    Ok(())
}
