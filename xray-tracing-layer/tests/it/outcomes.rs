//! Values that mean something else than their bytes say: empty ones, addresses in many forms, failures that are
//! taken back, panics, and events that came through the `log` crate.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Waker};

use proptest::prelude::*;
use serde_json::{Value, json};
use tracing::{Instrument, error, info_span};
use xray_tracing_layer::XraySpanExt;

use crate::support::{MemoryRig, document_of};

#[test]
fn a_client_that_is_known_by_its_url_alone_is_named_by_its_host() {
    for (url, name) in [
        ("http://shop.example:8080/cart", "shop.example"),
        ("https://shop.example", "shop.example"),
        ("http://[2001:db8::1]:8080/cart", "2001:db8::1"),
        ("http://[2001:db8::1]/", "2001:db8::1"),
    ] {
        let document = document_of(|| {
            let _root = info_span!("root").entered();
            drop(info_span!("call", otel.kind = "client", url.full = url));
        });
        assert_eq!(document["subsegments"][0]["name"], name, "{url}");
    }
}

#[test]
fn client_addresses_are_canonical_ip_addresses_in_every_field() {
    for (text, address) in [
        ("203.0.113.7", Some("203.0.113.7")),
        ("203.0.113.7:41234", Some("203.0.113.7")),
        ("[2001:db8::7]:41234", Some("2001:db8::7")),
        ("::ffff:203.0.113.7", Some("203.0.113.7")),
        ("unknown, 203.0.113.9", Some("203.0.113.9")),
        ("unknown", None),
        ("", None),
    ] {
        let spans: [fn(&str); 4] = [
            |text| drop(info_span!("root", client.address = text)),
            |text| drop(info_span!("root", http.client.address = text)),
            |text| drop(info_span!("root", http.client_ip = text)),
            |text| drop(info_span!("root", network.peer.address = text)),
        ];
        for span in spans {
            let document = document_of(|| span(text));
            assert_eq!(document["http"]["request"]["client_ip"].as_str(), address, "{text}: {document}");
        }
        let document = document_of(|| {
            info_span!("root").in_scope(|| drop(info_span!("part", client.address = text)));
        });
        let metadata = &document["subsegments"][0]["metadata"]["default"];
        assert_eq!(metadata["client.address"].as_str(), address, "{text}: {document}");
    }
}

proptest! {
    #[test]
    fn whatever_a_client_writes_its_address_is_an_ip_address_or_none(
        text in "([0-9a-f:.\\[\\], ]{0,40}|[0-9]{1,3}(\\.[0-9]{1,3}){3}(:[0-9]{1,6})?|\\PC{0,30})(,\\PC{0,20})?"
    ) {
        let rig = MemoryRig::new();
        rig.run(|| drop(info_span!("root", client.address = text)));
        let document = &rig.documents()[0];
        let address = &document["http"]["request"]["client_ip"];
        match address.as_str() {
            Some(address) => {
                let parsed: std::net::IpAddr = address.parse().unwrap();
                prop_assert_eq!(parsed.to_canonical().to_string(), address);
            }
            None => {
                prop_assert!(address.is_null());
                let lost = u64::from(!text.trim_ascii().is_empty());
                prop_assert_eq!(rig.handle.stats().values_dropped, lost);
            }
        }
    }
}

#[test]
fn an_address_that_is_none_is_counted_and_gives_way_to_another_field() {
    let rig = MemoryRig::new();
    rig.run(|| drop(info_span!("root", client.address = "unknown", network.peer.address = "203.0.113.7")));
    assert_eq!(rig.handle.stats().values_dropped, 1);
    assert_eq!(rig.documents()[0]["http"]["request"]["client_ip"], "203.0.113.7");
}

#[test]
fn empty_values_are_as_if_absent() {
    let document = document_of(|| {
        let root = info_span!(
            "root",
            user.id = "",
            enduser.id = "u-17",
            http.request.method = "",
            http.method = "GET",
            url.full = " ",
            http.url = "https://shop.example/cart"
        );
        root.set_user("");
    });
    assert_eq!(document["user"], "u-17");
    let request = json!({"method": "GET", "url": "https://shop.example/cart"});
    assert_eq!(document["http"]["request"], request);
    let empty = document_of(|| {
        drop(info_span!("root", user.id = "", http.request.method = "", url.full = "", aws.region = ""));
    });
    assert!(empty.get("user").is_none() && empty.get("http").is_none(), "{empty}");
    assert!(empty["aws"].get("region").is_none(), "{empty}");
}

#[test]
fn success_that_is_stated_takes_back_the_fault_of_an_error_event() {
    let statements: [fn(&tracing::Span); 4] = [
        |span| _ = span.record("otel.status_code", "OK"),
        |span| _ = span.record("otel.status_code", "Ok"),
        |span| _ = span.record("otel.status_code", tracing::field::display("Status::Ok")),
        |span| _ = span.record("error", false),
    ];
    for statement in statements {
        let document = document_of(|| {
            let span =
                info_span!("root", otel.status_code = tracing::field::Empty, error = tracing::field::Empty);
            span.in_scope(|| error!("the first attempt failed"));
            statement(&span);
        });
        assert!(document.get("fault").is_none() && document.get("cause").is_none(), "{document}");
        let kept = &document["metadata"]["default"]["exceptions"][0]["message"];
        assert_eq!(kept, "the first attempt failed", "the event is kept where nobody takes it for a failure");
    }
}

