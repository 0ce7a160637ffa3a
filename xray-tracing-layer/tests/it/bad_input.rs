//! Whatever comes in, a valid document goes out: names, keys and values that JSON or X-Ray has no room for, user
//! code that misbehaves, and a daemon that is not there.

use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tracing::field::{Empty, debug};
use tracing::{Span, error, error_span, info, info_span};
use xray_sdk::local::Collector;
use xray_sdk::{EmitError, Emitter, Packet, TraceHeader};
use xray_tracing_layer::{XraySpanExt, current_trace_header};

use crate::support::{Memory, MemoryRig, Rig, assert_law, builder_for, document_of, span_count};

const ROOT: &str = "Root=1-66f1a2b3-0123456789abcdef01234567";

#[test]
fn names_that_x_ray_refuses_are_mended() {
    let rig = Rig::new();
    rig.run(|| {
        let _root = info_span!("").entered();
        info_span!("").in_scope(|| ());
        info_span!("  \t ").in_scope(|| ());
        info_span!("GET /a?b={c}").in_scope(|| ());
        info_span!("tab\there\0").in_scope(|| ());
        info_span!("crab 🦀 <b>").in_scope(|| ());
        info_span!("注文 Bücher").in_scope(|| ());
        info_span!("x", xray.name = "a\"b\\c\u{301}").in_scope(|| ());
        info_span!("kept where the field is blank", xray.name = " \n ").in_scope(|| ());
        info_span!("y", otel.name = debug("quoted")).in_scope(|| ());
        info_span!("z", otel.name = 7).in_scope(|| ());
    });
    rig.assert_picture(
        "
◆ shop
├─ unknown
├─ unknown
├─ GET /a_b=_c_
├─ tab_here_
├─ crab _ _b_
├─ 注文 Bücher
├─ a_b_c_
├─ kept where the field is blank
├─ _quoted_
└─ 7
",
    );
}

#[test]
fn a_megabyte_of_a_name_is_cut_to_two_hundred_characters() {
    const BYTES: &[u8] = &[b'n'; 1 << 20];
    const NAME: &str = match std::str::from_utf8(BYTES) {
        Ok(name) => name,
        Err(_) => "",
    };
    let dynamic = "é".repeat(1 << 19);
    let document = document_of(|| {
        let _root = info_span!(NAME).entered();
        info_span!(NAME).in_scope(|| ());
        info_span!("x", xray.name = dynamic).in_scope(|| ());
        info_span!("y", otel.name = %dynamic).in_scope(|| ());
        info_span!("z", otel.kind = "client", peer.service = dynamic).in_scope(|| ());
    });
    assert_eq!(document["metadata"]["default"]["operation"].as_str().unwrap().chars().count(), 250);
    for child in document["subsegments"].as_array().unwrap() {
        assert_eq!(child["name"].as_str().unwrap().chars().count(), 200);
    }
}

#[test]
fn a_database_at_a_host_is_still_a_name_within_two_hundred_characters() {
    let (database, host) = ("d".repeat(150), "h".repeat(150));
    let document = document_of(|| {
        let _root = info_span!("root").entered();
        info_span!("query", db.system = "postgresql", db.namespace = database, server.address = host)
            .in_scope(|| ());
    });
    assert!(document["subsegments"][0]["name"].as_str().unwrap().len() <= 200);
}

