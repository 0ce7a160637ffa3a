//! Brings the tables of a file of an earlier version to this one, in one transaction.
//!
//! A table whose columns differ is made anew and filled from the one that was there. Then every index is as `schema.sql`
//! has it. So a file that was migrated and one that was made have the same tables, to the letter.
//!
//! | version | what is new |
//! |---|---|
//! | 2 | `trace_causes_path` holds the coverage |
//! | 3 | shapes, URLs by number, traces per minute; segments and calls in the order of nodes and edges |

use rusqlite::Connection;

use super::schema::{SCHEMA, VERSION};

/// Sets columns that SQL can't compute from the rows of a trace.
pub(in super::super) type Fill = fn(&Connection) -> rusqlite::Result<()>;

/// Migrates the tables of a version that is not [`VERSION`].
pub(super) fn migrate(connection: &Connection, from: i64, fill: Fill) -> rusqlite::Result<()> {
    let model = Connection::open_in_memory()?;
    model.execute_batch(SCHEMA)?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let outcome = steps(connection, &model, from, fill)
        .and_then(|()| connection.execute_batch(&format!("PRAGMA user_version = {VERSION}; COMMIT")));
    if outcome.is_err() {
        // SQLite may have undone the transaction itself; then there is nothing to undo.
        let _ = connection.execute_batch("ROLLBACK");
    }
    outcome
}

fn steps(connection: &Connection, model: &Connection, from: i64, fill: Fill) -> rusqlite::Result<()> {
    let wanted = objects(model, "index")?;
    for (name, sql) in objects(connection, "index")? {
        if !wanted.contains(&(name.clone(), sql)) {
            connection.execute_batch(&format!("DROP INDEX {name}"))?;
        }
    }
    if from < 3 {
        for table in MOVED {
            connection.execute_batch(&format!("ALTER TABLE {table} RENAME TO earlier_{table}"))?;
        }
    }
    let there = objects(connection, "table")?;
    for (name, sql) in objects(model, "table")? {
        if there.iter().all(|(other, _)| *other != name) {
            connection.execute_batch(&sql)?;
        }
    }
    if from < 3 {
        connection.execute_batch(TO_3)?;
        fill(connection)?;
        for table in MOVED {
            connection.execute_batch(&format!("DROP TABLE earlier_{table}"))?;
        }
    }
    // Last, since rows are inserted sooner without them.
    let there = objects(connection, "index")?;
    for (name, sql) in wanted {
        if there.iter().all(|(other, _)| *other != name) {
            connection.execute_batch(&sql)?;
        }
    }
    Ok(())
}

/// Tables that version 3 has made anew.
const MOVED: [&str; 3] = ["traces", "segments", "calls"];

/// Fills the tables of version 3 from those of version 2. Shapes follow.
const TO_3: &str = "
    INSERT INTO urls (url) SELECT DISTINCT url FROM earlier_traces WHERE url IS NOT NULL;
    INSERT INTO traces (key, id, revision, start_us, end_us, duration_us, response_us, ok, error, fault, throttle,
        throttled, partial, inferred, root, status, method, url, client_ip, agent, segments, documents, bytes,
        received_us, over_limit, shape)
        SELECT key, id, revision, start_us, end_us, duration_us, response_us, ok, error, fault, throttle, throttled,
            partial, inferred, root, status, method, (SELECT u.id FROM urls u WHERE u.url = t.url), client_ip, agent,
            segments, documents, bytes, received_us, over_limit, 0
        FROM earlier_traces t;
    INSERT INTO calls (trace, call, edge, caller, callee, span, start_us, end_us, response_us, age_us, ok, error,
        throttle, fault, partial, inferred)
        SELECT trace, call, edge, caller, callee, span, start_us, end_us, response_us, age_us, ok, error, throttle,
            fault, partial, inferred
        FROM earlier_calls ORDER BY edge, trace;
    INSERT INTO segments (trace, segment, node, id, start_us, end_us, response_us, duration_us, ok, error, throttle,
        fault, partial, inferred, root, status, method, url, client_ip, agent)
        SELECT trace, segment, node, id, start_us, end_us, response_us, duration_us, ok, error, throttle, fault,
            partial, inferred, root, status, method, url, client_ip, agent
        FROM earlier_segments ORDER BY node, trace;
    INSERT INTO trace_minutes (minute, traces) SELECT (key >> 31) / 60, count(*) FROM traces GROUP BY 1;
";

/// The tables or indexes that statements made, with these statements.
fn objects(connection: &Connection, kind: &str) -> rusqlite::Result<Vec<(String, String)>> {
    // SQLite has tables of its own, such as the one behind AUTOINCREMENT.
    let sql = "SELECT name, sql FROM sqlite_schema WHERE type = ? AND sql IS NOT NULL AND name NOT LIKE 'sqlite!_%' ESCAPE '!'";
    let mut query = connection.prepare(sql)?;
    query.query_map([kind], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}
