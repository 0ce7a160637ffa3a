//! SQLite's plan for each keyword: conditions that list traces seek in an index, or read an index that covers them.

use rusqlite::{Connection, params_from_iter};

use crate::query::Search;
use crate::query::filter::Filter;
use crate::query::search::plan::{Bounds, Cost, conjuncts, keys, shaped as shaped_part};
use crate::query::tests::support::store;

fn steps(connection: &Connection, sql: &str, params: &[rusqlite::types::Value]) -> Vec<String> {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let steps = statement.query_map(params_from_iter(params), |row| row.get(3)).unwrap();
    steps.collect::<rusqlite::Result<_>>().unwrap()
}

/// The steps of the query that lists the traces of a condition.
fn listed(expression: &str) -> Option<(Cost, Vec<String>)> {
    let store = store(&[]);
    let filter = Filter::parse(expression).unwrap();
    let keys = keys(filter.expr().unwrap(), Bounds { low: 0, high: i64::MAX })?;
    let steps = store
        .read(|connection| {
            Ok::<_, crate::store::StoreError>(steps(connection, &keys.query.sql, &keys.query.params))
        })
        .unwrap();
    Some((keys.cost, steps))
}

/// Each expression lists its traces at this cost, in a step that names this index.
fn assert_listed(wanted: Cost, expressions: &[(&str, &str)]) {
    for (expression, index) in expressions {
        let (cost, steps) = listed(expression).unwrap_or_else(|| panic!("{expression} lists nothing"));
        assert_eq!(cost, wanted, "{expression}");
        assert!(steps.iter().any(|step| step.contains(index)), "{expression}: {index} not in {steps:#?}");
    }
}

