//! What takes seconds, or Lambda: scenarios under a clock that the test moves, and with an invocation's header
//! that the test makes up. Everything else is in `tests/it`, over a real socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde_json::Value;
use tracing::{Dispatch, info_span};
use tracing_subscriber::Registry;
use tracing_subscriber::prelude::*;
use xray_sdk::sampling::Always;
use xray_sdk::testing::MemoryEmitter;

use crate::state::clock::Clock;
use crate::{Builder, Handle, XraySpanExt, current_trace_header};

#[cfg(any(feature = "tower-server", feature = "tower-client"))]
mod at_once;
#[cfg(feature = "tower-server")]
mod early_end;
mod environment;
mod fields_at_close;
mod finished_calls;
#[cfg(feature = "tower-server")]
mod http_bodies;
#[cfg(feature = "tower-client")]
mod http_client;
#[cfg(all(feature = "tower-server", feature = "tower-client"))]
mod http_headers;
#[cfg(feature = "tower-server")]
mod http_server;
mod lambda;
mod lambda_headers;
mod lambda_messages;
#[cfg(feature = "lambda")]
mod lambda_timer;
mod left_out;
mod left_out_at_close;
mod lifetime;
mod nested_subscribers;
mod on_close;
#[cfg(feature = "plugins")]
mod origin;
#[cfg(feature = "reqwest-middleware")]
mod reqwest_calls;
mod roots;
mod sampling;
mod tail;

#[cfg(any(feature = "central-sampling", feature = "plugins"))]
use xray_sdk::testing::server;

struct Rig {
    sent: MemoryEmitter,
    time: Arc<AtomicU64>,
    handle: Handle,
    dispatch: Dispatch,
}

const SECOND: u64 = 1_000_000;
const START: u64 = 1_800_000_000 * SECOND;

impl Rig {
    fn new(change: impl FnOnce(Builder) -> Builder) -> Self {
        let (sent, time) = (MemoryEmitter::new(), Arc::new(AtomicU64::new(START)));
        let builder = crate::builder()
            .service_name("shop")
            .sampler(Always)
            .emitter(sent.clone())
            .clock(Clock::manual(Arc::clone(&time)));
        let (layer, handle) = change(builder).build_with_handle::<Registry>().unwrap();
        Self { sent, time, handle, dispatch: Dispatch::new(tracing_subscriber::registry().with(layer)) }
    }

    fn run<R>(&self, spans: impl FnOnce() -> R) -> R {
        tracing::dispatcher::with_default(&self.dispatch, spans)
    }

    fn pass(&self, micros: u64) {
        self.time.fetch_add(micros, Relaxed);
    }

    /// What was sent since the last call.
    fn sent(&self) -> Vec<Value> {
        let received = self.sent.take();
        assert_eq!(received.problems(), [""; 0]);
        received.documents().iter().map(|document| document.json().clone()).collect()
    }
}

fn names(documents: &[Value]) -> Vec<&str> {
    documents.iter().map(|document| document["name"].as_str().unwrap()).collect()
}

#[test]
fn times_are_those_of_the_clock_to_the_microsecond() {
    let rig = Rig::new(|b| b);
    rig.run(|| {
        let _root = info_span!("root").entered();
        rig.pass(1_500);
        let _child = info_span!("child").entered();
        rig.pass(250_007);
    });
    let sent = rig.sent();
    assert_eq!(sent[0]["start_time"].as_f64(), Some(1_800_000_000.0));
    assert_eq!(sent[0]["end_time"].as_f64(), Some(1_800_000_000.251_507));
    assert_eq!(sent[0]["subsegments"][0]["start_time"].as_f64(), Some(1_800_000_000.001_5));
}

#[test]
fn a_segment_open_for_seconds_announces_itself_once() {
    let rig = Rig::new(|b| b);
    rig.run(|| {
        let _root = info_span!("root", annotation.tenant = "blue").entered();
        drop(info_span!("early"));
        assert_eq!(rig.sent(), [0; 0]);
        rig.pass(6 * SECOND);
        drop(info_span!("late"));
        let sent = rig.sent();
        assert_eq!(sent.len(), 1);
        assert_eq!(sent[0]["in_progress"], true);
        assert_eq!(sent[0]["annotations"]["tenant"], "blue");
        assert!(sent[0].get("end_time").is_none() && sent[0].get("subsegments").is_none());
        drop(info_span!("later"));
        assert_eq!(rig.sent(), [0; 0]);
    });
    let sent = rig.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0]["subsegments"].as_array().map(Vec::len), Some(3));
    let stats = rig.handle.stats();
    assert_eq!((stats.announced, stats.emitted, stats.folded, stats.documents), (1, 1, 3, 2));
}

