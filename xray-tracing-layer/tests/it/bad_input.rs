//! Whatever comes in, a valid document goes out: values that JSON or X-Ray has no room for, broken headers, and spans
//! that are used in odd ways.

use std::error::Error;
use std::fmt;

use serde_json::json;
use tracing::field::Empty;
use tracing::{Span, error, error_span, info_span};
use xray_sdk::TraceHeader;
use xray_tracing_layer::{XraySpanExt, current_trace_header};

use crate::support::{MemoryRig, Rig, document_of};

const ROOT: &str = "Root=1-66f1a2b3-0123456789abcdef01234567";

#[test]
fn numbers_without_a_json_form_are_left_out_and_counted() {
    let rig = Rig::new();
    rig.run(|| {
        let span = info_span!(
            "root",
            nan = f64::NAN,
            annotation.inf = f64::INFINITY,
            http.response.body.size = f64::NAN,
            http.status_code = f64::NEG_INFINITY,
            fine = 1e300,
        );
        span.annotate("minus", f64::NEG_INFINITY);
        span.annotate("zero", -0.0);
        span.record("fine", 5e-324);
    });
    let document = rig.document();
    assert_eq!(document["annotations"], json!({"zero": -0.0}));
    assert_eq!(document["metadata"]["default"]["fine"], 5e-324);
    assert_eq!(document["metadata"]["default"]["xray.limits"], json!({"cut": 0, "dropped": 5, "moved": 0}));
    assert_eq!(rig.handle.stats().values_dropped, 5);
}

/// Checks that one field is left out, counted, and marked in the document; or absent, if it is blank.
macro_rules! assert_left_out {
    ($count:literal: $($($field:ident).+ = $value:expr),* $(,)?) => {$(
        let rig = MemoryRig::new();
        rig.run(|| drop(info_span!("root", $($field).+ = $value)));
        let field = stringify!($($field).+ = $value);
        assert_eq!(rig.handle.stats().values_dropped, $count, "{field}");
        let document = &rig.documents()[0];
        let marked = document["metadata"]["default"]["xray.limits"]["dropped"].as_u64().unwrap_or_default();
        assert_eq!(marked, $count, "{field}: {document}");
        assert!(document.get("http").is_none() && document.get("fault").is_none(), "{field}: {document}");
    )*};
}

#[test]
fn a_value_that_its_field_cannot_have_is_left_out_and_counted_and_a_blank_one_counts_as_absent() {
    assert_left_out! { 1:
        http.response.status_code = 0, http.response.status_code = 99, http.response.status_code = 600,
        http.response.status_code = 70_000, http.response.status_code = -1, http.response.status_code = 404.5,
        http.response.status_code = "teapot", http.status_code = true,
        xray.sampled = "yes", xray.sampled = 1, xray.namespace = "local", otel.status_code = "BAD",
        rpc.grpc.status_code = "LOST", aws.retries = -1,
        server.port = -1, server.port = 65_536, server.port = "80x", url.scheme = "not one",
    }
    assert_left_out! { 0:
        http.response.status_code = "", xray.sampled = " ", xray.namespace = "", otel.status_code = "",
        otel.status_code = "UNSET", otel.status_code = "Status::Unset", rpc.grpc.status_code = "",
    }
    let rig = MemoryRig::new();
    rig.run(|| info_span!("root", http.response.status_code = 200).set_http_status(0));
    assert_eq!(rig.handle.stats().values_dropped, 1);
    assert_eq!(rig.documents()[0]["http"]["response"]["status"], 200);
}

