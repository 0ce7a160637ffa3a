//! A store in memory, filled with documents.

use serde_json::{Value, json};

use crate::model::{Door, TraceKey};
use crate::query::filter::Filter;
use crate::query::{GroupMatcher, Range, Search, find};
use crate::store::{Options, Place, Store, StoreError};

/// The second of the traces' ids, and the first moment of most traces.
pub(super) const START: f64 = 1_727_112_883.0;

/// A store with the groups `(name, expression)`, numbered from 1.
pub(super) fn store_with_groups(groups: &[(&str, &str)]) -> Store {
    let store = Store::open(Options::at(Place::Memory)).unwrap();
    store.set_matcher(std::sync::Arc::new(GroupMatcher::new()));
    let groups: Vec<(String, String)> =
        groups.iter().map(|(name, expression)| ((*name).to_owned(), (*expression).to_owned())).collect();
    let written: Result<(), StoreError> = store.write_blocking(move |connection| {
        for (name, expression) in groups {
            connection.execute(
                "INSERT INTO groups (name, arn, expression, insights, created_us, modified_us)
                 VALUES (?1, 'arn:' || ?1, ?2, '{}', 0, 0)",
                (name, expression),
            )?;
        }
        Ok(())
    });
    written.unwrap();
    store
}

/// A store with the documents.
pub(super) fn store(documents: &[Value]) -> Store {
    let store = store_with_groups(&[]);
    put(&store, documents);
    store
}

/// Stores documents, each of which has to be accepted.
pub(super) fn put(store: &Store, documents: &[Value]) {
    for documents in documents.chunks(50) {
        let bytes = documents.iter().map(|document| document.to_string().into_bytes()).collect();
        let verdicts = store.put_blocking(bytes, Door::Api).unwrap();
        assert!(verdicts.iter().all(Option::is_none), "{verdicts:?} {documents:?}");
    }
}

/// An id whose last digits are a number.
pub(super) fn trace(number: u32) -> String {
    format!("1-{:08x}-{:024x}", START as u32, number)
}

/// A segment of a trace that begins `at` seconds after [`START`] and takes `seconds`, with further members.
pub(super) fn segment(number: u32, id: u64, name: &str, at: f64, seconds: f64, more: Value) -> Value {
    let mut document = json!({
        "trace_id": trace(number), "id": format!("{id:016x}"), "name": name,
        "start_time": START + at, "end_time": START + at + seconds,
    });
    merge(&mut document, more);
    document
}

/// A subsegment to be nested, with further members.
pub(super) fn subsegment(id: u64, name: &str, at: f64, seconds: f64, more: Value) -> Value {
    let mut document = json!({
        "id": format!("{id:016x}"), "name": name, "start_time": START + at, "end_time": START + at + seconds,
    });
    merge(&mut document, more);
    document
}

fn merge(document: &mut Value, more: Value) {
    let Value::Object(more) = more else { return };
    for (key, value) in more {
        if value.is_null() {
            document.as_object_mut().unwrap().remove(&key);
        } else {
            document[key] = value;
        }
    }
}

/// Keys of all traces that match, newest first.
pub(super) fn matching(store: &Store, expression: &str) -> Vec<TraceKey> {
    let filter = Filter::parse(expression).unwrap_or_else(|err| panic!("{expression}: {err}"));
    let search = Search { limit: 100_000, ..Search::new(Range::ALL, filter) };
    store.read(|connection| find(connection, &search)).unwrap().keys
}

/// Numbers of all traces that match, ascending.
pub(super) fn numbers(store: &Store, expression: &str) -> Vec<u32> {
    let mut numbers: Vec<u32> =
        matching(store, expression).iter().map(|key| (key.0 & ((1 << 31) - 1)) as u32).collect();
    numbers.sort_unstable();
    numbers
}