#[test]
fn keys_with_symbols_are_mended_as_annotations_and_kept_as_metadata() {
    let document = document_of(|| {
        let span = info_span!(
            "root",
            "annotation.a-b" = 1,
            "annotation.größe" = 2,
            "annotation." = 3,
            "annotation.dots.stay" = 4,
            "a \"quoted\" key\n" = 5,
            "metadata." = 6,
            "metadata.AWS.x" = 7,
            "{}" = 8,
        );
        span.annotate("user id", 9);
        span.annotate("🦀", 10);
        span.annotate(&"k".repeat(1 << 20), 11);
        XraySpanExt::add_metadata(&span, "AWS.xray", "key", &12);
        XraySpanExt::add_metadata(&span, "", "", &13);
        XraySpanExt::add_metadata(&span, "name\u{0}space", "🦀\\", &14);
        XraySpanExt::add_metadata(&span, &"n".repeat(1 << 20), &"é".repeat(1 << 20), &15);
    });
    let long_key = "k".repeat(500);
    assert_eq!(
        document["annotations"],
        json!({"a_b": 1, "gr__e": 2, "unknown": 3, "dots.stay": 4, "user_id": 9, "_": 10, long_key: 11})
    );
    let (namespace, key) = ("n".repeat(500), "é".repeat(250));
    assert_eq!(
        document["metadata"],
        json!({
            "default": {"a \"quoted\" key\n": 5, "": 13, "{}": 8, "operation": "root"},
            "AWS": {"x": 7},
            "AWS_xray": {"key": 12},
            "name\u{0}space": {"🦀\\": 14},
            namespace: {key: 15},
        })
    );
}

#[test]
fn keys_that_differ_only_before_mending_are_one_annotation() {
    let document = document_of(|| {
        let span = info_span!("root", "annotation.a-b" = 1, "annotation.a+b" = 2);
        span.annotate("a_b", 3);
    });
    assert_eq!(document["annotations"], json!({"a_b": 3}));
}

#[test]
fn of_duplicate_fields_the_last_one_counts() {
    let document = document_of(|| {
        let _span = info_span!("root", x = 1, x = "two", annotation.y = 1, annotation.y = true);
    });
    assert_eq!(document["metadata"]["default"]["x"], "two");
    assert_eq!(document["annotations"], json!({"y": true}));
}

#[test]
fn of_a_field_recorded_twice_the_last_value_counts() {
    let document = document_of(|| {
        let span = info_span!("root", x = 1, http.status_code = 200, annotation.y = Empty);
        span.record("x", "two").record("x", 3.5);
        span.record("http.status_code", 404);
        span.record("annotation.y", 1).record("annotation.y", 2);
        span.annotate("y", 3);
    });
    assert_eq!(document["metadata"]["default"]["x"], 3.5);
    assert_eq!(document["annotations"], json!({"y": 3}));
    assert_eq!(document["http"]["response"]["status"], 404);
    assert_eq!((&document["error"], document.get("fault")), (&json!(true), None));
}

#[test]
fn a_newer_name_for_the_same_thing_wins_whatever_the_order() {
    let document = document_of(|| {
        let _root = info_span!("root").entered();
        info_span!("a", http.request.method = "PUT", http.method = "old").in_scope(|| ());
        info_span!("b", http.method = "old", http.request.method = "PUT").in_scope(|| ());
    });
    for child in document["subsegments"].as_array().unwrap() {
        assert_eq!(child["http"]["request"]["method"], "PUT");
    }
}

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
    assert_eq!(document["metadata"]["default"]["xray.limits"], json!({"cut": 0, "dropped": 4, "moved": 0}));
    assert_eq!(rig.handle.stats().values_dropped, 4);
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
fn the_51st_annotation_and_its_followers_become_metadata() {
    let rig = Rig::new();
    rig.run(|| {
        let span = info_span!("root", annotation.first = true);
        for i in 1..60 {
            span.annotate(&format!("k{i}"), i);
        }
        span.annotate("k3", "again");
    });
    let document = rig.document();
    assert_eq!(document["annotations"].as_object().unwrap().len(), 50);
    assert_eq!(document["annotations"]["k3"], "again");
    assert_eq!(document["metadata"]["default"]["k50"], 50);
    assert_eq!(document["metadata"]["default"]["k59"], 59);
    assert_eq!(rig.handle.stats().annotations_moved, 10);
}