#[test]
fn a_child_that_opens_in_an_old_segment_announces_it() {
    for is_call in [false, true] {
        let rig = Rig::new(|b| b);
        rig.run(|| {
            let _root = info_span!("root").entered();
            rig.pass(6 * SECOND);
            let child = if is_call { info_span!("call", otel.kind = "client") } else { info_span!("child") };
            let sent = rig.sent();
            assert_eq!((sent.len(), &sent[0]["in_progress"]), (1, &true.into()));
            drop(child);
            assert_eq!(rig.sent(), [0; 0]);
        });
    }
}

#[test]
fn a_child_that_closes_in_a_segment_grown_old_announces_it() {
    for (is_call, is_deep) in [(false, false), (true, false), (false, true), (true, true)] {
        let rig = Rig::new(|b| b);
        rig.run(|| {
            let _root = info_span!("root").entered();
            // The span around the child is young.
            rig.pass(3 * SECOND);
            let _part = is_deep.then(|| info_span!("part").entered());
            let child = if is_call { info_span!("call", otel.kind = "client") } else { info_span!("child") };
            rig.pass(3 * SECOND);
            assert_eq!(rig.sent(), [0; 0]);
            drop(child);
            let sent = rig.sent();
            assert_eq!((sent.len(), &sent[0]["in_progress"]), (1, &true.into()));
        });
    }
}

#[test]
fn a_child_within_the_second_in_which_a_segment_grows_old_announces_it() {
    for fails in [false, true] {
        let rig = Rig::new(|b| b);
        // Neither the child's beginning nor its end is in another second.
        rig.pass(SECOND / 2);
        rig.run(|| {
            let _root = info_span!("root").entered();
            rig.pass(5 * SECOND - 1);
            let child = info_span!("child");
            if fails {
                child.in_scope(|| tracing::error!("refused"));
            }
            rig.pass(1);
            drop(child.clone());
            assert_eq!(rig.sent(), [0; 0]);
            rig.pass(1);
            drop(child);
            let sent = rig.sent();
            assert_eq!((sent.len(), &sent[0]["in_progress"]), (1, &true.into()));
        });
    }
}

#[test]
fn a_parent_open_for_long_holds_nothing_back() {
    let rig = Rig::new(|b| b);
    rig.run(|| {
        let _root = info_span!("root").entered();
        for _ in 0..20 {
            drop(info_span!("held"));
        }
        rig.pass(11 * SECOND);
        drop(info_span!("fresh"));
        let sent = rig.sent();
        // The announcement, eight of those that were held, and the new one.
        assert_eq!(sent.iter().filter(|d| d["name"] == "held").count(), 8);
        assert_eq!(sent.iter().filter(|d| d["name"] == "fresh" && d["type"] == "subsegment").count(), 1);
        assert_eq!(sent.iter().filter(|d| d["in_progress"] == true).count(), 1);
        drop(info_span!("fresh"));
        drop(info_span!("fresh"));
        assert_eq!(names(&rig.sent()).iter().filter(|name| **name == "held").count(), 12);
    });
    let root = &rig.sent()[0];
    assert!(root.get("subsegments").is_none());
    let stats = rig.handle.stats();
    assert_eq!((stats.closed, stats.folded, stats.emitted, stats.dropped), (24, 20, 4, 0));
    assert_eq!(stats.documents, 1 + 20 + 3 + 1);
}

#[test]
fn documents_that_wait_are_sent_by_whatever_span_closes_a_second_later() {
    let rig = Rig::new(|b| b.stream_after(0));
    rig.run(|| {
        let _root = info_span!("root").entered();
        (0..3).for_each(|_| drop(info_span!("waits")));
        rig.pass(SECOND);
        info_span!(parent: None, "other").in_scope(|| ());
        assert_eq!(rig.sent().len(), 1, "the other trace alone");
        rig.pass(1);
        info_span!(parent: None, "other").in_scope(|| ());
        let sent = rig.sent();
        assert_eq!(sent.iter().filter(|document| document["name"] == "waits").count(), 3);
        assert_eq!((sent.len(), rig.handle.stats().held), (4, 0));
    });
    assert_eq!(rig.sent().len(), 1);
}

#[test]
fn documents_that_wait_are_sent_by_whatever_child_closes_a_second_later() {
    for fails in [false, true] {
        let rig = Rig::new(|b| b);
        rig.run(|| {
            let (full, other) = (info_span!(parent: None, "full"), info_span!(parent: None, "other"));
            (0..300).for_each(|_| drop(info_span!(parent: &full, "fills", text = "x".repeat(200))));
            assert!(rig.handle.stats().held > 0);
            rig.pass(SECOND + 1);
            rig.sent();
            let child = info_span!(parent: &other, "child");
            if fails {
                child.in_scope(|| tracing::error!("refused"));
            }
            drop(child);
            assert_eq!(rig.handle.stats().held, 0, "{fails}");
            assert!(names(&rig.sent()).iter().all(|name| *name == "fills"));
        });
    }
}

