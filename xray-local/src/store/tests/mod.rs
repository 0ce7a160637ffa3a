//! The store in memory and on disk.

mod versions;

use super::{OpenError, Options, Place, Store, StoreError, find};
use crate::model::Door;

#[test]
fn what_was_written_is_read() {
    let store = Store::open(Options::at(Place::Memory)).unwrap();
    let written: Result<usize, StoreError> = store.write_blocking(|connection| {
        Ok(connection.execute("INSERT INTO settings (name, value) VALUES ('a', '1')", [])?)
    });
    assert_eq!(written, Ok(1));
    let failed: Result<(), StoreError> = store.write_blocking(|connection| {
        connection.execute("INSERT INTO settings (name, value) VALUES ('b', '1')", [])?;
        Err(StoreError::Damaged("on purpose"))
    });
    assert_eq!(failed, Err(StoreError::Damaged("on purpose")));
    let count: Result<i64, StoreError> = store
        .read(|connection| Ok(connection.query_row("SELECT count(*) FROM settings", [], |row| row.get(0))?));
    assert_eq!(count, Ok(1));
    store.close();
}

#[test]
fn a_file_belongs_to_one_process_and_to_its_owner() {
    let folder = std::env::temp_dir().join(format!("xray-local-{}", std::process::id()));
    let path = folder.join("deep").join("xray.db");
    let store = Store::open(Options::at(Place::File(path.clone()))).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert!(matches!(Store::open(Options::at(Place::File(path.clone()))), Err(OpenError::InUse(_))));
    store.close();
    drop(store);
    drop(Store::open(Options::at(Place::File(path))).unwrap());
    std::fs::remove_dir_all(folder).unwrap();
}

fn memory(limits: bool) -> Store {
    Store::open(Options { limits, ..Options::at(Place::Memory) }).unwrap()
}

