//! Field names of the ecosystem, old and new, and where they end up.

use serde_json::{Value, json};
use tracing::field::Empty;
use tracing::info_span;
use xray_tracing_layer::XraySpanExt;

use crate::support::{MemoryRig, Rig};

/// Opens one span inside a root, and gives its document.
macro_rules! child {
    ($($fields:tt)*) => {{
        let rig = Rig::new();
        rig.run(|| {
            let _root = info_span!("root").entered();
            drop(info_span!("span", $($fields)*));
        });
        rig.received().documents()[0].json()["subsegments"][0].clone()
    }};
}

/// Opens one root, and gives its document.
macro_rules! root {
    ($($fields:tt)*) => {{
        let rig = Rig::new();
        rig.run(|| drop(info_span!("span", $($fields)*)));
        rig.received().documents()[0].json().clone()
    }};
}

#[track_caller]
fn assert_has(document: &Value, expected: &Value) {
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&document[key], value, "{key} in {document}");
    }
}

#[test]
fn http_servers_by_new_names_and_by_old_ones() {
    let http = json!({"http": {
        "request": {"method": "GET", "url": "https://shop.example:8443/orders/7", "client_ip": "203.0.113.9", "user_agent": "curl/8"},
        "response": {"status": 200, "content_length": 86},
    }});
    assert_has(
        &root!(
            http.request.method = "GET",
            url.scheme = "https",
            server.address = "shop.example",
            server.port = 8443,
            url.path = "/orders/7",
            url.query = "token=secret",
            client.address = "203.0.113.9",
            user_agent.original = "curl/8",
            http.response.status_code = 200,
            http.response.body.size = 86,
        ),
        &http,
    );
    assert_has(
        &root!(
            http.method = "GET",
            http.scheme = "https",
            http.host = "shop.example:8443",
            http.target = "/orders/7?token=secret",
            http.client_ip = "203.0.113.9",
            http.user_agent = "curl/8",
            http.status_code = 200,
            http.response_content_length = 86,
        ),
        &http,
    );
}

#[test]
fn only_a_segment_says_that_a_proxy_named_its_client() {
    let request = |forwarded: bool| {
        root!(client.address = "203.0.113.9", http.request.x_forwarded_for = forwarded)["http"]["request"]
            .clone()
    };
    assert_eq!(request(true), json!({"client_ip": "203.0.113.9", "x_forwarded_for": true}));
    assert_eq!(request(false), json!({"client_ip": "203.0.113.9"}));
    let child = child!(client.address = "203.0.113.9", http.request.x_forwarded_for = true);
    assert_eq!(child["metadata"]["default"], json!({"client.address": "203.0.113.9"}));
    assert_eq!(child.get("http"), None);
}

#[test]
fn an_empty_piece_of_a_url_is_none() {
    let document = root!(url.scheme = "", server.address = "shop.example", url.path = "/a", url.query = "");
    assert_eq!(document["http"]["request"]["url"], "http://shop.example/a");
}

#[test]
fn a_newer_name_goes_before_an_older_one_whichever_comes_first() {
    let newer = root!(http.method = "OLD", http.request.method = "NEW");
    assert_eq!(newer["http"]["request"]["method"], "NEW");
    let newer = root!(http.request.method = "NEW", http.method = "OLD");
    assert_eq!(newer["http"]["request"]["method"], "NEW");
}

#[test]
fn a_url_loses_its_password_and_its_query() {
    let document = root!(url.full = "https://user:secret@shop.example/a/b?token=x#frag");
    assert_eq!(document["http"]["request"]["url"], "https://shop.example/a/b");
    let rig = Rig::with(xray_tracing_layer::Builder::keep_url_query);
    rig.run(|| drop(info_span!("span", url.full = "https://shop.example/a?q=1")));
    assert_eq!(rig.received().documents()[0].json()["http"]["request"]["url"], "https://shop.example/a?q=1");
}

#[test]
fn a_client_is_named_by_its_host() {
    for document in [
        child!(
            otel.kind = "client",
            otel.name = "GET",
            url.full = "https://api.example/v1?x=1",
            http.response.status_code = 503
        ),
        child!(
            otel.kind = "Client",
            server.address = "api.example",
            http.request.method = "GET",
            url.path = "/v1",
            url.scheme = "https",
            http.response.status_code = 503
        ),
    ] {
        assert_has(&document, &json!({"name": "api.example", "namespace": "remote", "fault": true}));
        assert_eq!(document["http"]["request"]["url"], "https://api.example/v1");
    }
    assert_eq!(
        child!(otel.kind = "client", peer.service = "billing", server.address = "10.0.0.1")["name"],
        "billing"
    );
}

#[test]
fn names_are_taken_in_order_of_who_knows_best() {
    assert_eq!(child!(xray.name = "mine", otel.name = "other", peer.service = "peer")["name"], "mine");
    assert_eq!(child!(otel.name = "GET /orders/{id}")["name"], "GET /orders/_id_");
    assert_eq!(child!(unrelated = 1)["name"], "span");
    assert_eq!(root!(otel.name = "GET /orders/{id}")["metadata"]["default"]["operation"], "GET /orders/{id}");
    assert_eq!(root!(xray.name = "x")["name"], "shop", "a segment is named by its service");
}

