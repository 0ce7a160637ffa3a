//! Documents in compressed blocks: many small ones are compressed together.

use rusqlite::{Connection, params};

use super::bulk::Bulk;
use crate::model::TraceKey;

/// Bytes of documents at which a block is closed.
const BLOCK: usize = 128 * 1024;

const RAW: i64 = 0;
const LZ4: i64 = 1;

/// The block that is being filled.
#[derive(Debug, Default)]
pub(super) struct BlockWriter {
    bytes: Vec<u8>,
    rows: Vec<(TraceKey, i64, usize, usize)>,
    /// Room for a compressed block.
    packed: Vec<u8>,
}

impl BlockWriter {
    /// Adds a trace's document.
    pub(super) fn add(
        &mut self,
        connection: &Connection,
        trace: TraceKey,
        number: i64,
        document: &[u8],
    ) -> rusqlite::Result<()> {
        self.rows.push((trace, number, self.bytes.len(), document.len()));
        self.bytes.extend_from_slice(document);
        if self.bytes.len() >= BLOCK { self.flush(connection) } else { Ok(()) }
    }

    /// Writes what is there as a block.
    pub(super) fn flush(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let room = lz4_flex::block::get_maximum_output_size(self.bytes.len());
        self.packed.resize(room.max(self.packed.len()), 0);
        let (codec, bytes) = match lz4_flex::block::compress_into(&self.bytes, &mut self.packed) {
            Ok(length) if length < self.bytes.len() => (LZ4, &self.packed[..length]),
            _ => (RAW, &self.bytes[..]),
        };
        connection
            .prepare_cached("INSERT INTO blocks (codec, size, live, bytes) VALUES (?, ?, ?, ?)")?
            .execute(params![codec, self.bytes.len(), self.rows.len(), bytes])?;
        let block = connection.last_insert_rowid();
        let mut documents = Bulk::new(connection, "documents (trace, number, block, at, length)");
        for (trace, number, at, length) in self.rows.drain(..) {
            documents.add([trace.0.into(), number.into(), block.into(), at.into(), length.into()])?;
        }
        self.bytes.clear();
        documents.flush()
    }

    /// Forgets what was not written, after a transaction that failed.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.rows.clear();
    }
}

/// A trace's documents as they were received, in order of arrival.
pub(in super::super) fn read(connection: &Connection, trace: TraceKey) -> rusqlite::Result<Vec<Vec<u8>>> {
    let mut rows = connection
        .prepare_cached("SELECT block, at, length FROM documents WHERE trace = ? ORDER BY number")?;
    let places = rows
        .query_map([trace.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<rusqlite::Result<Vec<(i64, usize, usize)>>>()?;
    let mut documents = Vec::with_capacity(places.len());
    let mut open: Option<(i64, Vec<u8>)> = None;
    for (block, at, length) in places {
        if open.as_ref().is_none_or(|(id, _)| *id != block) {
            open = Some((block, unpack(connection, block)?));
        }
        let bytes = open.as_ref().and_then(|(_, bytes)| bytes.get(at..at.checked_add(length)?));
        documents.push(bytes.map(<[u8]>::to_vec).ok_or(rusqlite::Error::IntegralValueOutOfRange(1, block))?);
    }
    Ok(documents)
}

fn unpack(connection: &Connection, block: i64) -> rusqlite::Result<Vec<u8>> {
    connection.prepare_cached("SELECT codec, size, bytes FROM blocks WHERE id = ?")?.query_row(
        [block],
        |row| {
            let (codec, size): (i64, usize) = (row.get(0)?, row.get(1)?);
            let bytes = row.get_ref(2)?.as_blob()?;
            match codec {
                RAW => Ok(bytes.to_vec()),
                // A block never holds more than one document beyond its bound: a larger size is damage.
                LZ4 if size <= BLOCK + MARGIN => lz4_flex::block::decompress(bytes, size).map_err(|err| {
                    rusqlite::Error::FromSqlConversionFailure(2, rusqlite::types::Type::Blob, Box::new(err))
                }),
                _ => Err(rusqlite::Error::IntegralValueOutOfRange(0, codec)),
            }
        },
    )
}

/// Takes a trace's documents away, and the blocks that hold no document any more.
pub(super) fn remove(connection: &Connection, trace: TraceKey) -> rusqlite::Result<()> {
    let blocks = connection
        .prepare_cached("SELECT block, count(*) FROM documents WHERE trace = ? GROUP BY block")?
        .query_map([trace.0], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<Vec<(i64, i64)>>>()?;
    for (block, count) in blocks {
        connection
            .prepare_cached("UPDATE blocks SET live = live - ? WHERE id = ?")?
            .execute([count, block])?;
        connection.prepare_cached("DELETE FROM blocks WHERE id = ? AND live <= 0")?.execute([block])?;
    }
    connection.prepare_cached("DELETE FROM documents WHERE trace = ?")?.execute([trace.0])?;
    Ok(())
}

/// Room for one document beyond [`BLOCK`].
const MARGIN: usize = 16 * 1024 * 1024;
