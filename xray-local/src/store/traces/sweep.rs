//! Deletes what repeats once no trace has it any more: paths of root causes, URLs, shapes.
//!
//! Each table is looked through from end to end, a few rows at a time, again and again.

use rusqlite::Connection;

/// Rows of a table that are looked at in one step.
const ROWS: i64 = 1_000;

/// A table of what repeats: its rows are deleted together with those of its parts.
struct Table {
    name: &'static str,
    /// Tables of parts, and their column with the number.
    parts: &'static [&'static str],
    part_column: &'static str,
    /// Selects rows of traces with the number `x.id`, by an index.
    used: &'static str,
}

const TABLES: [Table; 3] = [
    Table {
        name: "cause_paths",
        parts: &["cause_services", "cause_entities", "cause_exceptions"],
        part_column: "path",
        used: "SELECT 1 FROM trace_causes WHERE path = x.id",
    },
    Table { name: "urls", parts: &[], part_column: "", used: "SELECT 1 FROM traces WHERE url = x.id" },
    Table {
        name: "shapes",
        parts: &["shape_segments", "shape_calls", "shape_keys"],
        part_column: "shape",
        used: "SELECT 1 FROM traces WHERE shape = x.id",
    },
];

/// Place in each table up to which rows were looked at.
#[derive(Debug, Default)]
pub(super) struct Sweep([i64; TABLES.len()]);

impl Sweep {
    /// Looks at the next rows of each table. Returns whether one was deleted: of paths, URLs, shapes.
    pub(super) fn step(&mut self, connection: &Connection) -> rusqlite::Result<[bool; TABLES.len()]> {
        let mut deleted = [false; TABLES.len()];
        for ((table, from), deleted) in TABLES.iter().zip(&mut self.0).zip(&mut deleted) {
            let last: Option<i64> = connection
                .prepare_cached(&format!(
                    "SELECT max(id) FROM (SELECT id FROM {} WHERE id > ? ORDER BY id LIMIT ?)",
                    table.name
                ))?
                .query_row([*from, ROWS], |row| row.get(0))?;
            let Some(last) = last else {
                *from = 0;
                continue;
            };
            let unused: Vec<i64> = connection
                .prepare_cached(&format!(
                    "SELECT x.id FROM {} x WHERE x.id > ? AND x.id <= ? AND NOT EXISTS ({})",
                    table.name, table.used
                ))?
                .query_map([*from, last], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            for id in &unused {
                for part in table.parts {
                    let sql = format!("DELETE FROM {part} WHERE {} = ?", table.part_column);
                    connection.prepare_cached(&sql)?.execute([id])?;
                }
                connection
                    .prepare_cached(&format!("DELETE FROM {} WHERE id = ?", table.name))?
                    .execute([id])?;
            }
            *deleted = !unused.is_empty();
            *from = last;
        }
        Ok(deleted)
    }
}