#[test]
fn a_child_that_comes_a_second_after_the_last_ones_left_does_not_wait() {
    let rig = Rig::new(|b| b.stream_after(0));
    rig.run(|| {
        let _root = info_span!("root").entered();
        for _ in 0..3 {
            rig.pass(SECOND + 1);
            drop(info_span!("alone"));
            assert_eq!(rig.sent().iter().filter(|document| document["name"] == "alone").count(), 1);
            drop(info_span!("waits"));
            assert_eq!(rig.sent(), [0; 0]);
            assert!(rig.handle.flush(std::time::Duration::from_secs(10)));
            assert_eq!(names(&rig.sent()), ["waits"]);
        }
    });
}

#[test]
fn a_root_that_a_child_of_its_own_document_holds_open_ends_at_its_last_exit() {
    let rig = Rig::new(|b| b.stream_after(0));
    rig.run(|| {
        let root = info_span!("root");
        let child = root.in_scope(|| {
            rig.pass(SECOND);
            info_span!("child", text = "x".repeat(13_000))
        });
        drop(root);
        rig.pass(3 * SECOND);
        drop(child);
    });
    let sent = rig.sent();
    assert_eq!(names(&sent), ["child", "shop"]);
    let [child, root] = [0, 1].map(|i| sent[i]["end_time"].as_f64().unwrap() - (START / SECOND) as f64);
    assert_eq!((child, root), (4.0, 1.0));
}

#[test]
fn each_root_that_is_recorded_is_counted_once_whatever_is_known_of_it() {
    for rig in [Rig::new(|b| b), Rig::new(|b| b.on_close(|_| ()))] {
        rig.run(|| {
            drop(info_span!("plain"));
            info_span!("with a child").in_scope(|| drop(info_span!("child")));
            drop(info_span!("continued", xray.trace_header = SAMPLED));
            drop(info_span!("forced", xray.sampled = true));
            info_span!("failed").in_scope(|| tracing::error!("refused"));
        });
        assert_eq!((rig.sent().len(), rig.handle.stats().sampled), (5, 5));
    }
}

#[cfg(feature = "tower-server")]
#[test]
fn what_comes_after_an_early_end_is_a_late_part_without_what_was_sent() {
    use crate::layer::find::with_core;
    use crate::lifecycle::core::Core;
    let rig = Rig::new(|b| b);
    let early = rig.run(|| {
        let root = info_span!("root", late = tracing::field::Empty, text = "x".repeat(20_000)).entered();
        drop(info_span!("child"));
        rig.pass(SECOND);
        let root = root.exit();
        with_core(&root, Core::emit_ended);
        let early = rig.sent();
        rig.pass(SECOND);
        root.record("late", 7);
        early
    });
    let late = rig.sent();
    assert_eq!((names(&early), names(&late)), (vec!["shop"], vec!["root"]));
    assert_eq!(early[0]["subsegments"][0]["name"], "child");
    assert_eq!((&late[0]["parent_id"], late[0].get("subsegments")), (&early[0]["id"], None));
    assert_eq!(late[0]["metadata"]["default"], serde_json::json!({"late": 7}));
    let times = |document: &Value| {
        ["start_time", "end_time"].map(|name| document[name].as_f64().unwrap() - (START / SECOND) as f64)
    };
    assert_eq!((times(&early[0]), times(&late[0])), ([0.0, 1.0], [1.0, 2.0]));
    let stats = rig.handle.stats();
    assert_eq!((stats.sampled, stats.closed, stats.values_cut), (1, 3, 1), "{stats:?}");
}

#[test]
fn a_root_that_is_open_for_long_without_a_document_is_a_diagnostic() {
    let rig = Rig::new(|b| b);
    rig.run(|| {
        let serve = info_span!("serve_forever");
        rig.pass(30 * SECOND);
        let other = info_span!("other");
        assert_eq!(rig.handle.diagnostics(), []);
        rig.pass(31 * SECOND);
        let age = std::time::Duration::from_secs(61);
        let expected = crate::Diagnostic::OpenForLong { roots: 1, name: "serve_forever".to_owned(), age };
        let found = rig.handle.diagnostics();
        assert_eq!(found, [expected]);
        let sentence = found[0].to_string();
        assert!(sentence.contains("\"serve_forever\" has been open for 61 s"), "{sentence}");
        rig.pass(30 * SECOND);
        let found = rig.handle.diagnostics();
        assert!(matches!(&found[..], [crate::Diagnostic::OpenForLong { roots: 2, .. }]), "{found:?}");
        // A span inside makes the root send what it has so far.
        serve.in_scope(|| drop(info_span!("inside")));
        drop(other);
        assert_eq!(rig.handle.diagnostics(), []);
    });
}

const SAMPLED: &str =
    "Root=1-66f1a2b3-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:1";

fn lambda(header: &'static str) -> Rig {
    // A function pointer, as the real one: the header is told by a thread-local.
    thread_local!(static HEADER: std::cell::Cell<&'static str> = const { std::cell::Cell::new("") });
    HEADER.set(header);
    Rig::new(|b| b.lambda(|| HEADER.get().parse().ok()))
}