/// A segment that started some milliseconds after the trace's second, and took as long as given.
fn segment(trace: u32, id: u64, parent: Option<u64>, start_ms: u32, length_ms: u32, more: &str) -> Vec<u8> {
    let start = 1_700_000_000.0 + f64::from(trace) + f64::from(start_ms) / 1_000.0;
    let parent = parent.map(|parent| format!(r#""parent_id":"{parent:016x}","#)).unwrap_or_default();
    format!(
        r#"{{"name":"s{id}","id":"{id:016x}","trace_id":"1-{:08x}-{trace:024x}",{parent}"start_time":{start},"end_time":{}{more}}}"#,
        1_700_000_000 + trace,
        start + f64::from(length_ms) / 1_000.0,
    )
    .into_bytes()
}

/// Every row of the tables of traces, but for revisions and times of arrival, as text in a fixed order.
/// Numbers of nodes, edges and paths depend on the order in which they were met, so names stand for them.
fn rows(store: &Store) -> Vec<String> {
    const TABLES: [(&str, &str); 15] = [
        (
            "traces",
            "hex(id), start_us, end_us, response_us, ok, error, fault, throttled, partial, segments, bytes,
             (SELECT u.url FROM urls u WHERE u.id = traces.url)",
        ),
        ("segments", "trace, node, id, start_us, end_us, duration_us, ok, fault, inferred, root"),
        ("calls", "trace, edge, span, start_us, end_us, ok, fault"),
        ("annotations", "trace, key, kind, value, segment"),
        ("users", "trace, user, segment"),
        ("places", "trace, kind, value, segment"),
        ("links", "trace, span, hex(linked)"),
        ("trace_causes", "trace, path, hex(coverage)"),
        ("trace_groups", "grp, trace"),
        (
            "node_minutes",
            "grp, minute, node, ok, error, fault, time_us, root, hex(durations), hex(responses)",
        ),
        ("trace_minutes", "minute, traces"),
        (
            "traces t JOIN shapes h ON h.id = t.shape",
            "t.key, h.ok, h.error, h.throttle, h.fault, h.partial, h.inferred, h.status, h.method, h.user, h.zone,
             h.instance, h.resource, (SELECT group_concat(k.key) FROM shape_keys k WHERE k.shape = h.id)",
        ),
        (
            "traces t JOIN shape_segments h ON h.shape = t.shape",
            "t.key, node, h.ok, h.error, h.throttle, h.fault, h.partial, h.inferred, h.root, h.status, h.method",
        ),
        (
            "traces t JOIN shape_calls h ON h.shape = t.shape",
            "t.key, edge, h.ok, h.error, h.throttle, h.fault, h.partial, h.inferred",
        ),
        ("edge_minutes", "grp, minute, edge, ok, error, fault, time_us, hex(responses)"),
    ];
    let mut rows = Vec::new();
    for (table, columns) in TABLES {
        let columns = columns
            .replace(" node,", " (SELECT name || type FROM nodes WHERE id = node),")
            .replace(
                " edge,",
                " (SELECT s.name || s.type || '>' || t.name || t.type FROM edges e JOIN nodes s ON s.id = e.source
                  JOIN nodes t ON t.id = e.target WHERE e.id = edge),",
            )
            .replace(" path,", " (SELECT json FROM cause_paths p WHERE p.id = path),");
        let sql = format!("SELECT concat_ws('|', '{table}', {columns}) AS line FROM {table} ORDER BY line");
        let read: Result<Vec<String>, StoreError> = store.read(|connection| {
            Ok(connection.prepare(&sql)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
        });
        rows.extend(read.unwrap());
    }
    rows
}

fn pieces() -> Vec<Vec<u8>> {
    vec![
        segment(1, 1, None, 0, 500, r#","user":"ann","annotations":{"a":1,"b":"x"},"fault":true"#),
        segment(1, 2, Some(3), 120, 200, r#","fault":true,"resource_arn":"arn:x""#),
        segment(1, 3, Some(1), 100, 250, r#","type":"subsegment","namespace":"remote","fault":true"#),
        segment(2, 4, None, 0, 70, r#","error":true,"subsegments":[]"#),
        segment(2, 5, Some(4), 10, 20, r#","type":"subsegment","namespace":"aws","aws":{"table_name":"t"}"#),
    ]
}

#[test]
fn pieces_in_any_batches_give_the_rows_of_the_whole() {
    let at_once = memory(true);
    assert_eq!(at_once.put_blocking(pieces(), Door::Api).unwrap(), vec![None; 5]);
    let expected = rows(&at_once);
    assert!(expected.len() > 20, "{expected:#?}");
    let one_by_one = memory(true);
    for piece in pieces() {
        one_by_one.put_blocking(vec![piece.clone()], Door::Api).unwrap();
        // Sent again, as a daemon does when it got no answer.
        one_by_one.put_blocking(vec![piece], Door::Api).unwrap();
    }
    assert_eq!(rows(&one_by_one), expected);
    let counts = one_by_one.counts();
    assert_eq!((counts.received, counts.stored, counts.repeated, counts.refused), (10, 5, 5, 0));
}

#[test]
fn documents_come_back_byte_for_byte() {
    let store = memory(false);
    let documents: Vec<Vec<u8>> =
        (0..5_000).map(|id| segment(1, id + 1, None, 0, 10, &format!(r#","user":"{id}""#))).collect();
    store.put_blocking(documents.clone(), Door::Api).unwrap();
    let read: Result<Vec<Vec<u8>>, StoreError> = store.read(|connection| {
        let held = find(connection, xray_sdk::TraceId::from((1_700_000_001_u128 << 96) + 1))?.unwrap();
        Ok(super::documents(connection, held.key)?)
    });
    assert_eq!(read.unwrap(), documents);
    let blocks: Result<(i64, i64), StoreError> = store.read(|connection| {
        Ok(connection
            .query_row("SELECT count(*), sum(live) FROM blocks", [], |row| Ok((row.get(0)?, row.get(1)?)))?)
    });
    let (blocks, live) = blocks.unwrap();
    assert!(blocks > 1 && live == 5_000, "{blocks} {live}");
}

#[test]
fn traces_of_one_batch_whose_ids_end_alike_have_keys_of_their_own() {
    let store = memory(true);
    let documents: Vec<Vec<u8>> = (0..40_u64)
        .map(|number| {
            format!(
                r#"{{"name":"s","id":"{:016x}","trace_id":"1-6553f100-{number:08x}0000000000000007","start_time":1700000000,"end_time":1700000001}}"#,
                number + 1
            )
            .into_bytes()
        })
        .collect();
    assert_eq!(store.put_blocking(documents, Door::Api).unwrap(), vec![None; 40]);
    let found: Result<(i64, i64), StoreError> = store.read(|connection| {
        let sql = "SELECT count(*), count(DISTINCT trace) FROM segments JOIN traces ON trace = key";
        Ok(connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?)
    });
    assert_eq!(found.unwrap(), (40, 40));
}

#[test]
fn a_trace_beyond_its_size_refuses_more() {
    let store = memory(true);
    let long = format!(r#","metadata":{{"m":"{}"}}"#, "x".repeat(60_000));
    let documents: Vec<Vec<u8>> = (1..=10).map(|id| segment(1, id, None, 0, 10, &long)).collect();
    let verdicts = store.put_blocking(documents, Door::Api).unwrap();
    assert_eq!(verdicts.iter().filter(|verdict| verdict.is_none()).count(), 8);
    assert!(verdicts[9].as_ref().unwrap().message.starts_with("Trace Size Exceeded"));
    let held: Result<_, StoreError> = store
        .read(|connection| Ok(find(connection, xray_sdk::TraceId::from((1_700_000_001_u128 << 96) + 1))?));
    assert!(held.unwrap().unwrap().over_limit);
}

#[test]
fn old_traces_go_with_all_their_rows() {
    let store =
        Store::open(Options { keep: std::time::Duration::ZERO, ..Options::at(Place::Memory) }).unwrap();
    store.put_blocking(pieces(), Door::Api).unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !rows(&store).is_empty() {
        assert!(std::time::Instant::now() < deadline, "{:#?}", rows(&store));
        std::thread::yield_now();
    }
    let count = |tables: &[&str]| -> i64 {
        let counts: Vec<String> =
            tables.iter().map(|table| format!("(SELECT count(*) FROM {table})")).collect();
        let sql = format!("SELECT {}", counts.join(" + "));
        store
            .read(|connection| Ok::<_, StoreError>(connection.query_row(&sql, [], |row| row.get(0))?))
            .unwrap()
    };
    assert_eq!(count(&["blocks", "documents"]), 0);
    // What repeats goes after the traces that had it.
    while count(&[
        "cause_paths",
        "cause_services",
        "urls",
        "shapes",
        "shape_segments",
        "shape_calls",
        "shape_keys",
    ]) > 0
    {
        assert!(std::time::Instant::now() < deadline);
        std::thread::yield_now();
    }
}

#[test]
fn what_repeats_is_written_again_after_it_was_deleted() {
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    connection.execute_batch(include_str!("../file/schema.sql")).unwrap();
    let mut traces = super::traces::Traces::new(true);
    let url = r#","fault":true,"http":{"request":{"url":"https://shop/"}}"#;
    for _ in 0..3 {
        let incoming = super::job::Incoming {
            bytes: segment(1, 1, None, 0, 10, url),
            door: Door::Api,
            received: crate::model::now(),
        };
        let taken = traces.take(&connection, &[incoming], None).unwrap();
        let key = taken.stored[0].key;
        let count = |sql: &str| -> i64 { connection.query_row(sql, [], |row| row.get(0)).unwrap() };
        let whole = "SELECT count(*) FROM traces t JOIN urls u ON u.id = t.url JOIN shapes h ON h.id = t.shape
                     JOIN trace_causes c ON c.trace = t.key JOIN cause_paths p ON p.id = c.path WHERE p.kind = 0";
        assert_eq!(count(whole), 1);
        // In use, so it stays.
        traces.sweep(&connection).unwrap();
        traces.sweep(&connection).unwrap();
        assert_eq!(count(whole), 1);
        traces.remove(&connection, key).unwrap();
        traces.finish(&connection).unwrap();
        // Up to two rounds: one may stand at the end of a table.
        traces.sweep(&connection).unwrap();
        traces.sweep(&connection).unwrap();
        assert_eq!(
            count(
                "SELECT (SELECT count(*) FROM urls) + (SELECT count(*) FROM shapes) + (SELECT count(*) FROM cause_paths)"
            ),
            0
        );
        assert_eq!(count("SELECT count(*) FROM trace_minutes"), 0);
    }
}

#[test]
fn the_size_of_the_file_stays_below_its_bound() {
    let store = Store::open(Options { max_size: 3_000_000, ..Options::at(Place::Memory) }).unwrap();
    for round in 0..40 {
        let documents = (0..50)
            .map(|n| {
                segment(
                    round * 50 + n,
                    1,
                    None,
                    0,
                    10,
                    &format!(r#","metadata":{{"m":"{}"}}"#, noise(4_000, n)),
                )
            })
            .collect();
        store.put_blocking(documents, Door::Api).unwrap();
    }
    let used = || -> u64 {
        let pages: Result<u64, StoreError> = store.read(|connection| {
            let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
            let free: i64 = connection.query_row("PRAGMA freelist_count", [], |row| row.get(0))?;
            Ok(((pages - free) * 4_096) as u64)
        });
        pages.unwrap()
    };
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while used() > 3_000_000 {
        assert!(std::time::Instant::now() < deadline, "{} bytes", used());
        std::thread::yield_now();
    }
    // The latest are still there.
    assert!(rows(&store).iter().any(|row| row.starts_with("traces|")));
}

/// Letters that don't compress.
fn noise(length: usize, seed: u32) -> String {
    let mut state = u64::from(seed) + 1;
    (0..length)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b'a' + (state >> 59) as u8 % 26)
        })
        .collect()
}

#[test]
fn refused_documents_are_problems_and_equal_ones_are_counted() {
    let store = memory(true);
    for _ in 0..3 {
        let verdicts = store.put_blocking(vec![b"{}".to_vec(), b"junk".to_vec()], Door::Daemon).unwrap();
        assert_eq!(verdicts[0].as_ref().map(|refused| refused.code), Some("MissingId"));
    }
    store.refuse_datagram(b"no header", "no line feed");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    loop {
        let found: Result<Vec<(String, String, i64)>, StoreError> = store.read(|connection| {
            Ok(connection
                .prepare(
                    "SELECT door, code, sum(count) FROM problems GROUP BY door, code ORDER BY door, code",
                )?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect::<rusqlite::Result<_>>()?)
        });
        let found = found.unwrap();
        if found.len() == 3 {
            let daemon = "daemon".to_owned();
            let expected = [
                (daemon.clone(), "InvalidSegment".to_owned(), 3),
                (daemon, "MissingId".to_owned(), 3),
                ("udp".to_owned(), String::new(), 1),
            ];
            assert_eq!(found, expected);
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{found:?}");
        std::thread::yield_now();
    }
}

#[test]
fn datagrams_reach_the_tail_and_outlive_a_close() {
    let folder = std::env::temp_dir().join(format!("xray-local-tail-{}", std::process::id()));
    let path = folder.join("xray.db");
    let store = Store::open(Options::at(Place::File(path.clone()))).unwrap();
    let mut tail = store.tail();
    store.offer(segment(7, 1, None, 0, 10, ""), Door::Udp);
    let stored = tail.blocking_recv().unwrap();
    assert_eq!((stored.revision, stored.partial), (1, false));
    store.offer(segment(8, 1, None, 0, 10, ""), Door::Udp);
    store.close();
    drop(store);
    let store = Store::open(Options::at(Place::File(path))).unwrap();
    let count: Result<i64, StoreError> = store
        .read(|connection| Ok(connection.query_row("SELECT count(*) FROM traces", [], |row| row.get(0))?));
    assert_eq!(count, Ok(2));
    drop(store);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_full_disk_is_an_answer_and_what_came_meanwhile_is_counted() {
    let store = memory(true);
    let limit = |pages: i64| {
        let set: Result<i64, StoreError> = store.write_blocking(move |connection| {
            let now: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
            let most = if pages < 0 { 1_000_000 } else { now + pages };
            Ok(connection.query_row(&format!("PRAGMA max_page_count = {most}"), [], |row| row.get(0))?)
        });
        set.unwrap()
    };
    limit(4);
    let large = |trace: u32| {
        vec![segment(trace, 1, None, 0, 10, &format!(r#","metadata":{{"m":"{}"}}"#, noise(50_000, trace)))]
    };
    assert_eq!(store.put_blocking(large(1), Door::Api), Err(StoreError::Full));
    assert_eq!(store.put_blocking(large(2), Door::Api), Err(StoreError::Full));
    assert_eq!((store.counts().lost, store.counts().stored), (2, 0));
    assert!(rows(&store).is_empty(), "{:?}", rows(&store));
    limit(-1);
    assert_eq!(store.put_blocking(large(1), Door::Api), Ok(vec![None]));
    assert!(rows(&store).iter().any(|row| row.starts_with("traces|")));
}