#[test]
fn success_takes_back_neither_a_status_nor_what_fails_afterwards() {
    let document = document_of(|| {
        let span = info_span!("root", http.response.status_code = 503, error = tracing::field::Empty);
        span.record("error", false);
    });
    assert_eq!(document["fault"], true, "{document}");
    let document = document_of(|| {
        let span = info_span!("root", error = false);
        span.in_scope(|| error!("failed later"));
    });
    assert_eq!(document["fault"], true, "{document}");
    assert_eq!(document["cause"]["exceptions"][0]["message"], "failed later");
    let document = document_of(|| drop(info_span!("root", error = false, otel.status_code = "OK")));
    assert!(document.get("fault").is_none() && document["metadata"]["default"].get("exceptions").is_none());
}

/// Polls a future once, catching its panic, as `AssertUnwindSafe(future).catch_unwind()` does.
fn poll_and_catch(future: impl Future<Output = ()>) {
    let mut future = pin!(future);
    let mut poll = || future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(catch_unwind(AssertUnwindSafe(&mut poll)).is_err());
}

#[test]
fn a_caught_panic_of_an_instrumented_future_is_a_fault_of_its_span() {
    let rig = MemoryRig::new();
    rig.run(|| {
        let _root = info_span!("root").entered();
        poll_and_catch(async { panic!("on purpose") }.instrument(info_span!("work")));
        drop(info_span!("after"));
    });
    let document = &rig.documents()[0];
    assert!(document.get("fault").is_none(), "the root caught it: {document}");
    let parts = document["subsegments"].as_array().unwrap();
    let part = |name| parts.iter().find(|part| part["name"] == name).unwrap();
    assert_eq!(part("work")["fault"], true, "{document}");
    assert_eq!(part("work")["cause"]["exceptions"][0]["type"], "panic");
    assert!(part("after").get("fault").is_none(), "{document}");

    let rig = MemoryRig::new();
    rig.run(|| poll_and_catch(async { panic!("on purpose") }.instrument(info_span!("root"))));
    assert_eq!(rig.documents()[0]["fault"], true);
}

#[test]
fn a_captured_panic_is_told_once_with_message_and_place() {
    let rig = MemoryRig::with(xray_tracing_layer::Builder::capture_panics);
    rig.run(|| {
        let caught = catch_unwind(AssertUnwindSafe(|| {
            let _root = info_span!("root").entered();
            let _outer = info_span!("outer").entered();
            let _inner = info_span!("inner").entered();
            panic!("order {} is lost", 7);
        }));
        assert!(caught.is_err());
    });
    let root = &rig.documents()[0];
    let outer = &root["subsegments"][0];
    let inner = &outer["subsegments"][0];
    for document in [root, outer, inner] {
        assert_eq!(document["fault"], true, "{document}");
    }
    let told = root.to_string().matches("order 7 is lost").count();
    assert_eq!(told, 1, "{root}");
    let exception = &inner["cause"]["exceptions"][0];
    assert_eq!((&exception["type"], &exception["message"]), (&json!("panic"), &json!("order 7 is lost")));
    let frame = &exception["stack"][0];
    assert!(frame["path"].as_str().unwrap().ends_with("outcomes.rs"), "{exception}");
    assert!(frame["line"].as_u64().unwrap() > 0, "{exception}");

    // A layer that was not asked stays as it is, in the same process.
    let rig = MemoryRig::new();
    rig.run(|| poll_and_catch(async { panic!("quiet") }.instrument(info_span!("root"))));
    assert!(!rig.documents()[0].to_string().contains("quiet"));
}

#[test]
fn a_captured_panic_passes_the_redaction_hook() {
    let rig = MemoryRig::with(|builder| {
        builder.capture_panics().redact(|_, value| value.replace("hunter2", "***").into())
    });
    rig.run(|| poll_and_catch(async { panic!("bad password hunter2") }.instrument(info_span!("root"))));
    let document = rig.documents()[0].to_string();
    assert!(!document.contains("hunter2") && document.contains("***"), "{document}");
}

#[test]
fn a_redaction_hook_that_panics_or_hangs_within_the_panic_hook_costs_the_message_alone() {
    let hangs = std::sync::Mutex::new(());
    let hangs: &'static std::sync::Mutex<()> = Box::leak(Box::new(hangs));
    let guard = hangs.lock().unwrap();
    let rig = MemoryRig::with(|builder| {
        builder.capture_panics().redact(|field, value| {
            if field == "exception.message" {
                assert!(!value.contains("panics"), "of the hook's own");
                drop(hangs.lock());
            }
            value.into()
        })
    });
    for (message, counted) in [("hunter2 panics", (1, 0)), ("hunter2 hangs", (1, 1))] {
        rig.run(|| poll_and_catch(async { panic!("{message}") }.instrument(info_span!("root"))));
        let stats = rig.handle.stats();
        assert_eq!((stats.caught_panics, stats.values_dropped), counted, "{message}");
    }
    drop(guard);
    for document in rig.documents() {
        assert!(!document.to_string().contains("hunter2"), "{document}");
        let exception = &document["cause"]["exceptions"][0];
        assert_eq!((&exception["type"], &exception["message"]), (&json!("panic"), &json!("…")));
        assert_eq!(document["fault"], true);
    }
}

