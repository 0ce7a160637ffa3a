//! Rows of one table, inserted several at a time.
//!
//! A statement opens a cursor for the table and for each of its indexes. With [`ROWS`] rows in one statement, that is
//! done once for all of them, and a cursor that is near the next row's place need not walk down from the root.
//!
//! A statement that fails halfway is not undone by itself, since a failure here undoes the whole transaction. Without
//! `OR FAIL` or `OR IGNORE`, SQLite would copy each page that the statement changes into a journal of the statement first.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, Statement};

/// Rows of one statement. What is left at the end is inserted row by row.
const ROWS: usize = 16;

/// A value of a row. Strings and bytes are copied once, next to those of the other rows that wait.
#[derive(Clone, Copy, Debug)]
pub(super) enum Field<'a> {
    Null,
    Integer(i64),
    Real(f64),
    String(&'a str),
    Bytes(&'a [u8]),
}

/// A [`Field`] of a row that waits. A string begins where the one before ends, and ends here.
#[derive(Clone, Copy, Debug)]
enum Waiting {
    Null,
    Integer(i64),
    Real(f64),
    String(usize),
    Bytes(usize),
}

/// Rows with `N` columns that wait for others. Rows that still wait when this is dropped are not inserted.
pub(super) struct Bulk<'c, const N: usize> {
    connection: &'c Connection,
    insert: &'static str,
    into: &'static str,
    many: Option<CachedStatement<'c>>,
    fields: Vec<Waiting>,
    bytes: Vec<u8>,
}

impl<'c, const N: usize> Bulk<'c, N> {
    /// Rows of a table: `into` is `table (columns)`.
    pub(super) fn new(connection: &'c Connection, into: &'static str) -> Self {
        Self::with(connection, "INSERT OR FAIL INTO", into)
    }

    /// Rows of a table that may be there already; those are skipped.
    pub(super) fn ignoring(connection: &'c Connection, into: &'static str) -> Self {
        Self::with(connection, "INSERT OR IGNORE INTO", into)
    }

    fn with(connection: &'c Connection, insert: &'static str, into: &'static str) -> Self {
        Self { connection, insert, into, many: None, fields: Vec::new(), bytes: Vec::new() }
    }

    /// Adds a row, and inserts all that wait once they are [`ROWS`].
    pub(super) fn add(&mut self, row: [Field<'_>; N]) -> rusqlite::Result<()> {
        for field in row {
            let waiting = match field {
                Field::Null => Waiting::Null,
                Field::Integer(number) => Waiting::Integer(number),
                Field::Real(number) => Waiting::Real(number),
                Field::String(string) => Waiting::String(self.keep(string.as_bytes())),
                Field::Bytes(bytes) => Waiting::Bytes(self.keep(bytes)),
            };
            self.fields.push(waiting);
        }
        if self.fields.len() < N * ROWS {
            return Ok(());
        }
        let mut many = match self.many.take() {
            Some(many) => many,
            None => self.connection.prepare_cached(&self.statement(ROWS))?,
        };
        insert(&mut many, &self.fields, &self.bytes, 0)?;
        self.many = Some(many);
        self.clear();
        Ok(())
    }

    /// Inserts what waits.
    pub(super) fn flush(&mut self) -> rusqlite::Result<()> {
        if self.fields.is_empty() {
            return Ok(());
        }
        let mut one = self.connection.prepare_cached(&self.statement(1))?;
        let mut at = 0;
        for row in self.fields.chunks(N) {
            at = insert(&mut one, row, &self.bytes, at)?;
        }
        self.clear();
        Ok(())
    }

    fn statement(&self, rows: usize) -> String {
        let row = format!("({})", vec!["?"; N].join(", "));
        format!("{} {} VALUES {}", self.insert, self.into, vec![row.as_str(); rows].join(", "))
    }

    fn keep(&mut self, bytes: &[u8]) -> usize {
        self.bytes.extend_from_slice(bytes);
        self.bytes.len()
    }

    fn clear(&mut self) {
        self.fields.clear();
        self.bytes.clear();
    }
}

/// Inserts rows whose first string begins `at`. Returns where the last one ends.
fn insert(
    statement: &mut Statement<'_>,
    fields: &[Waiting],
    bytes: &[u8],
    mut at: usize,
) -> rusqlite::Result<usize> {
    for (column, field) in (1..).zip(fields) {
        let value = match *field {
            Waiting::Null => ValueRef::Null,
            Waiting::Integer(number) => ValueRef::Integer(number),
            Waiting::Real(number) => ValueRef::Real(number),
            Waiting::String(end) => ValueRef::Text(&bytes[std::mem::replace(&mut at, end)..end]),
            Waiting::Bytes(end) => ValueRef::Blob(&bytes[std::mem::replace(&mut at, end)..end]),
        };
        statement.raw_bind_parameter(column, ToSqlOutput::Borrowed(value))?;
    }
    statement.raw_execute()?;
    Ok(at)
}

impl From<i64> for Field<'_> {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<usize> for Field<'_> {
    fn from(number: usize) -> Self {
        Self::Integer(number as i64)
    }
}

impl From<bool> for Field<'_> {
    fn from(is_set: bool) -> Self {
        Self::Integer(i64::from(is_set))
    }
}

impl<'a> From<&'a str> for Field<'a> {
    fn from(string: &'a str) -> Self {
        Self::String(string)
    }
}

impl<'a> From<&'a [u8]> for Field<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a, T: Into<Self>> From<Option<T>> for Field<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Field::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_inserted_once_and_in_order() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE rows (number INTEGER PRIMARY KEY, name TEXT)").unwrap();
        let mut bulk = Bulk::<2>::new(&connection, "rows (number, name)");
        let count =
            || -> i64 { connection.query_row("SELECT count(*) FROM rows", [], |row| row.get(0)).unwrap() };
        for number in 0..ROWS as i64 * 2 + 5 {
            bulk.add([number.into(), format!("n{number}").as_str().into()]).unwrap();
        }
        assert_eq!(count(), ROWS as i64 * 2);
        bulk.flush().unwrap();
        bulk.flush().unwrap();
        assert_eq!(count(), ROWS as i64 * 2 + 5);
        let all_match = "SELECT count(*) FROM rows WHERE name = 'n' || number";
        let matching: i64 = connection.query_row(all_match, [], |row| row.get(0)).unwrap();
        assert_eq!(matching, count());
        bulk.add([1_000_i64.into(), Field::Null]).unwrap();
        drop(bulk);
        assert_eq!(count(), ROWS as i64 * 2 + 5);
    }

    #[test]
    fn a_statement_that_fails_leaves_the_undoing_to_the_transaction() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE rows (number INTEGER PRIMARY KEY); BEGIN").unwrap();
        let mut bulk = Bulk::<1>::new(&connection, "rows (number)");
        let twice = |number: i64| if number == 10 { 3 } else { number };
        let added: Vec<_> = (0..ROWS as i64).map(|number| bulk.add([twice(number).into()])).collect();
        assert!(added[ROWS - 1].is_err() && added[..ROWS - 1].iter().all(Result::is_ok));
        let count: i64 = connection.query_row("SELECT count(*) FROM rows", [], |row| row.get(0)).unwrap();
        assert_eq!(count, 10, "no journal of the statement was kept");
        assert!(!connection.is_autocommit());
    }
}
