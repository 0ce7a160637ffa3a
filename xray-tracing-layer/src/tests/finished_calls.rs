//! Calls that an event tells of when they are done, by the fields that `sqlx` and `mongodb` give them. The crates
//! themselves are run elsewhere: here time stands still.

use serde_json::json;
use tracing::{Level, event, info_span};

use super::{Rig, SAMPLED, SECOND, lambda, names};
use crate::Builder;

/// A statement's event, as `sqlx` 0.8 and 0.9 send it. A longer one has its text in `db.statement`.
macro_rules! statement {
    ($level:ident, $summary:expr, $text:expr, $secs:expr $(, $($more:tt)*)?) => {
        event!(
            target: "sqlx::query", Level::$level, summary = $summary, db.statement = $text, rows_affected = 1_u64,
            rows_returned = 2_u64, elapsed = "a while", elapsed_secs = $secs, $($($more)*)?
        )
    };
}

#[test]
fn a_statement_is_a_subsegment_that_began_before_it_was_told() {
    let rig = Rig::new(|b| b);
    rig.run(|| {
        let _root = info_span!("root").entered();
        rig.pass(300_000);
        statement!(DEBUG, "select a from t …", "\n\nselect a from t where b = 'x'\n", 0.25);
        statement!(WARN, "select 1", "", 1.5, slow_threshold = "1s", message = "slow statement: …");
    });
    let sent = rig.sent();
    let calls = sent[0]["subsegments"].as_array().unwrap();
    let start = |call: usize| calls[call]["start_time"].as_f64().unwrap();
    assert_eq!(start(0), 1_800_000_000.05);
    // Longer than its span is open: the truth, which X-Ray takes.
    assert_eq!(start(1), 1_799_999_998.8);
    for (call, text) in [(0, "select a from t where b = ?"), (1, "select ?")] {
        assert_eq!(calls[call]["end_time"], 1_800_000_000.3);
        assert_eq!(calls[call]["name"], "shop database");
        assert_eq!(calls[call]["namespace"], "remote");
        assert_eq!(calls[call]["sql"], json!({"sanitized_query": text}));
    }
    assert_eq!(calls[0]["metadata"]["default"], json!({"rows_affected": 1, "rows_returned": 2}));
    assert_eq!(calls[1]["metadata"]["default"]["slow_threshold"], "1s");
    let stats = rig.handle.stats();
    assert_eq!((stats.closed, stats.folded, stats.emitted), (3, 2, 1));
}

#[test]
fn the_user_names_the_database_and_keeps_or_drops_the_text() {
    let one = |change: fn(Builder) -> Builder| {
        let rig = Rig::new(|b| change(b.database("postgresql", "orders@db.example")));
        rig.run(|| info_span!("root").in_scope(|| statement!(DEBUG, "select 1", "", 0.0)));
        let call = rig.sent()[0]["subsegments"][0].clone();
        assert_eq!((&call["name"], &call["namespace"]), (&json!("orders@db.example"), &json!("remote")));
        call["sql"].clone()
    };
    assert_eq!(one(|b| b), json!({"sanitized_query": "select ?", "database_type": "postgresql"}));
    assert_eq!(
        one(Builder::keep_sql_literals),
        json!({"sanitized_query": "select 1", "database_type": "postgresql"})
    );
    assert_eq!(one(Builder::without_sql_text), json!({"database_type": "postgresql"}));
}

#[test]
fn a_summary_is_shown_only_where_nothing_is_left_of_its_statement() {
    for (redacted, text, shown) in [
        ("", "\n\nselect a from t where b = 'x'\n", "select a from t where b = ?"),
        ("", "\n \n", "select a from t …"),
        ("db.statement", "\n\nselect a from t where b = 'x'\n", "select a from t …"),
    ] {
        let rig = Rig::new(|b| {
            b.database("postgresql", "orders").redact(move |field, value| match field {
                _ if field == redacted => "".into(),
                _ => value.into(),
            })
        });
        rig.run(|| info_span!("root").in_scope(|| statement!(DEBUG, "select a from t …", text, 0.0)));
        let sent = rig.sent();
        let call = &sent[0]["subsegments"][0];
        assert_eq!(call["sql"], json!({"sanitized_query": shown, "database_type": "postgresql"}));
        assert_eq!(call["name"], "orders");
        assert_eq!(call["metadata"]["default"], json!({"rows_affected": 1, "rows_returned": 2}));
    }
}