#[test]
fn a_document_of_many_spans_has_no_more_annotations_than_x_ray_indexes() {
    let rig = Rig::new();
    rig.run(|| {
        let _root = info_span!("root").entered();
        for i in 0..60 {
            info_span!("child", annotation.i = i).in_scope(|| ());
        }
    });
    assert_eq!(rig.trace().span_count(), 61);
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
fn keys_that_the_layer_writes_itself_may_be_used_by_fields_too() {
    let document = document_of(|| {
        let _root = info_span!(
            "root",
            operation = "mine",
            rpc.method = "a",
            "metadata.default.rpc.method" = "b",
            xray.limits = "mine",
            nan = f64::NAN,
            client.address = "10.0.0.1",
            "metadata.default.client.address" = "c",
        )
        .entered();
        info_span!("child", client.address = "10.0.0.1", "metadata.default.client.address" = "c")
            .in_scope(|| ());
    });
    assert_eq!(document["metadata"]["default"]["operation"], "mine");
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
fn without_a_daemon_nothing_blocks_and_every_span_is_accounted_for() {
    let address = {
        let gone = Collector::start().unwrap();
        gone.daemon_address()
    };
    let rig = MemoryRig::with(|_| {
        xray_tracing_layer::builder()
            .service_name("shop")
            .daemon_address(&address)
            .sampler(xray_sdk::sampling::Always)
    });
    rig.run(|| {
        for _ in 0..100 {
            let _root = info_span!("root").entered();
            info_span!("child").in_scope(|| ());
        }
    });
    let stats = rig.handle.stats();
    assert_law(&stats);
    assert_eq!((stats.closed, stats.folded), (200, 100));
    assert_eq!(stats.lost_with_parent, stats.dropped, "a child went with each lost root");
    assert!(stats.emitter.unavailable > 0, "{stats:?}");
    assert!(rig.handle.flush(Duration::ZERO));
}

#[test]
fn a_daemon_that_comes_back_gets_what_is_sent_from_then_on() {
    let first = Collector::start().unwrap();
    let address = first.address();
    let (layer, handle) = builder_for(&first).build_with_handle::<tracing_subscriber::Registry>().unwrap();
    let subscriber = tracing_subscriber::layer::SubscriberExt::with(tracing_subscriber::registry(), layer);
    let dispatch = tracing::Dispatch::new(subscriber);
    let root = |name: &str| {
        tracing::dispatcher::with_default(&dispatch, || drop(info_span!("root", annotation.n = name)));
    };
    root("before");
    assert!(first.wait_for_documents(1, Duration::from_secs(10)));
    drop(first);
    root("lost");
    root("lost too");
    let second = Collector::bind(address).unwrap();
    for n in ["a", "b", "c"] {
        root(n);
    }
    assert!(second.wait_for_documents(3, Duration::from_secs(10)), "{:?}", handle.stats());
    let received = second.received();
    let names: Vec<_> = received.documents().iter().map(|d| d.json()["annotations"]["n"].clone()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(received.problems(), [""; 0]);
    assert_law(&handle.stats());
}

#[test]
fn a_host_that_does_not_resolve_costs_its_spans_and_nothing_else() {
    let rig = MemoryRig::with(|_| {
        xray_tracing_layer::builder()
            .service_name("shop")
            .daemon_address("no-such-host.invalid:2000")
            .sampler(xray_sdk::sampling::Always)
    });
    rig.run(|| {
        for _ in 0..10 {
            let _root = info_span!("root").entered();
            info_span!("child").in_scope(|| ());
        }
    });
    let stats = rig.handle.stats();
    assert_law(&stats);
    assert_eq!((stats.closed, stats.folded, stats.dropped, stats.lost_with_parent), (20, 10, 10, 10));
}

#[test]
fn an_address_that_is_none_is_refused_when_building() {
    let built = xray_tracing_layer::builder()
        .daemon_address("tcp:only:half udp")
        .build::<tracing_subscriber::Registry>();
    let err = built.err().unwrap();
    assert_eq!(err.to_string(), "\"tcp:only:half udp\" is not an address of the X-Ray daemon");
    assert!(err.source().is_some());
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
fn a_value_that_panics_ends_there_and_the_program_goes_on() {
    struct Panics;
    impl fmt::Debug for Panics {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("in Debug")
        }
    }
    impl fmt::Display for Panics {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("half")?;
            panic!("in Display")
        }
    }
    let work = || {
        let _root = info_span!("root", late = Empty, annotation.a = %Panics, url.path = ?Panics).entered();
        Span::current().record("late", debug(Panics));
        error!(x = ?Panics, "order {Panics}");
        info_span!("child", x = %Panics, otel.name = ?Panics, kept = 1).in_scope(|| error!("{Panics}"));
        // Also while the thread panics already.
        let caught = std::panic::catch_unwind(|| {
            struct Bomb;
            impl Drop for Bomb {
                fn drop(&mut self) {
                    drop(info_span!("dropped", x = ?Panics));
                }
            }
            let _bomb = Bomb;
            panic!("of the program's own");
        });
        assert!(caught.is_err());
    };
    let rig = Rig::new();
    rig.run(work);
    let document = rig.document();
    assert_eq!(document["annotations"]["a"], "half…");
    assert_eq!(document["metadata"]["default"]["late"], "…");
    let child = &document["subsegments"][0];
    assert_eq!(
        (&child["metadata"]["default"]["x"], &child["metadata"]["default"]["kept"]),
        (&json!("half…"), &json!(1))
    );
    assert_eq!(child["cause"]["exceptions"][0]["message"], "half…");
    assert_eq!(document["subsegments"][1]["metadata"]["default"]["x"], "…");
    assert!(rig.handle.stats().values_cut >= 5, "{:?}", rig.handle.stats());
    // Of a root that is not sampled, of one that is decided about late, and with a hook.
    let rig = MemoryRig::with(|b| b.sampler(xray_sdk::sampling::Never));
    rig.run(work);
    rig.run(|| info_span!("root", x = %Panics).force_sampling(true));
    assert_eq!(rig.documents()[0]["metadata"]["default"]["x"], "half…");
    let rig = MemoryRig::with(|b| b.breadcrumbs().redact(|_, value| value.replace("half", "HALF").into()));
    rig.run(work);
    rig.run(|| info_span!("root").in_scope(|| tracing::info!(x = %Panics, "crumb {Panics}")));
    assert_eq!(rig.documents()[0]["annotations"]["a"], "HALF…");
}

/// Opens spans and sends events while it is being written.
struct Reentrant;

impl Reentrant {
    fn act() {
        let span = info_span!("within", x = 1);
        span.annotate("deep", true);
        let _within = span.entered();
        error!("inner event");
        Span::current().record("x", 2);
        assert!(current_trace_header().is_some());
    }
}

impl fmt::Debug for Reentrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Self::act();
        f.write_str("done")
    }
}

