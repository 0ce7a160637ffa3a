//! `query`: the subsegment of a query for libraries that describe none.

use std::io;

use serde_json::{Value, json};
use tracing::info_span;
use xray_tracing_layer::query;

use crate::support::{MemoryRig, Rig};

fn parts(document: &Value) -> Vec<Value> {
    document["subsegments"].as_array().unwrap().clone()
}

#[test]
fn a_statement_is_sanitized_in_the_language_of_its_system() {
    for (system, text, expected) in [
        ("postgresql", r#"SELECT "a" FROM t WHERE b = 'x'"#, r#"SELECT "a" FROM t WHERE b = ?"#),
        ("mysql", r#"SELECT "a" FROM t"#, "SELECT ? FROM t"),
        ("redis", "SET user:7 x", "SET ? ?"),
        ("mongodb", r#"{"find":"users"}"#, r#"{"find":?}"#),
    ] {
        let rig = MemoryRig::new();
        rig.run(|| info_span!("root").in_scope(|| drop(query(system, text))));
        let part = &parts(&rig.documents()[0])[0];
        assert_eq!(part["sql"]["sanitized_query"], expected, "{system}");
        assert_eq!(part["namespace"], "remote");
    }
}

#[test]
fn a_query_is_named_by_its_database_its_host_or_its_system() {
    let rig = MemoryRig::with(|builder| builder.database("postgresql", "orders@db.example"));
    rig.run(|| {
        let _root = info_span!("root").entered();
        drop(query("postgresql", "SELECT 1"));
        drop(query("postgresql", "SELECT 1").database("prices"));
        drop(query("postgresql", "SELECT 1").database("prices").host("db2.example"));
        drop(query("redis", "PING"));
        drop(query("redis", "PING").host("cache.example"));
        drop(query("", ""));
    });
    let parts = parts(&rig.documents()[0]);
    let names: Vec<_> = parts.iter().map(|part| part["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["orders@db.example", "prices", "prices@db2.example", "redis", "cache.example", "query"]
    );
}

#[test]
fn a_system_or_user_with_control_characters_is_left_out_and_counted() {
    for system in ["weird\0 system", "post\u{7f}gresql", "a\nb"] {
        let rig = MemoryRig::new();
        rig.run(|| info_span!("root").in_scope(|| drop(query(system, "SELECT 1"))));
        let part = &parts(&rig.documents()[0])[0];
        assert_eq!((&part["sql"]["database_type"], &part["namespace"]), (&Value::Null, &json!("remote")));
        assert_eq!(rig.handle.stats().values_dropped, 1, "{system:?}");
    }
    let rig = MemoryRig::new();
    let call = || drop(info_span!("call", db.system = " postgresql\n", db.user = "bob\0"));
    rig.run(|| info_span!("root").in_scope(call));
    let sql = &parts(&rig.documents()[0])[0]["sql"];
    assert_eq!((&sql["database_type"], &sql["user"]), (&json!("postgresql"), &Value::Null));
}

#[test]
fn an_error_of_the_work_is_a_fault_with_its_sources() {
    let rig = Rig::new();
    rig.run(|| {
        let _root = info_span!("root").entered();
        let works: Result<u32, io::Error> = query("sqlite", "SELECT 1").in_scope(|| Ok(7));
        assert_eq!(works.unwrap(), 7);
        let fails = query("sqlite", "SELECT 1").in_scope(|| Err::<(), _>(io::Error::other("disk is full")));
        fails.unwrap_err();
    });
    let parts = parts(&rig.document());
    assert_eq!((&parts[0]["fault"], &parts[1]["fault"]), (&Value::Null, &json!(true)));
    assert_eq!(parts[1]["cause"]["exceptions"][0]["message"], "disk is full");
}

#[test]
fn awaited_work_is_polled_in_the_querys_span_and_ends_it() {
    let rig = Rig::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    rig.run(|| {
        let _root = info_span!("root").entered();
        let work = async {
            tokio::task::yield_now().await;
            drop(info_span!("inside"));
            Err::<(), _>(io::Error::other("connection reset"))
        };
        let done = query("postgresql", "SELECT 1").database("orders").instrument(work);
        runtime.block_on(done).unwrap_err();
        drop(info_span!("afterwards"));
    });
    rig.assert_picture(
        "
◆ shop
├─ orders [remote]  fault
│  └─ inside
└─ afterwards
",
    );
}

#[test]
fn a_query_that_is_not_recorded_runs_its_work_all_the_same() {
    assert_eq!(query("sqlite", "SELECT 1").in_scope(|| Ok::<_, io::Error>(7)).unwrap(), 7);
    query("sqlite", "SELECT 1").in_scope(|| Err::<(), _>(io::Error::other("no"))).unwrap_err();
}
