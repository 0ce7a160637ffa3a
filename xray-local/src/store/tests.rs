//! The store in memory and on disk.

use super::{OpenError, Options, Place, Store, StoreError};

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
