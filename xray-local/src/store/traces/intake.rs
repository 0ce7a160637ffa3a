//! Takes a batch of documents into the tables.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension};
use xray_sdk::TraceId;

use super::blocks::{self, BlockWriter};
use super::cells::Cells;
use super::links;
use super::names::Names;
use super::recent::Recent;
use super::rows::{self, Arrival, Samples, Tables};
use super::sweep::Sweep;
use crate::ingest;
use crate::ingest::{Accepted, Parsed};
use crate::model::{Refused, Time, TraceKey, limits};
use crate::store::checker::Quota;
use crate::store::job::{Incoming, Matcher, Stored};

/// Writes traces on the writer's connection.
#[derive(Debug, Default)]
pub(in super::super) struct Traces {
    names: Names,
    recent: Recent,
    cells: Cells,
    blocks: BlockWriter,
    quota: Quota,
    sweep: Sweep,
    limits: bool,
}

/// Outcome of a batch.
#[derive(Debug, Default)]
pub(in super::super) struct Taken {
    /// One verdict per document, in their order.
    pub(in super::super) verdicts: Vec<Option<Refused>>,
    /// The traces that were written.
    pub(in super::super) stored: Vec<Stored>,
    /// Documents that were there already, byte for byte.
    pub(in super::super) repeated: u64,
    /// For each document, whether the full checker is to look at it.
    pub(in super::super) due: Vec<bool>,
}

impl Taken {
    /// Adds the outcome of the documents that follow.
    pub(in super::super) fn append(&mut self, next: Self) {
        self.verdicts.extend(next.verdicts);
        self.stored.extend(next.stored);
        self.due.extend(next.due);
        self.repeated += next.repeated;
    }
}

/// A document that was accepted: its position among those that were handed in, and its members.
struct Part<'d> {
    at: usize,
    accepted: Accepted,
    parsed: Parsed<'d>,
}

/// Documents that are taken together, and what becomes of them.
struct Chunk<'c, 'd> {
    connection: &'c Connection,
    documents: &'d [Incoming],
    parts: Vec<Part<'d>>,
    tables: Tables<'c>,
    /// Keys whose rows may wait to be inserted.
    keys: HashSet<i64>,
    taken: Taken,
}

/// A trace as the table has it.
struct Known {
    key: TraceKey,
    revision: i64,
    bytes: usize,
    over_limit: bool,
}

impl Traces {
    pub(in super::super) fn new(limits: bool) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Takes documents, within the transaction that is open.
    pub(in super::super) fn take(
        &mut self,
        connection: &Connection,
        documents: &[Incoming],
        matcher: Option<&dyn Matcher>,
    ) -> rusqlite::Result<Taken> {
        let mut chunk = Chunk {
            connection,
            documents,
            parts: Vec::with_capacity(documents.len()),
            tables: Tables::new(connection),
            keys: HashSet::new(),
            taken: Taken {
                verdicts: vec![None; documents.len()],
                due: vec![false; documents.len()],
                ..Taken::default()
            },
        };
        for (at, document) in documents.iter().enumerate() {
            match ingest::accept_parsed(&document.bytes) {
                Ok((accepted, parsed)) => {
                    chunk.taken.due[at] = self.quota.take(parsed.name(), document.received);
                    chunk.parts.push(Part { at, accepted, parsed });
                }
                Err(refused) => chunk.taken.verdicts[at] = Some(refused),
            }
        }
        // By trace, those of one trace in order of arrival. Ids begin with their second, so new rows come in order of keys.
        let mut order: Vec<usize> = (0..chunk.parts.len()).collect();
        order.sort_by_key(|&part| u128::from(chunk.parts[part].accepted.trace));
        let mut written: Vec<(TraceKey, Samples)> = Vec::new();
        let mut ids: Vec<TraceId> = Vec::new();
        let mut rest = &order[..];
        while let Some(&first) = rest.first() {
            let id = chunk.parts[first].accepted.trace;
            let count = rest.iter().take_while(|&&part| chunk.parts[part].accepted.trace == id).count();
            let (own, others) = rest.split_at(count);
            rest = others;
            if let Some(trace) = self.take_trace(&mut chunk, id, own)? {
                ids.push(id);
                written.push(trace);
            }
        }
        chunk.tables.flush()?;
        links::refresh(connection, &mut self.names, &mut self.cells, &ids, &mut written)?;
        self.blocks.flush(connection)?;
        if let Some(matcher) = matcher.filter(|_| !written.is_empty()) {
            self.group(connection, matcher, &written)?;
        }
        Ok(chunk.taken)
    }