#[test]
fn a_url_from_parts_is_one_whatever_forms_the_parts_have() {
    let url = |spans: &dyn Fn()| {
        let rig = MemoryRig::new();
        rig.run(spans);
        rig.documents()[0]["http"]["request"]["url"].as_str().unwrap_or_default().to_owned()
    };
    macro_rules! assert_url {
        ($($expected:literal: ($($fields:tt)*)),* $(,)?) => {$(
            assert_eq!(url(&|| drop(info_span!("root", $($fields)*))), $expected, stringify!($($fields)*));
        )*};
    }
    assert_url! {
        "https://h/p": (url.scheme = "https", server.address = "h", server.port = 443, url.path = "/p"),
        "http://h/p": (url.scheme = "http", server.address = "h", server.port = 80, url.path = "/p"),
        "http://h:443/p": (url.scheme = "http", server.address = "h", server.port = 443, url.path = "/p"),
        "https://h:80/p": (url.scheme = "https", server.address = "h", server.port = 80, url.path = "/p"),
        "http://h:443/p": (server.address = "h", server.port = "443", url.path = "/p"),
        "http://h:8080/p": (http.host = "h:8080", net.host.port = 8080, url.path = "/p"),
        "http://[::1]:81/p": (server.address = "::1", server.port = 81, url.path = "/p"),
        "http://[::1]:81/p": (server.address = "[::1]", server.port = 81, url.path = "/p"),
        "http://[::1]:81/p": (http.host = "[::1]:81", server.port = 81, url.path = "/p"),
        "http://h/p": (server.address = "h", server.port = "x", url.path = "p"),
        "/p": (url.path = "/p", server.port = 81),
    }
}

#[test]
fn control_characters_read_back_as_they_were() {
    let all: String =
        (0..0x20_u8).map(char::from).chain("\"\\/\u{7f}\u{85}\u{2028}\u{feff}\u{10ffff}".chars()).collect();
    let document = document_of(|| {
        let span = info_span!("root", text = all, display = %all, annotation.a = all, user.id = all);
        XraySpanExt::add_metadata(&span, "", "serialized", &all);
        span.record_error(&Failure(all.clone(), None));
    });
    for text in [
        &document["metadata"]["default"]["text"],
        &document["metadata"]["default"]["display"],
        &document["metadata"]["default"]["serialized"],
        &document["annotations"]["a"],
        &document["user"],
        &document["cause"]["exceptions"][0]["message"],
    ] {
        assert_eq!(text, &json!(all));
    }
}

#[test]
#[cfg(unix)]
fn bytes_that_are_no_text_come_out_escaped() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    struct LoneSurrogate;
    impl fmt::Debug for LoneSurrogate {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(r"\ud800")?;
            f.write_str(&String::from_utf16_lossy(&[0xd800, 0x61]))
        }
    }
    let document = document_of(|| {
        let _span = info_span!(
            "root",
            os = ?OsStr::from_bytes(b"a\xff\xed\xa0\x80"),
            surrogate = ?LoneSurrogate,
            bytes = ?b"\xff\0".as_slice(),
        );
    });
    let default = &document["metadata"]["default"];
    assert_eq!(default["os"], "\"a\\xFF\\xED\\xA0\\x80\"");
    assert_eq!(default["surrogate"], "\\ud800\u{fffd}a");
    assert_eq!(default["bytes"], "[255, 0]");
}

#[test]
fn integers_beyond_64_bits_are_text() {
    let document = document_of(|| {
        let span = info_span!("root", i = i128::MIN, u = u128::MAX, i64 = i64::MIN, u64 = u64::MAX);
        span.annotate("u64", u64::MAX);
    });
    let default = &document["metadata"]["default"];
    assert_eq!(default["i"], i128::MIN.to_string());
    assert_eq!(default["u"], u128::MAX.to_string());
    assert_eq!((&default["i64"], &default["u64"]), (&json!(i64::MIN), &json!(u64::MAX)));
    assert_eq!(document["annotations"]["u64"], u64::MAX);
}

#[test]
fn a_subsegments_blocks_on_a_root_are_metadata() {
    let document = document_of(|| {
        let _root = info_span!("root", db.system = "postgresql", db.query.text = "select 1", db.user = "me");
    });
    assert_eq!(document["name"], "shop");
}

#[test]
fn log_groups_that_are_only_separators_leave_an_empty_list() {
    let document = document_of(|| {
        let _a = info_span!("a", aws.log.group.names = "&&");
    });
    assert_eq!(document["aws"]["cloudwatch_logs"], json!([]));
    for groups in ["", "a", "&a&&b&"] {
        document_of(|| drop(info_span!("a", aws.log.group.names = groups)));
    }
}