#[test]
fn conditions_that_seek_use_their_index() {
    assert_listed(
        Cost::Seek,
        &[
            ("fault", "COVERING INDEX traces_shape (shape=?"),
            ("!fault", "COVERING INDEX traces_shape (shape=?"),
            ("http.status >= 500", "COVERING INDEX traces_shape (shape=?"),
            (r#"service("x") AND !edge("x", "y") { fault }"#, "COVERING INDEX traces_shape (shape=?"),
            ("responsetime > 5", "traces_response (response_us>?"),
            ("responsetime = 5", "traces_response (response_us>? AND response_us<?"),
            ("duration >= 5", "traces_duration (duration_us>?"),
            (r#"http.url = "x""#, "COVERING INDEX traces_url (url=? AND key>? AND key<?"),
            (r#"http.url BEGINSWITH "x""#, "COVERING INDEX sqlite_autoindex_urls_1 (url>? AND url<?"),
            (r#"http.url BEGINSWITH "x""#, "COVERING INDEX traces_url (url=? AND key>? AND key<?"),
            ("!http.url", "COVERING INDEX traces_url (url=?"),
            ("!http.clientip", "COVERING INDEX traces_client_ip (client_ip=?"),
            (r#"http.clientip = "x""#, "traces_client_ip (client_ip=?"),
            (r#"http.useragent = "x""#, "traces_agent (agent=?"),
            (r#"user = "x""#, "users_user (user=?"),
            (r#"user BEGINSWITH "x""#, "users_user (user>? AND user<?"),
            (r#"availabilityzone = "x""#, "places_value (kind=? AND value=?"),
            (r#"instance.id = "x""#, "places_value (kind=? AND value=?"),
            (r#"resource.arn = "x""#, "places_value (kind=? AND value=?"),
            (r#"annotation.a = "x""#, "annotations_value (key=? AND kind=? AND value=?"),
            ("annotation.a = 5", "annotations_value (key=? AND kind=? AND value=?"),
            ("annotation.a > 5", "annotations_value (key=? AND kind=? AND value>?"),
            ("annotation.a = true", "annotations_value (key=? AND kind=? AND value=?"),
            ("annotation.a", "COVERING INDEX traces_shape (shape=?"),
            ("!user", "COVERING INDEX traces_shape (shape=?"),
            (r#"annotation.a CONTAINS "x""#, "annotations_value (key=? AND kind=?"),
            (r#"group.name = "x""#, "PRIMARY KEY (grp=?"),
            (r#"service("x") { responsetime > 1 }"#, "s USING PRIMARY KEY (node=? AND trace>? AND trace<?"),
            (
                r#"service(id(type: "x")) { responsetime > 1 }"#,
                "s USING PRIMARY KEY (node=? AND trace>? AND trace<?",
            ),
            (r#"edge("a", "b") { responsetime > 1 }"#, "e USING PRIMARY KEY (edge=? AND trace>? AND trace<?"),
            (r#"service(id(type: "client"))"#, "e USING PRIMARY KEY (edge=?"),
            (r#"service(id(type: "client"))"#, "s USING PRIMARY KEY (node=? AND trace=?"),
            (r#"rootcause.fault.service { name = "x" }"#, "trace_causes_path (path=?"),
            (r#"rootcause.fault.entity { last and name = "x" }"#, "trace_causes_path (path=?"),
            (r#"rootcause.error.exception { message = "x" }"#, "trace_causes_path (path=?"),
            ("rootcause.responsetime.entity { coverage > 0.5 }", "COVERING INDEX trace_causes_path (path=?"),
        ],
    );
}

#[test]
fn conditions_that_scan_read_an_index_that_covers_them() {
    assert_listed(
        Cost::Scan,
        &[
            (r#"http.url CONTAINS "x""#, "SCAN r"),
            (r#"http.url ENDSWITH "x""#, "COVERING INDEX traces_url (url=? AND key>? AND key<?"),
            ("!responsetime > 5", "COVERING INDEX traces_response"),
            (r#"http.clientip CONTAINS "x""#, "COVERING INDEX traces_client_ip"),
            (r#"user CONTAINS "x""#, "COVERING INDEX users_user"),
            (r#"resource.arn CONTAINS "x""#, "COVERING INDEX places_value"),
            ("service() { responsetime > 5 }", "SCAN s"),
            (r#"edge("", "") { responsetime > 5 }"#, "SCAN e"),
        ],
    );
}

#[test]
fn a_time_within_a_trace_bounds_the_trace_by_an_index() {
    for (expression, is_bound) in [
        ("service() { responsetime > 5 }", true),
        (r#"service("x") { ok AND duration >= 5 }"#, true),
        (r#"edge("x", "y") { responsetime >= 5 }"#, true),
        ("service() { responsetime < 5 }", false),
        ("service() { responsetime > 5 OR fault }", false),
        ("!service() { responsetime > 5 }", false),
    ] {
        let search = Search::new(crate::query::Range::ALL, Filter::parse(expression).unwrap());
        let conjuncts = conjuncts(&search, Bounds::of(&search), 0);
        assert_eq!(conjuncts.len(), if is_bound { 2 } else { 1 }, "{expression}");
        if is_bound {
            let keys = conjuncts[0].keys.as_ref().unwrap();
            assert_eq!(keys.cost, Cost::Seek);
            let steps = store(&[]).read(|connection| {
                Ok::<_, crate::store::StoreError>(steps(connection, &keys.query.sql, &keys.query.params))
            });
            let steps = steps.unwrap();
            assert!(steps.iter().any(|step| step.contains("traces_duration (duration_us>?")), "{steps:#?}");
        }
    }
}

#[test]
fn a_negated_test_is_subtracted_if_its_index_is_in_order_of_keys() {
    for (expression, is_subtracted) in [
        (r#"!user = "x""#, true),
        (r#"!annotation.a = "x""#, true),
        (r#"!group.name = "x""#, true),
        ("!fault", false),
        (r#"!http.url = "x""#, true),
        (r#"!service("x")"#, false),
        ("!service()", false),
        (r#"!service("x") { fault }"#, false),
        (r#"!service("x") { responsetime > 1 }"#, true),
        (r#"!edge("x", "y") { fault AND duration > 1 }"#, true),
        (r#"!rootcause.fault.service { name = "x" }"#, true),
        ("!annotation.a > 5", false),
        (r#"service("x")"#, false),
    ] {
        let search = Search::new(crate::query::Range::ALL, Filter::parse(expression).unwrap());
        let conjuncts = conjuncts(&search, Bounds::of(&search), 0);
        let found = conjuncts.iter().any(|conjunct| conjunct.unless.is_some());
        assert_eq!(found, is_subtracted, "{expression}");
    }
}

#[test]
fn shapes_decide_what_they_hold_and_bound_the_rest() {
    for (expression, shaped, is_decided) in [
        ("ok AND !partial", "ok AND !partial", true),
        (
            "http.status >= 500 AND http.method BEGINSWITH \"P\"",
            "http.status >= 500 AND http.method BEGINSWITH \"P\"",
            true,
        ),
        (
            r#"!service("x") { root AND http.status = 404 }"#,
            r#"!service("x") { root AND http.status = 404 }"#,
            true,
        ),
        (r#"!edge("x", "y") OR fault"#, r#"!edge("x", "y") OR fault"#, true),
        (
            "annotation.a AND !user AND !availabilityzone",
            "annotation.a AND !user AND !availabilityzone",
            true,
        ),
        ("instance.id OR resource.arn", "instance.id OR resource.arn", true),
        (r#"fault AND user = "x""#, "fault", false),
        ("service() { user }", "", false),
        (r#"service("x") { fault AND responsetime > 1 }"#, r#"service("x") { fault }"#, false),
        (r#"edge("x", "y") { duration > 1 AND !error }"#, r#"edge("x", "y") { !error }"#, false),
        (r#"service("x") { responsetime > 1 }"#, "", false),
        (r#"!service("x") { fault AND responsetime > 1 }"#, "", false),
        (r#"fault OR user = "x""#, "", false),
        (r#"service(id(type: "client"))"#, "", false),
    ] {
        let filter = Filter::parse(expression).unwrap();
        let found = shaped_part(filter.expr().unwrap());
        assert_eq!(found.map(|expr| expr.to_string()).unwrap_or_default(), shaped, "{expression}");
        let search = Search::new(crate::query::Range::ALL, filter);
        let rest = conjuncts(&search, Bounds::of(&search), 0);
        assert_eq!(rest.is_empty(), is_decided, "{expression}");
    }
}

#[test]
fn conditions_that_most_traces_satisfy_list_nothing() {
    for expression in [
        "user != \"x\"",
        "http.url != \"x\"",
        "!service(\"x\") { responsetime > 1 }",
        "fault OR user != \"x\"",
        "rootcause.json = #[{}]",
    ] {
        assert!(listed(expression).is_none(), "{expression}");
    }
}