#[test]
fn the_aws_sdk_is_a_call_to_an_aws_service() {
    let document = child!(
        rpc.service = "DynamoDB",
        rpc.method = "GetItem",
        rpc.system = "aws-api",
        aws.region = "eu-west-1",
        aws.request_id = "R1",
        aws.retries = 2,
        aws.dynamodb.table_names = "orders",
    );
    assert_has(
        &document,
        &json!({
            "name": "DynamoDB", "namespace": "aws",
            "aws": {"region": "eu-west-1", "request_id": "R1", "retries": 2, "table_name": "orders", "operation": "GetItem"},
        }),
    );
    assert!(document.get("metadata").is_none());
}

#[test]
fn another_rpc_system_is_metadata() {
    let document = child!(rpc.service = "Greeter", rpc.method = "Hello", rpc.system = "grpc");
    assert!(document.get("aws").is_none());
    assert_eq!(
        document["metadata"]["default"],
        json!({"rpc.service": "Greeter", "rpc.method": "Hello", "rpc.system": "grpc"})
    );
}

#[test]
fn databases_that_speak_sql_and_one_that_does_not() {
    let document = child!(
        db.system.name = "postgresql",
        db.query.text = "\n\nselect 1",
        db.user = "app",
        db.namespace = "orders",
        server.address = "db.example",
    );
    assert_has(
        &document,
        &json!({
            "name": "orders@db.example", "namespace": "remote",
            "sql": {"database_type": "postgresql", "sanitized_query": "select ?", "user": "app"},
        }),
    );
    assert!(document.get("http").is_none(), "a host alone is no request");
    let document = child!(db.system = "dynamodb");
    assert!(document.get("sql").is_none());
    assert_eq!(
        child!(db.system = "sqlite", otel.kind = "client")["name"],
        "shop database",
        "for want of any other"
    );
    assert_eq!(child!(db.system = "sqlite", otel.name = "load")["name"], "load");
}