#[test]
fn statuses_out_of_range_or_of_a_wrong_type_do_no_harm() {
    let document = document_of(|| {
        let _root = info_span!("root").entered();
        info_span!("text", http.status_code = "404 Not Found").in_scope(|| ());
        info_span!("no number", http.status_code = "teapot").in_scope(|| ());
        info_span!("negative", http.status_code = -1).in_scope(|| ());
        info_span!("zero", http.status_code = 0).in_scope(|| ());
        info_span!("huge", http.status_code = u64::MAX).in_scope(|| ());
        info_span!("bool", http.status_code = true, http.response.body.size = "12 bytes").in_scope(|| ());
        info_span!("grpc", rpc.grpc.status_code = 14, aws.retries = -3).in_scope(|| ());
        info_span!("odd", otel.status_code = "Error", error = false, error.message = "").in_scope(|| ());
        info_span!("empty", error = "", http.url = "", url.path = "", http.host = "", db.statement = "")
            .in_scope(|| ());
        info_span!("urls", http.url = "://@/?#", server.address = "[::1]", server.port = "x").in_scope(|| ());
        info_span!("secret", url.full = "http://me:pw@host@x/p?q#f").in_scope(|| ());
    });
    let child = |name: &str| {
        let children = document["subsegments"].as_array().unwrap();
        children.iter().find(|child| child["name"] == name).unwrap().clone()
    };
    assert_eq!(child("text")["error"], true);
    assert_eq!(child("grpc")["fault"], true);
    assert_eq!(child("odd")["fault"], true);
    assert_eq!(child("empty").get("fault"), None);
    assert_eq!(child("secret")["http"]["request"]["url"], "http://x/p");
}

#[test]
fn header_junk_begins_a_new_trace_and_is_counted() {
    let megabytes = "Self=x;".repeat(1 << 20);
    let junk = [
        "",
        " ",
        ";;;=;=",
        "Root",
        "Root=",
        "Root=1-66f1a2b3-0123456789abcdef0123456",
        "Root=2-66f1a2b3-0123456789abcdef01234567",
        "Root=1-66f1a2b3-0123456789abcdeg01234567",
        "Root=1-00000000-000000000000000000000000;Sampled=1",
        "Sampled=1;Parent=53995c3f42cd8ad8",
        "\0\u{1}\u{7f}",
        "é",
        &megabytes,
    ];
    let rig = Rig::new();
    rig.run(|| {
        for text in junk {
            drop(info_span!("root", xray.trace_header = text));
            drop(info_span!("root", xray.trace_header = %text));
        }
        drop(info_span!("root", xray.trace_header = 5));
        let late = info_span!("root", xray.trace_header = Empty);
        late.record("xray.trace_header", "junk");
    });
    assert_eq!(rig.handle.stats().bad_headers, 2 * junk.len() as u64 + 2);
    let traces = rig.received().traces();
    assert_eq!(traces.len(), 2 * junk.len() + 2, "a trace each");
    assert!(traces.iter().all(|trace| trace.missing_parents().is_empty()));
}

#[test]
fn of_a_header_with_junk_in_it_the_good_parts_count() {
    let junk = [
        format!("{ROOT};Parent=junk;Sampled=maybe"),
        format!(";;=; {ROOT} ;Parent=0000000000000000;junk"),
        format!("ROOT=1;{ROOT};{ROOT};Self=\r\n;X=\u{e9}"),
        format!("{ROOT};{}", "k=v;".repeat(1 << 18)),
    ];
    let rig = Rig::new();
    rig.run(|| {
        for text in &junk {
            drop(info_span!("root", xray.trace_header = text.as_str()));
            let span = info_span!("root");
            span.set_trace_header(&text.parse::<TraceHeader>().unwrap());
            let out = span.trace_header().unwrap().to_string();
            assert!(out.starts_with(ROOT) && out.len() < 400, "{out}");
            assert!(out.bytes().all(|byte| byte.is_ascii_graphic()), "{out}");
        }
    });
    let trace = rig.trace();
    assert_eq!(trace.id(), &ROOT["Root=".len()..]);
    assert_eq!(trace.span_count(), 2 * junk.len());
    assert_eq!(rig.handle.stats().bad_headers, 0);
}