impl fmt::Display for Reentrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl Error for Reentrant {}

impl serde_core::Serialize for Reentrant {
    fn serialize<S: serde_core::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::act();
        serializer.serialize_str("done")
    }
}

#[test]
fn values_may_use_tracing_while_they_are_written() {
    let rig = Rig::new();
    rig.run(|| {
        let root = info_span!("root", a = Empty, annotation.b = Empty, xray.name = Empty, error = Empty);
        let _in = root.enter();
        root.record("a", debug(Reentrant));
        root.record("annotation.b", debug(Reentrant));
        root.record("xray.name", debug(Reentrant));
        root.record("error", &Reentrant as &(dyn Error + 'static));
        XraySpanExt::add_metadata(&root, "", "c", &Reentrant);
        root.record_error(&Reentrant);
    });
    let document = rig.document();
    assert_eq!(document["metadata"]["default"]["a"], "done");
    assert_eq!(document["metadata"]["default"]["c"], "done");
    assert_eq!(document["annotations"]["b"], "done");
    let children = document["subsegments"].as_array().unwrap();
    assert!(children.len() >= 6, "{}", children.len());
    for child in children {
        assert_eq!(child["annotations"], json!({"deep": true}));
        assert_eq!(child["metadata"]["default"]["x"], 2);
    }
}

#[test]
fn a_redaction_may_use_tracing_too() {
    let rig = Rig::with(|builder| {
        builder.redact(|_, value| {
            info!("an event");
            if value == "secret" { "***".into() } else { value.into() }
        })
    });
    rig.run(|| {
        let span = info_span!("root", a = "secret", n = 5, late = Empty);
        span.record("late", "secret");
    });
    let document = rig.document();
    assert_eq!(
        document["metadata"]["default"],
        json!({"a": "***", "n": 5, "late": "***", "operation": "root"})
    );
}

/// Opens a span and sends an event for each packet, as an emitter on top of an instrumented client would.
#[derive(Clone, Default)]
struct Chatty {
    depth: Arc<AtomicUsize>,
    deepest: Arc<AtomicUsize>,
    sent: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Emitter for Chatty {
    fn emit(&self, packet: &Packet) -> Result<(), EmitError> {
        self.sent.lock().unwrap().push(packet.document().to_vec());
        let depth = self.depth.fetch_add(1, Ordering::SeqCst) + 1;
        self.deepest.fetch_max(depth, Ordering::SeqCst);
        // Ends what would otherwise be a stack overflow, so that the test can tell.
        if depth < 20 {
            let _span = info_span!("emit").entered();
            error!("an event of the emitter's");
        }
        self.depth.fetch_sub(1, Ordering::SeqCst);
        Ok(())
    }
}

#[test]
fn an_emitter_that_uses_tracing_does_not_feed_itself() {
    let chatty = Chatty::default();
    let rig = MemoryRig::with(|builder| builder.emitter(chatty.clone()));
    rig.run(|| drop(info_span!("root")));
    assert_law(&rig.handle.stats());
    let sent = chatty.sent.lock().unwrap();
    assert!(sent.iter().all(|document| xray_sdk::local::check(document).is_empty()));
    assert!(
        chatty.deepest.load(Ordering::SeqCst) < 5,
        "one root made {} documents, each while the one before was being sent",
        sent.len()
    );
}

#[test]
fn an_emitters_error_events_are_no_errors_of_the_request() {
    struct Complains(Memory);
    impl Emitter for Complains {
        fn emit(&self, packet: &Packet) -> Result<(), EmitError> {
            error!("no luck with a packet");
            self.0.emit(packet)
        }
    }
    let memory = Memory::default();
    let complains = Complains(memory.clone());
    let mut rig = MemoryRig::with(|builder| builder.stream_after(0).emitter(complains));
    rig.memory = memory;
    rig.run(|| {
        let _root = info_span!("root").entered();
        info_span!("streamed").in_scope(|| ());
    });
    for document in rig.documents() {
        assert_eq!(document.get("fault"), None, "{document}");
    }
}

#[test]
fn an_emitter_that_panics_costs_its_document_alone() {
    struct PanicsOnce(Memory, AtomicUsize);
    impl Emitter for PanicsOnce {
        fn emit(&self, packet: &Packet) -> Result<(), EmitError> {
            assert!(self.1.fetch_add(1, Ordering::SeqCst) > 0, "the first packet");
            self.0.emit(packet)
        }
    }
    let memory = Memory::default();
    let panics = PanicsOnce(memory.clone(), AtomicUsize::new(0));
    let mut rig = MemoryRig::with(|builder| builder.emitter(panics));
    rig.memory = memory;
    rig.run(|| {
        let lost = info_span!("lost");
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(lost))).is_err());
        drop(info_span!("next"));
    });
    assert_eq!(rig.handle.stats().emitted, 1, "{:?}", rig.handle.stats());
}

