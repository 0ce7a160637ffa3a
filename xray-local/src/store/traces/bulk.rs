//! Rows of one table, inserted several at a time.
//!
//! A statement opens a cursor for the table and for each of its indexes. With [`ROWS`] rows in one statement, that is
//! done once for all of them, and a cursor that is near the next row's place need not walk down from the root.
//!
//! A statement that fails halfway is not undone by itself, since a failure here undoes the whole transaction. Without
//! `OR FAIL` or `OR IGNORE`, SQLite would copy each page that the statement changes into a journal of the statement first.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

/// Rows of one statement. What is left at the end is inserted row by row.
const ROWS: usize = 16;

/// Rows with `N` columns that wait for others.
#[derive(Debug)]
pub(super) struct Bulk<const N: usize> {
    one: String,
    many: String,
    values: Vec<Value>,
}

impl<const N: usize> Bulk<N> {
    /// Rows of a table: `into` is `table (columns)`.
    pub(super) fn new(into: &str) -> Self {
        Self::with("INSERT OR FAIL INTO", into)
    }

    /// Rows of a table that may be there already; those are skipped.
    pub(super) fn ignoring(into: &str) -> Self {
        Self::with("INSERT OR IGNORE INTO", into)
    }

    fn with(insert: &str, into: &str) -> Self {
        let row = format!("({})", vec!["?"; N].join(", "));
        let statement =
            |rows: usize| format!("{insert} {into} VALUES {}", vec![row.as_str(); rows].join(", "));
        Self { one: statement(1), many: statement(ROWS), values: Vec::with_capacity(N * ROWS) }
    }

    /// Adds a row, and inserts all that wait once they are [`ROWS`].
    pub(super) fn add(&mut self, connection: &Connection, row: [Value; N]) -> rusqlite::Result<()> {
        self.values.extend(row);
        if self.values.len() < N * ROWS {
            return Ok(());
        }
        connection.prepare_cached(&self.many)?.execute(params_from_iter(&self.values))?;
        self.values.clear();
        Ok(())
    }

    /// Inserts what waits.
    pub(super) fn flush(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        if self.values.is_empty() {
            return Ok(());
        }
        let mut insert = connection.prepare_cached(&self.one)?;
        for row in self.values.chunks(N) {
            insert.execute(params_from_iter(row))?;
        }
        self.values.clear();
        Ok(())
    }

    /// Forgets what waits, after a transaction that failed.
    pub(super) fn clear(&mut self) {
        self.values.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_inserted_once_and_in_order() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE rows (number INTEGER PRIMARY KEY, name TEXT)").unwrap();
        let mut bulk = Bulk::<2>::new("rows (number, name)");
        let count =
            || -> i64 { connection.query_row("SELECT count(*) FROM rows", [], |row| row.get(0)).unwrap() };
        for number in 0..ROWS as i64 * 2 + 5 {
            bulk.add(&connection, [number.into(), format!("n{number}").into()]).unwrap();
        }
        assert_eq!(count(), ROWS as i64 * 2);
        bulk.flush(&connection).unwrap();
        bulk.flush(&connection).unwrap();
        assert_eq!(count(), ROWS as i64 * 2 + 5);
        let all_match = "SELECT count(*) FROM rows WHERE name = 'n' || number";
        let matching: i64 = connection.query_row(all_match, [], |row| row.get(0)).unwrap();
        assert_eq!(matching, count());
        bulk.add(&connection, [1_000.into(), Value::Null]).unwrap();
        bulk.clear();
        bulk.flush(&connection).unwrap();
        assert_eq!(count(), ROWS as i64 * 2 + 5);
    }

    #[test]
    fn a_statement_that_fails_leaves_the_undoing_to_the_transaction() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE rows (number INTEGER PRIMARY KEY); BEGIN").unwrap();
        let mut bulk = Bulk::<1>::new("rows (number)");
        let twice = |number: i64| if number == 10 { 3 } else { number };
        let added: Vec<_> =
            (0..ROWS as i64).map(|number| bulk.add(&connection, [twice(number).into()])).collect();
        assert!(added[ROWS - 1].is_err() && added[..ROWS - 1].iter().all(Result::is_ok));
        let count: i64 = connection.query_row("SELECT count(*) FROM rows", [], |row| row.get(0)).unwrap();
        assert_eq!(count, 10, "no journal of the statement was kept");
        assert!(!connection.is_autocommit());
    }
}
