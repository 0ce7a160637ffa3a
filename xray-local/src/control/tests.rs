//! Numbers of the control plane: how long things are good, and how many are kept.

use serde_json::{Value, json};

use super::sampling::{self, ClientStatistics, Targets};
use super::{ControlError, Limits, retrievals, telemetry};
use crate::model::{Home, Time};
use crate::store::{Options, Place, Store, StoreError};

fn store() -> Store {
    Store::open(Options::at(Place::Memory)).unwrap()
}

fn at(seconds: i64) -> Time {
    Time(1_800_000_000_000_000 + seconds * 1_000_000)
}

fn count(store: &Store, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    let count: Result<i64, StoreError> =
        store.read(|connection| Ok(connection.query_row(&sql, [], |row| row.get(0))?));
    count.unwrap()
}

#[test]
fn a_retrieval_is_good_for_an_hour() {
    let store = store();
    let ids = ["1-5759e988-bd862e3fe1be46a994272793".to_owned()];
    store.write_blocking(move |connection| retrievals::start(connection, "token", &ids, at(0))).unwrap();
    let find = |second| store.read(|connection| retrievals::find(connection, "token", at(second)));
    assert_eq!(find(0).unwrap().status, "COMPLETE");
    assert_eq!(find(3_600).unwrap().trace_ids.len(), 1);
    assert!(matches!(find(3_601), Err(ControlError::Resource("ResourceNotFoundException", ..))));
    let cancel =
        |second| store.write_blocking(move |connection| retrievals::cancel(connection, "token", at(second)));
    assert!(cancel(3_601).is_err());
    cancel(3_600).unwrap();
    assert_eq!(find(3_600).unwrap().status, "CANCELLED");
    store.write_blocking(move |connection| retrievals::start(connection, "another", &[], at(3_601))).unwrap();
    assert_eq!(count(&store, "retrievals"), 1);
}

#[test]
fn ten_thousand_telemetry_records_are_kept() {
    let store = store();
    let put = |records: Vec<Value>| {
        store
            .write_blocking(move |connection| telemetry::put(connection, "laptop", &records, at(0)))
            .unwrap();
    };
    put((0..10_000).map(|number| json!({"SegmentsSentCount": number})).collect());
    assert_eq!(count(&store, "telemetry"), 10_000);
    put(vec![json!({"SegmentsSentCount": 10_000})]);
    assert_eq!(count(&store, "telemetry"), 10_000);
    let oldest: Result<String, StoreError> = store.read(|connection| {
        let sql = "SELECT record FROM telemetry ORDER BY rowid LIMIT 1";
        Ok(connection.query_row(sql, [], |row| row.get(0))?)
    });
    assert_eq!(oldest.unwrap(), r#"{"SegmentsSentCount":1}"#);
}

#[test]
fn reports_count_in_windows_of_ten_seconds_for_a_day_unless_they_are_old() {
    let store = store();
    let rule = json!({"RuleName": "r", "ResourceARN": "*", "Priority": 1, "FixedRate": 0.5, "ReservoirSize": 1,
        "ServiceName": "*", "ServiceType": "*", "Host": "*", "HTTPMethod": "*", "URLPath": "*", "Version": 1});
    let rule = rule.as_object().unwrap().clone();
    store
        .write_blocking(move |connection| {
            sampling::create(connection, &Home::default(), &rule, Limits::Real, at(0))
        })
        .unwrap();
    let report = |counted: i64, second: i64| {
        let report = ClientStatistics {
            rule: "r".to_owned(),
            client: "a".repeat(24),
            at: at(counted),
            requests: 3,
            sampled: 2,
            borrowed: 1,
        };
        let outcome = store.write_blocking(move |connection| {
            Targets::default().report(connection, &[report], &[], at(second))
        });
        outcome.unwrap()
    };
    let windows = || {
        let windows = store.read(|connection| sampling::windows(connection, 0, 100)).unwrap();
        windows.iter().map(|window| (window.at - 1_800_000_000, window.requests)).collect::<Vec<_>>()
    };
    for second in [0, 9, 10] {
        assert_eq!(report(second, second).targets.len(), 1);
    }
    assert_eq!(windows(), [(0, 6), (10, 3)]);
    let window = &store.read(|connection| sampling::windows(connection, 0, 1)).unwrap()[0];
    assert_eq!((window.sampled, window.borrowed, window.rule.as_str()), (4, 2, "r"));
    assert_eq!(report(0, 600).unprocessed, []);
    let late = &report(0, 601).unprocessed[0];
    assert_eq!(
        (late.code, late.message.as_str()),
        ("StatisticsTooOld", "The statistics are older than 10 minutes")
    );
    report(86_400, 86_400);
    assert_eq!(windows()[0], (0, 6), "a day later, still there");
    report(86_410, 86_410);
    assert_eq!(windows()[0], (10, 3));
}