/// Under a scoped subscriber `tracing` hides the subscriber from whatever a callback calls. Under a global one it
/// does not, and user code meets the layer again. A process has one global subscriber, so each of these runs in a
/// process of its own.
mod global {
    use super::*;
    use tracing_subscriber::prelude::*;
    use tracing_subscriber::{Registry, registry};
    use xray_sdk::sampling::{Always, Sampler, SamplingRequest, SamplingResult};

    #[track_caller]
    fn alone(test: &str) {
        let run = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--ignored", "--nocapture"])
            .output()
            .unwrap();
        let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
        assert!(run.status.success() && out.contains("1 passed"), "{}: {out}{err}", run.status);
    }

    fn install(sampler: impl Sampler, emitter: impl Emitter) -> xray_tracing_layer::Handle {
        let builder = xray_tracing_layer::builder().service_name("shop").sampler(sampler).emitter(emitter);
        let (layer, handle) = builder.build_with_handle::<Registry>().unwrap();
        registry().with(layer).init();
        handle
    }

    #[test]
    fn values_may_use_tracing() {
        alone("bad_input::global::values");
    }

    #[test]
    #[ignore = "run by another, in a process of its own"]
    fn values() {
        let memory = Memory::default();
        let handle = install(Always, memory.clone());
        {
            let _root = info_span!("root", a = ?Reentrant, annotation.b = ?Reentrant).entered();
            let err = &Reentrant as &(dyn Error + 'static);
            info_span!("child", error = err, xray.name = ?Reentrant).in_scope(|| {
                error!(error = err, x = ?Reentrant, "event {:?}", Reentrant);
            });
        }
        assert_law(&handle.stats());
        let documents = memory.parsed();
        assert_eq!(documents.iter().map(span_count).sum::<u64>(), handle.stats().closed);
        let root = documents.iter().find(|document| document["metadata"]["default"]["a"] == "done").unwrap();
        assert_eq!(root["annotations"], json!({"b": "done"}));
    }

    #[test]
    fn emitters_may_use_tracing() {
        alone("bad_input::global::emitter");
    }

    #[test]
    #[ignore = "run by another, in a process of its own"]
    fn emitter() {
        let chatty = Chatty::default();
        let handle = install(Always, chatty.clone());
        info_span!("root").in_scope(|| info_span!("child").in_scope(|| ()));
        assert_eq!((handle.stats().closed, chatty.sent.lock().unwrap().len()), (2, 1));
    }

    #[test]
    fn samplers_may_use_tracing() {
        alone("bad_input::global::sampler");
    }

    #[test]
    #[ignore = "run by another, in a process of its own"]
    fn sampler() {
        #[derive(Default)]
        struct Asking(AtomicUsize);
        impl Sampler for Asking {
            fn sample(&self, _: &SamplingRequest<'_>) -> SamplingResult {
                let asked = self.0.fetch_add(1, Ordering::SeqCst);
                // Ends what would otherwise be a stack overflow.
                assert!(asked < 20, "the sampler's span asks the sampler");
                let _span = info_span!(parent: None, "ask the service").entered();
                SamplingResult::sampled().with_observation()
            }
            fn give_back(&self, verdict: &SamplingResult) {
                assert!(self.sample(&SamplingRequest::default()).is_sampled());
                assert!(verdict.is_watched());
            }
            fn observe(&self, verdict: &SamplingResult, _: bool) {
                self.give_back(verdict);
            }
        }
        let handle = install(Asking::default(), Memory::default());
        drop(info_span!("root"));
        let forced = info_span!("forced");
        forced.force_sampling(true);
        drop(forced);
        assert_law(&handle.stats());
        assert_eq!(handle.stats().closed, 2, "the sampler's own spans are not recorded");
    }
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
