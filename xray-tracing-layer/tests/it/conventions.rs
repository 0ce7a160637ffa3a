//! Field names that stand for the same member: each is understood, and the preferred one overrides the others.

use serde_json::{Value, json};
use tracing::field::Empty;
use tracing::{Span, info_span, record_all};
use xray_tracing_layer::XraySpanExt;

use crate::support::MemoryRig;

/// A member, and the names for it in the order in which they are preferred. The span declares each name, without a value.
struct Member {
    pointer: &'static str,
    names: &'static [&'static str],
    span: fn() -> Span,
}

macro_rules! members {
    ($($pointer:literal: $($name:literal),+;)+) => {
        [$(Member {
            pointer: $pointer,
            names: &[$($name),+],
            span: || info_span!("span", otel.kind = "client", url.path = "/a", $($name = Empty),+),
        }),+]
    };
}

/// Opens a span inside a root, or as one, with values for some names, and returns the member.
fn member_of(member: &Member, values: &[(&str, &str)], is_root: bool) -> Option<Value> {
    let rig = MemoryRig::new();
    rig.run(|| {
        let root = (!is_root).then(|| info_span!("root").entered());
        let span = if is_root {
            info_span!("ingress", user.id = Empty, enduser.id = Empty)
        } else {
            (member.span)()
        };
        for (name, value) in values {
            span.record(*name, *value);
        }
        drop((span, root));
    });
    let documents = rig.documents();
    let document = if is_root { &documents[0] } else { &documents[0]["subsegments"][0] };
    document.pointer(member.pointer).cloned()
}

fn assert_order(member: &Member, is_root: bool, form: impl Fn(&str) -> String) {
    let value = |i: usize| format!("v{i}.example");
    let values: Vec<_> = (0..member.names.len()).map(value).collect();
    for (i, first) in member.names.iter().enumerate() {
        let found = member_of(member, &[(first, &values[i])], is_root);
        assert_eq!(found, Some(form(&values[i]).into()), "{first}");
        for (j, second) in member.names.iter().enumerate().skip(i + 1) {
            let [one, two] = [(*first, &*values[i]), (*second, &*values[j])];
            for both in [[one, two], [two, one]] {
                let found = member_of(member, &both, is_root);
                assert_eq!(found, Some(form(&values[i]).into()), "{first} overrides {second}: {both:?}");
            }
        }
    }
}

#[test]
fn each_name_of_a_member_is_understood_and_the_preferred_one_overrides_the_others() {
    for member in members! {
        "/name": "xray.name", "aws.xray.name";
        "/http/request/method": "http.request.method", "http.method";
        "/http/request/user_agent": "user_agent.original", "http.user_agent";
        "/aws/operation": "aws.operation";
        "/aws/region": "aws.region", "cloud.region";
        "/aws/request_id": "aws.request_id", "aws.requestId";
        "/aws/id_2": "aws.extended_request_id";
        "/aws/account_id": "aws.account_id";
        "/aws/table_name": "aws.table_name", "aws.dynamodb.table_names";
        "/aws/table_name": "aws.table.name", "aws.dynamodb.table_names";
        "/aws/queue_url": "aws.queue_url", "messaging.url";
        "/aws/queue_url": "aws.queue.url", "messaging.url";
        "/aws/queue_url": "aws.sqs.queue.url", "messaging.url";
        "/aws/bucket_name": "aws.s3.bucket";
        "/aws/key": "aws.s3.key";
        "/aws/topic_arn": "aws.sns.topic.arn";
        "/aws/function_arn": "aws.lambda.invoked_arn";
        "/sql/user": "db.user";
        "/cause/exceptions/0/type": "exception.type", "error.type";
        "/cause/exceptions/0/message":
            "exception.message", "error.message", "otel.status_description", "otel.status_message";
    } {
        assert_order(&member, false, str::to_owned);
    }
}

#[test]
fn each_name_of_a_host_is_understood_and_the_preferred_one_overrides_the_others() {
    let [member] = members!("/http/request/url": "server.address", "net.peer.name", "http.host";);
    assert_order(&member, false, |host| format!("http://{host}/a"));
}

#[test]
fn each_name_of_a_user_is_understood_and_the_preferred_one_overrides_the_other() {
    let [member] = members!("/user": "user.id", "enduser.id";);
    assert_order(&member, true, str::to_owned);
}

