//! The trace header of a request in each of its forms: where the segment hangs, whether there is one, and what is
//! answered.

use axum::Router;
use axum::routing::get;
use serde_json::Value;
use tracing::Span;
use xray_tracing_layer::{XrayHttpLayer, XraySpanExt, current_trace_header};

use super::{exchange, only_segment, rig, serve};

const ROOT: &str = "1-5759e988-bd862e3fe1be46a994272793";
const PARENT: &str = "53995c3f42cd8ad8";

/// Answers with the header that a call from the handler would carry.
fn app() -> Router {
    let header = || async { current_trace_header().map(|header| header.to_string()).unwrap_or_default() };
    let forced = || async {
        Span::current().force_sampling(false);
        "forced"
    };
    Router::new()
        .route("/", get(header))
        .route("/quiet/x", get(header))
        .route("/forced", get(forced))
        .layer(XrayHttpLayer::new())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_goes_on_in_whatever_form_its_header_comes() {
    let w3c = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8";
    // The header's lines, the parent, and whether the trace is kept; the sampler would keep it.
    let cases = [
        (format!("X-Amzn-Trace-Id: Root={ROOT};Parent={PARENT};Sampled=1"), Some(PARENT), true),
        (format!("X-Amzn-Trace-Id: Root={ROOT};Parent={PARENT};Sampled=0"), Some(PARENT), false),
        // A load balancer's: it names the trace, and its own hop beside it, but decides nothing.
        (format!("X-Amzn-Trace-Id: Root={ROOT}"), None, true),
        (format!("X-Amzn-Trace-Id: Self=1-5759e989-12456789abcdef0123456789;Root={ROOT}"), None, true),
        (format!("traceparent: {w3c}-01"), Some(PARENT), true),
        (format!("traceparent: {w3c}-00"), Some(PARENT), false),
        (format!("traceparent: {w3c}-00\nX-Amzn-Trace-Id: Root={ROOT};Sampled=1"), None, true),
        (format!("X-Amzn-Trace-Id: gibberish\ntraceparent: {w3c}-01"), Some(PARENT), true),
    ];
    for (header, parent, kept) in cases {
        let rig = rig();
        let address = serve(app()).await;
        let answer = exchange(address, &format!("GET / HTTP/1.1\n{header}")).await;
        let sent_on = answer.rsplit("\r\n").next().unwrap();
        assert!(sent_on.starts_with(&format!("Root={ROOT};Parent=")), "{header}: {sent_on}");
        assert!(sent_on.ends_with(if kept { ";Sampled=1" } else { ";Sampled=0" }), "{header}: {sent_on}");
        assert!(!sent_on.contains(PARENT), "{header}: the parent is this service");
        assert!(!answer.contains("x-amzn-trace-id"), "{header}: nobody asked");
        if kept {
            let trace = rig.trace_of(1);
            assert_eq!((trace.id(), only_segment(&trace)["parent_id"].as_str()), (ROOT, parent), "{header}");
        } else {
            assert_eq!(rig.received().documents().len(), 0, "{header}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_cant_be_read_is_counted() {
    let rig = rig();
    let address = serve(app()).await;
    let cases = [
        ("X-Amzn-Trace-Id: gibberish", 1),
        ("traceparent: gibberish", 1),
        (
            "X-Amzn-Trace-Id: gibberish\ntraceparent: 00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01",
            1,
        ),
        ("X-Amzn-Trace-Id: gibberish\ntraceparent: gibberish", 1),
        ("X-Amzn-Trace-Id: gibberish\nX-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793", 0),
        ("Accept: gibberish", 0),
    ];
    for (header, bad) in &cases {
        let before = rig.handle().stats().bad_headers;
        exchange(address, &format!("GET / HTTP/1.1\n{header}")).await;
        assert_eq!(rig.handle().stats().bad_headers - before, *bad, "{header}");
    }
    let _ = rig.documents(cases.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_for_the_decision_is_told() {
    let rig = rig();
    let address = serve(app()).await;
    let cases = [
        ("/ HTTP/1.1", "Sampled=?", Some(";Sampled=1")),
        ("/quiet/x HTTP/1.1\nHost: quiet.example", "Sampled=?", Some(";Sampled=0")),
        ("/forced HTTP/1.1", "Sampled=?", Some(";Sampled=0")),
        ("/ HTTP/1.1", "Sampled=1", None),
        ("/ HTTP/1.1", "Parent=53995c3f42cd8ad8", None),
    ];
    for (request, sampled, expected) in cases {
        let lines = format!("GET {request}\nX-Amzn-Trace-Id: Root={ROOT};{sampled}");
        let answer = exchange(address, &lines).await;
        let told = answer.lines().find_map(|line| line.strip_prefix("x-amzn-trace-id: "));
        let expected = expected.map(|decision| format!("Root={ROOT}{decision}"));
        assert_eq!(told, expected.as_deref(), "{lines}");
    }
    assert_eq!(rig.documents(3).documents().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_on_one_connection_are_traces_of_their_own() {
    let rig = rig();
    let address = serve(app()).await;
    let lines = "GET / HTTP/1.1\nHost: a.example\nContent-Length: 0\n\nGET / HTTP/1.1\nHost: b.example";
    exchange(address, lines).await;
    let received = rig.documents(2);
    let [first, second] = received.documents() else { unreachable!() };
    assert_ne!(first.trace_id(), second.trace_id());
    assert_eq!((first.json().get("parent_id"), second.json().get("parent_id")), (None::<&Value>, None));
}