#[test]
fn redaction_sees_the_statement_and_its_summary() {
    let rig = Rig::new(|b| {
        b.redact(|field, value| match field {
            "summary" | "db.statement" => format!("/* seen */{value} redacted").into(),
            _ => value.into(),
        })
    });
    rig.run(|| info_span!("root").in_scope(|| statement!(DEBUG, "select a", "", 0.0)));
    assert_eq!(rig.sent()[0]["subsegments"][0]["sql"]["sanitized_query"], "redacted");
}

#[test]
fn a_span_that_is_the_statement_already_gets_no_second_one() {
    for change in [|b: Builder| b, Builder::without_sql_text] {
        let rig = Rig::new(change);
        rig.run(|| {
            let _root = info_span!("root").entered();
            let _call = info_span!(
                "sqlx.execute",
                db.query.text = "select a",
                db.system.name = "sqlite",
                peer.service = "orders"
            )
            .entered();
            statement!(DEBUG, "select a", "", 0.1);
        });
        let call = rig.sent()[0]["subsegments"][0].clone();
        assert_eq!((&call["name"], &call["sql"]["database_type"]), (&json!("orders"), &json!("sqlite")));
        assert_eq!(call["metadata"]["default"]["rows_returned"], 2);
        assert!(call.get("subsegments").is_none(), "{call}");
    }
}

#[test]
fn outside_of_a_recorded_span_nothing_comes_of_it() {
    let rig = Rig::new(|b| b.sampler(xray_sdk::sampling::Never));
    rig.run(|| {
        statement!(DEBUG, "select a", "", 0.1);
        info_span!("root").in_scope(|| statement!(DEBUG, "select a", "", 0.1));
    });
    assert_eq!(rig.sent(), [0; 0]);
    assert_eq!(rig.handle.stats().closed, 0);
}

#[test]
fn calls_leave_an_old_parent_and_a_full_one_as_spans_do() {
    let rig = Rig::new(|b| b.stream_after(1));
    rig.run(|| {
        let _root = info_span!("root").entered();
        statement!(DEBUG, "select a", "", 0.1);
        statement!(DEBUG, "select b", "", 0.1);
        assert_eq!(rig.handle.stats().held, 1, "for others to go with");
        assert!(rig.handle.flush(std::time::Duration::from_secs(10)));
        let sent = rig.sent();
        assert_eq!(names(&sent), ["shop database"], "the second found no room");
        assert_eq!(sent[0]["type"], "subsegment");
        rig.pass(11 * SECOND);
        statement!(DEBUG, "select c", "", 0.1);
        // What the old parent held, the new one, and the announcement that the parent is still there.
        assert_eq!(names(&rig.sent()), ["shop database", "shop database", "shop"]);
    });
    let stats = rig.handle.stats();
    assert_eq!((stats.closed, stats.folded, stats.emitted, stats.announced), (4, 1, 3, 1));
}

#[test]
fn in_lambda_a_call_needs_no_span_but_the_runtimes() {
    let rig = lambda("");
    rig.run(|| {
        let _invoke = info_span!("Lambda runtime invoke", requestId = "r", xrayTraceId = SAMPLED).entered();
        statement!(DEBUG, "select a", "", 0.1);
        let sent = rig.sent();
        assert_eq!(names(&sent), ["shop database"]);
        assert_eq!(sent[0]["parent_id"], "53995c3f42cd8ad8");
        let handler = info_span!("handler").entered();
        statement!(DEBUG, "select b", "", 0.1);
        drop(handler);
    });
    let sent = rig.sent();
    assert_eq!(names(&sent), ["handler"]);
    assert_eq!(sent[0]["subsegments"][0]["name"], "shop database");
    let stats = rig.handle.stats();
    assert_eq!((stats.closed, stats.folded, stats.emitted), (3, 1, 2));
}