#[test]
fn failures_by_status_by_flag_and_by_description() {
    assert_has(
        &child!(otel.status_code = "ERROR", otel.status_description = "no luck"),
        &json!({"fault": true}),
    );
    let described = child!(exception.r#type = "Oops", exception.message = "no luck");
    assert_eq!(described["cause"]["exceptions"][0]["message"], "no luck");
    assert_has(&child!(error = true), &json!({"fault": true}));
    assert!(child!(error = false).get("fault").is_none());
    assert!(child!(otel.status_code = "OK").get("fault").is_none());
    let client_error = child!(http.response.status_code = 404, error = "not found");
    assert_has(&client_error, &json!({"error": true}));
    assert!(client_error.get("fault").is_none(), "the caller's mistake");
    for (code, flags) in [
        (0, json!({})),
        (5, json!({"error": true})),
        (8, json!({"error": true, "throttle": true})),
        (13, json!({"fault": true})),
    ] {
        assert_has(&child!(rpc.grpc.status_code = code), &flags);
    }
}

#[test]
fn the_rest_is_metadata_or_annotations_as_the_user_wants() {
    let document = child!(order = 7, share = 0.5, ok = true, text = "a", what = ?Some(1), big = u128::MAX, annotation.key = 1, metadata.ns.key = "v", metadata.key = 2);
    assert_eq!(document["annotations"], json!({"key": 1}));
    assert_eq!(document["metadata"]["ns"], json!({"key": "v"}));
    assert_eq!(
        document["metadata"]["default"],
        json!({"order": 7, "share": 0.5, "ok": true, "text": "a", "what": "Some(1)", "big": u128::MAX.to_string(), "key": 2})
    );
    for rig in [Rig::with(|b| b.annotate(["order"])), Rig::with(xray_tracing_layer::Builder::annotate_all)] {
        rig.run(|| drop(info_span!("span", order = 7)));
        assert_eq!(rig.received().documents()[0].json()["annotations"], json!({"order": 7}));
    }
}

#[test]
fn a_field_recorded_later_is_as_good_and_the_last_value_counts() {
    let rig = Rig::new();
    rig.run(|| {
        let span = info_span!("span", http.response.status_code = Empty, order = 1, user.id = Empty);
        span.record("order", 2);
        span.record("http.response.status_code", 404);
        span.record("http.response.status_code", 200);
        span.record("user.id", "u-17");
    });
    let received = rig.received();
    let document = received.documents()[0].json();
    assert_eq!(document["metadata"]["default"]["order"], 2);
    assert_eq!(document["http"]["response"]["status"], 200);
    assert_eq!(document["user"], "u-17");
    assert!(document.get("error").is_none());
}

#[test]
fn tower_https_response_event_tells_the_status_of_its_span() {
    let rig = Rig::new();
    rig.run(|| {
        let span = tracing::debug_span!(target: "tower_http::trace::make_span", "request", method = %"GET", uri = %"/orders?x=1", version = ?"HTTP/1.1");
        let _in = span.enter();
        tracing::debug!(target: "tower_http::trace::on_response", latency = "5 ms", status = 503, "finished processing request");
    });
    let document = rig.received().documents()[0].json().clone();
    assert_eq!(
        document["http"],
        json!({"request": {"method": "GET", "url": "/orders"}, "response": {"status": 503}})
    );
    assert_eq!(document["fault"], true);
}

#[test]
fn redaction_sees_every_value_and_an_untouched_number_stays_one() {
    let rig = Rig::with(|b| {
        b.redact(|field, value| match field {
            "password" => "***".into(),
            _ => value.into(),
        })
    });
    rig.run(|| {
        let span = info_span!("span", password = "hunter2", order = 7, url.full = "http://shop.example/");
        span.in_scope(|| tracing::error!(password = "hunter2", "failed"));
    });
    let received = rig.received();
    let document = &received.documents()[0];
    assert!(!document.text().contains("hunter2"), "{}", document.text());
    assert_eq!(document.json()["metadata"]["default"]["password"], "***");
    assert_eq!(document.json()["metadata"]["default"]["order"], 7);
}

#[test]
fn redaction_sees_what_is_given_by_method_and_every_error_of_a_chain() {
    #[derive(Debug)]
    struct Outer(std::io::Error);
    impl std::fmt::Display for Outer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("outer hunter2")
        }
    }
    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }
    let rig = Rig::with(|b| {
        b.redact(|field, value| {
            // Of its own: neither is recorded.
            tracing::error!(field, "looked at {value}");
            let _span = info_span!("looking").entered();
            match field {
                "pin" => "****".into(),
                _ if value.contains("hunter2") => value.replace("hunter2", "***").into(),
                _ => value.into(),
            }
        })
        .on_close(|span| span.annotate("last", "hunter2"))
    });
    rig.run(|| {
        let err = || Outer(std::io::Error::other("inner hunter2"));
        let span = info_span!(
            "span",
            client.address = "hunter2",
            url.full = "http://hunter2.example/hunter2",
            error = &err() as &(dyn std::error::Error + 'static)
        );
        span.annotate("text", "hunter2");
        span.annotate("pin", 1234);
        span.annotate("order", 7);
        span.add_metadata(
            "ns",
            "login",
            &json!({"name": "hunter2", "pin": 1234, "tries": [1, "hunter2"], "ok": true}),
        );
        span.set_user("hunter2");
        span.record_error(&err());
        span.in_scope(|| tracing::error!(error = &err() as &(dyn std::error::Error + 'static), "hunter2"));
    });
    let received = rig.received();
    let document = &received.documents()[0];
    assert!(!document.text().contains("hunter2"), "{}", document.text());
    let document = document.json();
    assert_eq!(document["annotations"], json!({"text": "***", "pin": "****", "order": 7, "last": "***"}));
    assert_eq!(
        document["metadata"]["ns"],
        json!({"login": {"name": "***", "pin": "****", "tries": [1, "***"], "ok": true}})
    );
    let exceptions = document["cause"]["exceptions"].as_array().unwrap();
    let messages: Vec<_> =
        exceptions.iter().map(|exception| exception["message"].as_str().unwrap()).collect();
    assert_eq!(
        messages,
        ["outer ***", "inner ***", "outer ***", "inner ***", "outer ***", "inner ***", "***"]
    );
    assert_eq!((&exceptions[0]["type"], &exceptions[1]["type"]), (&json!("Outer"), &json!("Other")));
}

#[test]
fn tower_https_failure_event_adds_nothing_to_what_is_known() {
    for (known, exceptions) in [(true, None), (false, Some(1))] {
        let rig = Rig::new();
        rig.run(|| {
            let _span = tracing::debug_span!(target: "tower_http::trace::make_span", "request").entered();
            if known {
                tracing::debug!(target: "tower_http::trace::on_response", status = 503, "finished processing request");
            }
            tracing::error!(target: "tower_http::trace::on_failure", classification = "Status code: 503", "response failed");
        });
        let document = rig.received().documents()[0].json().clone();
        assert_eq!(document["fault"], true);
        assert_eq!(document["cause"]["exceptions"].as_array().map(Vec::len), exceptions);
    }
}

#[test]
fn a_connection_string_loses_its_password() {
    for (given, kept) in [
        ("postgres://app:secret@db.example:5432/orders", "postgres://db.example:5432/orders"),
        ("Server=db;User Id=app;Password=secret;Database=orders", "Server=db;User Id=app;Database=orders"),
        ("host=db user=app password=secret dbname=orders", "host=db user=app dbname=orders"),
        ("localhost:5432", "localhost:5432"),
    ] {
        assert_eq!(child!(db.connection_string = given)["sql"]["connection_string"], kept);
    }
}

#[test]
fn a_grpc_failure_beside_a_good_http_status_has_a_cause() {
    let rig = MemoryRig::new();
    rig.run(|| drop(info_span!("call", http.response.status_code = 200, rpc.grpc.status_code = 13)));
    let document = &rig.documents()[0];
    assert_eq!(document["fault"], true);
    assert_eq!(document["cause"]["exceptions"][0]["message"], "marked without an error");
}