/// Sends a record as the `log` crate's macros do, through `tracing-log`.
fn log_error(target: &'static str, message: std::fmt::Arguments<'_>) {
    let record = tracing_log::log::Record::builder()
        .level(tracing_log::log::Level::Error)
        .target(target)
        .module_path(Some("shop::till"))
        .file(Some("src/till.rs"))
        .line(Some(42))
        .args(message)
        .build();
    tracing_log::format_trace(&record).unwrap();
}

#[test]
fn events_through_the_log_crate_have_their_own_place_and_target() {
    let rig = MemoryRig::new();
    rig.run(|| {
        let _root = info_span!("root").entered();
        log_error("shop::till", format_args!("the drawer is stuck"));
        log_error("h2::proto", format_args!("machinery"));
    });
    let document: &Value = &rig.documents()[0];
    let exceptions = document["cause"]["exceptions"].as_array().unwrap();
    assert_eq!(exceptions.len(), 1, "the target of machinery is filtered: {document}");
    assert_eq!(exceptions[0]["message"], "the drawer is stuck");
    let frame = json!([{"path": "src/till.rs", "line": 42, "label": "shop::till"}]);
    assert_eq!(exceptions[0]["stack"], frame);
}

#[test]
fn a_status_of_grpc_counts_by_its_name_too_in_all_spellings_of_the_conventions() {
    let rig = MemoryRig::new();
    rig.run(|| {
        drop(info_span!("old name", rpc.grpc.status_code = "not_found"));
        drop(info_span!("new name", rpc.system.name = "grpc", rpc.response.status_code = "UNAVAILABLE"));
        drop(info_span!("fine", rpc.response.status_code = "OK"));
        drop(info_span!("another system's", rpc.response.status_code = "-32601"));
        drop(info_span!("as tonic debugs it", rpc.grpc.status_code = "DeadlineExceeded"));
    });
    let documents = rig.documents();
    let flags = |of: usize| ["error", "fault"].map(|flag| documents[of].get(flag).is_some());
    assert_eq!(
        [flags(0), flags(1), flags(2), flags(3), flags(4)],
        [[true, false], [false, true], [false; 2], [false; 2], [false, true]]
    );
    let kept = |of: usize| &documents[of]["metadata"]["default"]["rpc.response.status_code"];
    assert_eq!((kept(1), kept(3)), (&"UNAVAILABLE".into(), &"-32601".into()));
}

#[test]
fn a_panic_marks_spans_that_are_exited_out_of_order_as_well() {
    let rig = MemoryRig::new();
    rig.run(|| {
        let _root = info_span!("root").entered();
        let (outer, inner) = (info_span!("outer"), info_span!("inner"));
        let caught = catch_unwind(AssertUnwindSafe(|| {
            let (first, second) = (outer.enter(), inner.enter());
            // Dropped in the order of its fields: the outer one first.
            let _both = (first, second);
            panic!("of the test");
        }));
        assert!(caught.is_err());
    });
    let documents = rig.documents();
    let parts = documents[0]["subsegments"].as_array().unwrap();
    let faults: Vec<_> = parts.iter().map(|part| (&part["name"], &part["fault"])).collect();
    assert_eq!(faults, [(&"inner".into(), &true.into()), (&"outer".into(), &true.into())]);
}

#[test]
fn a_panic_marks_spans_that_it_closes_although_they_were_never_entered() {
    let rig = MemoryRig::new();
    rig.run(|| {
        let caught = catch_unwind(AssertUnwindSafe(|| {
            let root = info_span!("root");
            let part = info_span!(parent: &root, "part");
            let called =
                info_span!(parent: &root, "called", otel.kind = "client", error = tracing::field::Empty);
            let _all = (part, called, root);
            panic!("of the test");
        }));
        assert!(caught.is_err());
        let caught = catch_unwind(AssertUnwindSafe(|| {
            let header = "Root=1-66f1a2b3-0123456789abcdef01234567;Sampled=1";
            let _continued = info_span!("continued", xray.trace_header = header);
            panic!("of the test");
        }));
        assert!(caught.is_err());
    });
    let documents = rig.documents();
    assert_eq!(documents.len(), 2);
    let parts = documents[0]["subsegments"].as_array().unwrap();
    assert_eq!(parts.len(), 2);
    for document in documents.iter().chain(parts) {
        assert_eq!(document["fault"], true, "{document}");
        assert_eq!(document["cause"]["exceptions"][0]["type"], "panic", "{document}");
    }
}