#[test]
fn in_lambda_a_call_after_its_span_departed_hangs_below_what_was_sent() {
    let rig = lambda(SAMPLED);
    rig.run(|| {
        let handler = info_span!("handler");
        handler.in_scope(|| ());
        let id = handler.id().unwrap().into_u64();
        crate::layer::find::with_core(&handler, |core, _| core.emit_early(id));
        assert_eq!(names(&rig.sent()), ["handler"]);
        handler.in_scope(|| statement!(DEBUG, "select a", "", 0.1));
    });
    // The call, and the part of the handler that it happened in.
    let sent = rig.sent();
    assert_eq!(names(&sent), ["shop database", "handler"]);
    assert_eq!(sent[0]["parent_id"], sent[1]["id"]);
}

/// A command's events, as `mongodb` 3.9 sends them.
macro_rules! command {
    (started, $request:expr) => {
        event!(
            target: "mongodb::command", Level::DEBUG, topologyId = "t", command = r#"{"find":"orders","filter":{"name":"alice"}}"#,
            databaseName = "shop", commandName = "find", requestId = $request, driverConnectionId = 1_u32,
            serverHost = "db.example", serverPort = 27017_u16, "Command started"
        )
    };
    (succeeded, $request:expr) => {
        event!(
            target: "mongodb::command", Level::DEBUG, topologyId = "t", reply = r#"{"name":"alice"}"#,
            commandName = "find", requestId = $request, driverConnectionId = 1_u32, serverHost = "db.example",
            serverPort = 27017_u16, durationMS = 20_u128, "Command succeeded"
        )
    };
    (failed, $request:expr) => {
        event!(
            target: "mongodb::command", Level::DEBUG, topologyId = "t", failure = "Kind: not authorized",
            commandName = "find", requestId = $request, driverConnectionId = 1_u32, serverHost = "db.example",
            serverPort = 27017_u16, durationMS = 20_u128, "Command failed"
        )
    };
}

#[test]
fn a_command_is_timed_from_its_start_and_named_by_its_database_and_host() {
    let rig = Rig::new(|b| b);
    rig.run(|| {
        let _root = info_span!("root").entered();
        command!(started, 7_i32);
        command!(started, 8_i32);
        rig.pass(20_700);
        command!(failed, 8_i32);
        command!(succeeded, 7_i32);
        // Its start was not seen.
        command!(succeeded, 9_i32);
    });
    let sent = rig.sent();
    let calls = sent[0]["subsegments"].as_array().unwrap();
    assert_eq!(names(calls), ["shop@db.example", "shop@db.example", "db.example"]);
    let metadata = json!({"default": {"db.operation.name": "find", "db.system": "mongodb"}});
    for (call, start) in calls.iter().zip([1_800_000_000.0, 1_800_000_000.0, 1_800_000_000.000_7]) {
        assert_eq!((&call["start_time"], &call["end_time"]), (&json!(start), &json!(1_800_000_000.020_7)));
        assert_eq!((&call["namespace"], &call["metadata"]), (&json!("remote"), &metadata));
        assert!(call.get("sql").is_none() && call.get("http").is_none());
    }
    assert_eq!(calls[0]["fault"], true);
    assert_eq!(calls[0]["cause"]["exceptions"][0]["message"], "Kind: not authorized");
    assert!(calls[1].get("fault").is_none());
    assert!(!sent[0].to_string().contains("alice"), "neither command nor reply");
    let stats = rig.handle.stats();
    assert_eq!((stats.closed, stats.folded, stats.emitted), (4, 3, 1));
}

#[test]
fn a_command_that_never_ends_leaves_nothing_behind_that_another_would_find() {
    let rig = Rig::new(|b| b);
    rig.run(|| {
        let _root = info_span!("root").entered();
        command!(started, 1_i32);
        command!(started, 1_i32 + 64);
        command!(succeeded, 1_i32);
        command!(succeeded, 1_i32 + 64);
        command!(succeeded, 1_i32 + 64);
    });
    let calls = rig.sent()[0]["subsegments"].as_array().unwrap().clone();
    assert_eq!(names(&calls), ["db.example", "shop@db.example", "db.example"]);
}