#[test]
fn a_child_may_live_on_and_be_recorded_after_its_parents_handle_is_gone() {
    let rig = Rig::new();
    rig.run(|| {
        let root = info_span!("root");
        let parent = info_span!(parent: &root, "parent");
        let child = info_span!(parent: &parent, "child", annotation.late = Empty);
        drop(root);
        drop(parent);
        child.record("annotation.late", 1);
        child.annotate("later", 2);
        child.in_scope(|| error!("late"));
        let grandchild = info_span!(parent: &child, "grandchild");
        drop(child);
        grandchild.annotate("last", 3);
    });
    rig.assert_picture(
        "
◆ shop
└─ parent
   └─ child  fault  late=1  later=2
      └─ grandchild  last=3
",
    );
}

#[test]
fn no_span_and_a_disabled_span_take_everything_and_do_nothing() {
    let rig = Rig::new();
    rig.run(|| {
        let header: TraceHeader = ROOT.parse().unwrap();
        for span in [Span::none(), tracing::trace_span!("disabled"), Span::current()] {
            span.set_trace_header(&header);
            span.annotate("a", 1);
            XraySpanExt::add_metadata(&span, "n", "k", &[1]);
            span.set_user("me");
            span.record_error(&Failure("e".into(), None));
            span.set_http_status(500);
            span.record("x", 1);
            assert_eq!(span.trace_header(), None);
        }
        assert_eq!(current_trace_header(), None);
        error!("outside of any span");
    });
    let stats = rig.handle.stats();
    assert_eq!((stats.closed, stats.documents, stats.late_headers), (0, 0, 0));
}

#[test]
fn a_span_is_its_own_subscribers_even_where_there_is_none() {
    let rig = Rig::new();
    let span = rig.run(|| info_span!("root"));
    span.annotate("outside", true);
    assert!(span.trace_header().is_some());
    drop(span);
    rig.assert_picture("\n◆ shop  outside=true\n");
}

#[test]
fn an_error_event_within_a_span_keeps_its_fields_and_its_source_chain() {
    let document = document_of(|| {
        let _root = info_span!("root").entered();
        let err = Failure("outer".into(), Some(Box::new(Failure("inner".into(), None))));
        error!(error = &err as &(dyn Error + 'static), attempt = 3, "gave up");
    });
    let messages: Vec<_> =
        document["cause"]["exceptions"].as_array().unwrap().iter().map(|e| e["message"].clone()).collect();
    assert_eq!(messages, ["outer", "inner", "gave up attempt=3"]);
    assert_eq!(document["fault"], true);
}

#[test]
fn metadata_nested_deeper_than_parsers_go_is_not_sent() {
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    let rig = Rig::new();
    rig.run(|| {
        let mut spans = vec![info_span!("root")];
        for _ in 0..40 {
            spans.push(info_span!(parent: &spans[spans.len() - 1], "child"));
        }
        XraySpanExt::add_metadata(spans.last().unwrap(), "", "deep", &deep);
        while spans.pop().is_some() {}
    });
    assert_eq!(rig.trace().span_count(), 41);
}

#[test]
fn what_does_not_serialize_is_left_out_and_counted() {
    let rig = Rig::new();
    rig.run(|| {
        let span = error_span!("root");
        let keys_that_are_no_text = std::collections::BTreeMap::from([(vec![1], 2)]);
        XraySpanExt::add_metadata(&span, "", "map", &keys_that_are_no_text);
        XraySpanExt::add_metadata(&span, "n", "nan", &[f64::NAN]);
    });
    let document = rig.document();
    assert_eq!(document["metadata"]["n"]["nan"], json!([null]));
    assert_eq!(document["metadata"]["default"].get("map"), None);
    assert_eq!(rig.handle.stats().values_dropped, 1);
}

#[derive(Debug)]
struct Failure(String, Option<Box<Self>>);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|source| source as _)
    }
}