#[test]
fn each_name_of_a_port_is_understood_and_the_preferred_one_overrides_the_others() {
    let urls = |spans: fn()| {
        let rig = MemoryRig::new();
        rig.run(|| info_span!("root").in_scope(spans));
        let document = rig.documents().remove(0);
        let parts = document["subsegments"].as_array().unwrap();
        parts
            .iter()
            .map(|part| part["http"]["request"]["url"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let found = urls(|| {
        info_span!("a", server.address = "h.example", url.path = "/a", server.port = 8001);
        info_span!("b", server.address = "h.example", url.path = "/a", net.peer.port = 8002);
        info_span!("c", server.address = "h.example", url.path = "/a", net.host.port = 8003);
        info_span!(
            "d",
            server.address = "h.example",
            url.path = "/a",
            net.peer.port = 8004,
            server.port = 8005
        );
        info_span!(
            "e",
            server.address = "h.example",
            url.path = "/a",
            server.port = 8006,
            net.host.port = 8007
        );
    });
    assert_eq!(found, [8001, 8002, 8003, 8005, 8006].map(|port| format!("http://h.example:{port}/a")));
}

#[test]
fn an_annotation_by_method_keeps_its_type_unless_the_redaction_hook_changes_it() {
    let rig = MemoryRig::with(|b| {
        b.redact(|field, value| if field == "hidden" { "***".into() } else { value.into() })
    });
    rig.run(|| {
        let span = info_span!("root");
        span.annotate("yes", true);
        span.annotate("less", -7);
        span.annotate("more", u64::MAX);
        span.annotate("ratio", 0.5);
        span.annotate("text", "blue");
        span.annotate("hidden", 4_111);
    });
    let expected = json!(
        {"yes": true, "less": -7, "more": u64::MAX, "ratio": 0.5, "text": "blue", "hidden": "***"}
    );
    assert_eq!(rig.documents()[0]["annotations"], expected);
}

#[test]
fn a_part_keeps_numbers_and_flags_of_each_type_as_they_are() {
    let rig = MemoryRig::new();
    rig.run(|| {
        let _root = info_span!("root").entered();
        info_span!(
            "part",
            few = 7_u64,
            many = u64::MAX,
            less = i64::MIN,
            ratio = 0.25,
            yes = true,
            no = false
        );
        info_span!("part", "annotation.few" = 7_u64, "annotation.ratio" = 0.25, "annotation.yes" = true);
    });
    let document = rig.documents().remove(0);
    let [metadata, annotations] = ["/subsegments/0/metadata/default", "/subsegments/1/annotations"];
    assert_eq!(
        document.pointer(metadata),
        Some(&json!({"few": 7, "many": u64::MAX, "less": i64::MIN, "ratio": 0.25, "yes": true, "no": false}))
    );
    assert_eq!(document.pointer(annotations), Some(&json!({"few": 7, "ratio": 0.25, "yes": true})));
}

#[test]
fn what_is_recorded_in_one_call_with_a_status_is_kept_beside_it() {
    let rig = MemoryRig::new();
    rig.run(|| {
        let span = info_span!(
            "root",
            http.response.status_code = Empty,
            http.response.body.size = Empty,
            http.response_content_length = Empty,
            ratio = Empty,
            done = Empty,
            text = Empty,
            debug = Empty,
            less = Empty,
        );
        record_all!(span, http.response.status_code = 404, http.response.body.size = 17_u64);
        record_all!(span, ratio = 0.5, http.response.status_code = 404);
        record_all!(span, done = true, http.response.status_code = 404);
        record_all!(span, text = "blue", http.response.status_code = 404);
        record_all!(span, debug = ?Some(1), http.response.status_code = 404);
        record_all!(span, less = -7, http.response.status_code = 404);
        record_all!(
            span,
            http.response.status_code = 503,
            http.response_content_length = 1,
            http.response.body.size = 18
        );
    });
    let document = &rig.documents()[0];
    assert_eq!(document["http"]["response"], json!({"status": 503, "content_length": 18}));
    let mut expected = json!({"ratio": 0.5, "done": true, "text": "blue", "debug": "Some(1)", "less": -7});
    expected["operation"] = "root".into();
    assert_eq!(document["metadata"]["default"], expected);
    assert_eq!((&document["fault"], document.get("error")), (&true.into(), None));
}

#[test]
fn what_is_known_of_a_database_on_a_segment_is_metadata_beside_that_of_the_program() {
    let rig = MemoryRig::new();
    rig.run(|| {
        info_span!("own", db.system = "postgresql", db.query.text = "SELECT 7");
        let span = info_span!("both", db.system = "postgresql", db.query.text = "SELECT 7");
        XraySpanExt::add_metadata(&span, "sql", "rows", &3);
        XraySpanExt::add_metadata(&span, "cart", "rows", &4);
    });
    let documents = rig.documents();
    let sql = json!({"database_type": "postgresql", "sanitized_query": "SELECT ?"});
    assert_eq!(documents[0]["metadata"]["sql"], sql);
    assert_eq!(documents[1]["metadata"]["sql"], json!({"rows": 3}), "one namespace of that name");
    assert_eq!(documents[1]["metadata"]["cart"], json!({"rows": 4}));
    assert!(documents.iter().all(|document| document.get("sql").is_none()));
}
