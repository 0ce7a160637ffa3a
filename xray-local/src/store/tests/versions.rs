//! Files of earlier and later versions, and of other programs.

use super::super::{OpenError, Options, Place, Store, StoreError};
use super::{pieces, rows, segment};
use crate::model::Door;

/// A folder of a test's own with the path of a file in it.
fn place(name: &str) -> (std::path::PathBuf, std::path::PathBuf) {
    let folder = std::env::temp_dir().join(format!("xray-local-store-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    (folder.clone(), folder.join("xray.db"))
}

/// Every table and index as SQLite keeps them, in order of their names.
fn schema(connection: &rusqlite::Connection) -> Vec<String> {
    let mut query = connection
        .prepare("SELECT name || ': ' || sql FROM sqlite_schema WHERE sql != '' ORDER BY 1")
        .unwrap();
    query.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap()
}

#[test]
fn a_file_of_an_earlier_version_is_migrated_with_its_data() {
    let (folder, file) = place("earlier");
    let url = |path: &str| {
        format!(r#","http":{{"request":{{"url":"https://shop/{path}"}},"response":{{"status":404}}}}"#)
    };
    let mut documents = pieces();
    documents.extend((3..1_200).map(|n| segment(n, 1, None, 0, 10, &url(&(n % 7).to_string()))));
    // A receiver, whose sender is the trace before.
    let links =
        format!(r#","links":[{{"trace_id":"1-{:08x}-{:024x}","id":"{:016x}"}}]"#, 1_700_000_003, 3, 1);
    documents.push(segment(1_200, 1, None, 0, 10, &links));
    let store = Store::open(Options::at(Place::File(file.clone()))).unwrap();
    assert!(store.put_blocking(documents, Door::Api).unwrap().iter().all(Option::is_none));
    let (before, tables) =
        (rows(&store), store.read(|connection| Ok::<_, StoreError>(schema(connection))).unwrap());
    assert!(before.iter().any(|row| row.starts_with("links|")), "{before:#?}");
    store.close();
    drop(store);
    for earlier in [
        "",
        "DROP INDEX trace_causes_path; CREATE INDEX trace_causes_path ON trace_causes (path, trace);
         PRAGMA user_version = 1;",
    ] {
        let connection = rusqlite::Connection::open(&file).unwrap();
        connection.execute_batch(include_str!("earlier.sql")).unwrap();
        connection.execute_batch(earlier).unwrap();
        assert_ne!(schema(&connection), tables);
        drop(connection);
        let store = Store::open(Options::at(Place::File(file.clone()))).unwrap();
        assert_eq!(store.read(|connection| Ok::<_, StoreError>(schema(connection))).unwrap(), tables);
        assert!(rows(&store) == before, "{:#?}", rows(&store));
        let version = store.read(|connection| {
            Ok::<i64, StoreError>(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
        });
        assert_eq!(version.unwrap(), super::super::file::VERSION);
        store.close();
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_migration_that_fails_leaves_the_file_as_it_was() {
    let (folder, file) = place("halfway");
    let store = Store::open(Options::at(Place::File(file.clone()))).unwrap();
    store.put_blocking(pieces(), Door::Api).unwrap();
    store.close();
    drop(store);
    let connection = rusqlite::Connection::open(&file).unwrap();
    connection.execute_batch(include_str!("earlier.sql")).unwrap();
    // In the way of the new table.
    connection.execute_batch("CREATE TABLE earlier_calls (none)").unwrap();
    let before = schema(&connection);
    drop(connection);
    assert!(matches!(Store::open(Options::at(Place::File(file.clone()))), Err(OpenError::Sqlite(..))));
    let connection = rusqlite::Connection::open(&file).unwrap();
    assert_eq!(schema(&connection), before);
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(version, 2);
    drop(connection);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_is_not_this_programs_file_is_refused_with_a_sentence_and_not_changed() {
    let (folder, file) = place("refused");
    drop(Store::open(Options::at(Place::File(file.clone()))).unwrap());
    let edit = |sql: &str| rusqlite::Connection::open(&file).unwrap().execute_batch(sql).unwrap();
    for (sql, expected) in [
        ("PRAGMA user_version = 4", "has format 4, this xray-local reads up to 3"),
        ("PRAGMA user_version = 0", "has format 0"),
        ("PRAGMA user_version = 3; PRAGMA application_id = 7", "was not made by xray-local"),
    ] {
        edit(sql);
        let before = std::fs::read(&file).unwrap();
        assert!(!before.is_empty());
        let err = Store::open(Options::at(Place::File(file.clone()))).unwrap_err();
        assert!(err.to_string().contains(expected), "{err}");
        let after = std::fs::read(&file).unwrap();
        let changed = before.iter().zip(&after).position(|(old, new)| old != new);
        assert_eq!((changed, after.len()), (None, before.len()), "{sql}");
    }
    // A database of another program keeps its journal mode, too.
    std::fs::remove_file(&file).unwrap();
    edit("CREATE TABLE diary (entry)");
    let before = std::fs::read(&file).unwrap();
    let err = Store::open(Options::at(Place::File(file.clone()))).unwrap_err();
    assert!(err.to_string().contains("was not made by xray-local"), "{err}");
    assert!(std::fs::read(&file).unwrap() == before, "changed");
    std::fs::write(&file, "a diary, not a database: long enough for SQLite to look at it".repeat(100))
        .unwrap();
    let err = Store::open(Options::at(Place::File(file.clone()))).unwrap_err();
    assert!(err.to_string().contains("damaged"), "{err}");
    std::fs::remove_dir_all(folder).unwrap();
}