    /// Takes the documents of one trace: `own` are their positions among the parts.
    fn take_trace(
        &mut self,
        chunk: &mut Chunk<'_, '_>,
        id: TraceId,
        own: &[usize],
    ) -> rusqlite::Result<Option<(TraceKey, Samples)>> {
        let Chunk { connection, documents, parts, tables, keys, taken } = chunk;
        let known = find(connection, id)?;
        let mut all: Vec<Arc<[u8]>> = match &known {
            Some(known) => match self.recent.take(known.key) {
                Some(documents) => documents,
                None => blocks::read(connection, known.key)?.into_iter().map(Arc::from).collect(),
            },
            None => Vec::with_capacity(own.len()),
        };
        let before = all.len();
        let mut bytes = known.as_ref().map_or(0, |known| known.bytes);
        let mut over_limit = known.as_ref().is_some_and(|known| known.over_limit);
        let key = match (&known, own.first()) {
            (Some(known), _) => known.key,
            (None, Some(&first)) => free_key(connection, keys, id, parts[first].accepted.start)?,
            (None, None) => return Ok(None),
        };
        keys.insert(key.0);
        let mut new: Vec<&Parsed<'_>> = Vec::with_capacity(own.len());
        let mut received = Time::default();
        for Part { at, parsed, .. } in own.iter().map(|&part| &parts[part]) {
            let document = &documents[*at];
            if all.iter().any(|there| **there == *document.bytes) {
                taken.repeated += 1;
                continue;
            }
            if self.limits && bytes + document.bytes.len() > limits::TRACE_BYTES {
                taken.verdicts[*at] = Some(too_large());
                over_limit = true;
                continue;
            }
            bytes += document.bytes.len();
            received = received.max(document.received);
            self.blocks.add(connection, key, all.len() as i64, &document.bytes)?;
            all.push(Arc::from(&document.bytes[..]));
            new.push(parsed);
        }
        if all.len() == before {
            if let Some(known) = known.filter(|known| known.over_limit != over_limit) {
                connection
                    .prepare_cached("UPDATE traces SET over_limit = 1 WHERE key = ?")?
                    .execute([known.key.0])?;
            }
            if before > 0 {
                self.recent.keep(key, all);
            }
            return Ok(None);
        }
        let old: Vec<Parsed<'_>> = all[..before].iter().map(|document| Parsed::stored(document)).collect();
        let Some(compiled) = ingest::compile(id, old.iter().chain(new)) else { return Ok(None) };
        let partial = compiled.trace.flags.partial;
        if known.is_some() {
            rows::remove(connection, &mut self.cells, key)?;
        }
        let revision = known.map_or(1, |known| known.revision + 1);
        let arrival = Arrival { revision, documents: all.len(), bytes, received, over_limit };
        let samples = tables.insert(&mut self.names, key, &compiled, arrival)?;
        samples.count(&mut self.cells, 0, 1);
        self.cells.trace(key, 1);
        drop(compiled);
        drop(old);
        self.recent.keep(key, all);
        taken.stored.push(Stored { key, revision, partial });
        Ok(Some((key, samples)))
    }

    fn group(
        &mut self,
        connection: &Connection,
        matcher: &dyn Matcher,
        written: &[(TraceKey, Samples)],
    ) -> rusqlite::Result<()> {
        let keys: Vec<TraceKey> = written.iter().map(|(key, _)| *key).collect();
        let matches = matcher.groups(connection, &keys)?;
        if matches.is_empty() {
            return Ok(());
        }
        let samples: HashMap<TraceKey, &Samples> =
            written.iter().map(|(key, samples)| (*key, samples)).collect();
        for (group, key) in matches {
            connection
                .prepare_cached("INSERT OR IGNORE INTO trace_groups (grp, trace) VALUES (?, ?)")?
                .execute([group, key.0])?;
            if let Some(samples) = samples.get(&key) {
                samples.count(&mut self.cells, group, 1);
            }
        }
        Ok(())
    }

    /// Takes a trace away with everything that belongs to it.
    pub(in super::super) fn remove(
        &mut self,
        connection: &Connection,
        key: TraceKey,
    ) -> rusqlite::Result<()> {
        self.recent.take(key);
        rows::remove(connection, &mut self.cells, key)?;
        blocks::remove(connection, key)
    }

    /// Writes what is gathered per minute. Comes last in a transaction.
    pub(in super::super) fn finish(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        self.cells.apply(connection)
    }

    /// Deletes some of what repeats and no trace has any more.
    pub(in super::super) fn sweep(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let deleted = self.sweep.step(connection)?;
        self.names.forget(deleted);
        Ok(())
    }

    /// Forgets everything in memory, after a transaction that failed.
    pub(in super::super) fn forget(&mut self) {
        self.names.clear();
        self.recent.clear();
        self.cells.clear();
        self.blocks.clear();
    }
}

fn find(connection: &Connection, id: TraceId) -> rusqlite::Result<Option<Known>> {
    connection
        .prepare_cached("SELECT key, revision, bytes, over_limit FROM traces WHERE id = ?")?
        .query_row([u128::from(id).to_be_bytes()], |row| {
            let key = TraceKey(row.get(0)?);
            Ok(Known { key, revision: row.get(1)?, bytes: row.get(2)?, over_limit: row.get(3)? })
        })
        .optional()
}

/// The first key for a trace that neither a row nor one that waits has.
fn free_key(
    connection: &Connection,
    waiting: &HashSet<i64>,
    id: TraceId,
    start: Time,
) -> rusqlite::Result<TraceKey> {
    let mut key = TraceKey::first_choice(id, start);
    let mut taken = connection.prepare_cached("SELECT 1 FROM traces WHERE key = ?")?;
    while waiting.contains(&key.0) || taken.exists([key.0])? {
        key = TraceKey(key.0.wrapping_add(1).max(0));
    }
    Ok(key)
}

/// The service's words for a trace beyond its size.
fn too_large() -> Refused {
    Refused {
        id: None,
        code: "InvalidSegment",
        message: "Trace Size Exceeded. Reduce the number of segments per trace and the size of your segment documents."
            .to_owned(),
    }
}
