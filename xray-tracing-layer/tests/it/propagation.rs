//! The trace header, on its way in and out.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracing::field::Empty;
use tracing::{Dispatch, debug_span, info_span};
use tracing_subscriber::prelude::*;
use tracing_subscriber::{fmt, registry};
use xray_sdk::local::{Collector, Waterfall};
use xray_sdk::sampling::{Never, Sampler, SamplingRequest, SamplingResult};
use xray_sdk::{SamplingDecision, SegmentId, TraceHeader, TraceId};
use xray_tracing_layer::{ContextMissing, XraySpanExt, current_trace_header};

use crate::support::{Rig, builder_for};

const TRACE: &str = "1-66f1a2b3-0123456789abcdef01234567";
const CALLER: &str = "53995c3f42cd8ad8";

fn header(text: &str) -> TraceHeader {
    text.replace("TRACE", TRACE).replace("CALLER", CALLER).parse().unwrap()
}

/// Answers as it is told, and remembers what it was asked and what came back.
#[derive(Default)]
struct Counting {
    sampled: bool,
    asked: AtomicUsize,
    given_back: Mutex<Vec<SamplingResult>>,
}

impl Counting {
    fn that_says(sampled: bool) -> Arc<Self> {
        Arc::new(Self { sampled, ..Self::default() })
    }

    fn counts(&self) -> (usize, usize) {
        (self.asked.load(Ordering::SeqCst), self.given_back.lock().unwrap().len())
    }
}

impl Sampler for Counting {
    fn sample(&self, _: &SamplingRequest<'_>) -> SamplingResult {
        self.asked.fetch_add(1, Ordering::SeqCst);
        SamplingResult::from(self.sampled).with_rule("counting").with_reservoir_second(7)
    }

    fn give_back(&self, verdict: &SamplingResult) {
        self.given_back.lock().unwrap().push(verdict.clone());
    }
}

#[test]
fn a_header_at_creation_decides_and_the_sampler_is_asked_only_if_it_does_not() {
    for (text, sampler, recorded, asked) in [
        ("Root=TRACE", true, true, 1),
        ("Root=TRACE", false, false, 1),
        ("Root=TRACE;Parent=CALLER", true, true, 1),
        ("Root=TRACE;Parent=CALLER;Sampled=1", false, true, 0),
        ("Root=TRACE;Sampled=1", false, true, 0),
        ("Root=TRACE;Parent=CALLER;Sampled=0", true, false, 0),
        ("Root=TRACE;Parent=CALLER;Sampled=?", true, true, 1),
        ("Root=TRACE;Parent=CALLER;Sampled=?", false, false, 1),
        ("Sampled=0;parent=CALLER; root = TRACE", true, false, 0),
    ] {
        let counting = Counting::that_says(sampler);
        let rig = Rig::with(|builder| builder.sampler(Arc::clone(&counting)));
        let text = text.replace("TRACE", TRACE).replace("CALLER", CALLER);
        rig.run(|| {
            let root = info_span!("root", xray.trace_header = text);
            let out = root.trace_header().unwrap();
            assert_eq!(out.root().to_string(), TRACE);
            let decision = if recorded { SamplingDecision::Sampled } else { SamplingDecision::NotSampled };
            assert_eq!(out.sampled(), decision, "{text}");
            info_span!(parent: &root, "child").in_scope(|| ());
        });
        assert_eq!(counting.counts(), (asked, 0), "{text}");
        let received = rig.received();
        assert_eq!(received.documents().len(), usize::from(recorded), "{text}");
        for document in received.documents() {
            assert_eq!(document.trace_id(), TRACE);
            assert_eq!(document.parent_id(), text.contains(CALLER).then_some(CALLER), "{text}");
            let rule = &document.json()["aws"]["xray"]["sampling_rule_name"];
            assert_eq!(rule.as_str(), (asked > 0).then_some("counting"), "{text}");
        }
        assert_eq!(rig.handle.stats().unsampled, u64::from(!recorded), "{text}");
    }
}

#[test]
fn a_header_set_later_replaces_the_samplers_decision_and_gives_back_what_it_took() {
    for (text, sampler, recorded, given_back) in [
        ("Root=TRACE;Parent=CALLER;Sampled=1", false, true, 1),
        ("Root=TRACE;Parent=CALLER;Sampled=1", true, true, 1),
        ("Root=TRACE;Parent=CALLER;Sampled=0", true, false, 1),
        ("Root=TRACE;Parent=CALLER;Sampled=?", true, true, 0),
        ("Root=TRACE;Parent=CALLER", false, false, 0),
    ] {
        for by_field in [false, true] {
            let counting = Counting::that_says(sampler);
            let rig = Rig::with(|builder| builder.sampler(Arc::clone(&counting)));
            rig.run(|| {
                let root = info_span!("root", annotation.before = true, xray.trace_header = Empty);
                match by_field {
                    true => drop(root.record("xray.trace_header", header(text).to_string())),
                    false => root.set_trace_header(&header(text)),
                }
                assert_eq!(root.trace_header().unwrap().root().to_string(), TRACE);
                info_span!(parent: &root, "child").in_scope(|| ());
            });
            assert_eq!(counting.counts(), (1, given_back), "{text}");
            if given_back == 1 {
                assert_eq!(counting.given_back.lock().unwrap()[0].reservoir_second(), Some(7));
            }
            assert_eq!(rig.received().documents().len(), usize::from(recorded), "{text}");
            if recorded {
                assert_eq!(rig.received().documents()[0].parent_id(), Some(CALLER));
                rig.assert_picture("\n◆ shop  before=true  (parent missing)\n└─ child\n");
            }
            assert_eq!(rig.handle.stats().late_headers, 0);
            assert_eq!(rig.handle.stats().unsampled, u64::from(!recorded), "{text}, unsampled roots");
        }
    }
}

#[test]
fn the_verdict_is_given_back_once_however_many_headers_follow() {
    let counting = Counting::that_says(true);
    let rig = Rig::with(|builder| builder.sampler(Arc::clone(&counting)));
    rig.run(|| {
        let root = info_span!("root");
        for sampled in ["0", "1", "0", "1"] {
            root.set_trace_header(&header(&format!("Root=TRACE;Parent=CALLER;Sampled={sampled}")));
        }
    });
    assert_eq!(counting.counts(), (1, 1));
    assert_eq!(rig.trace().id(), TRACE);
}

#[test]
fn a_header_that_comes_after_a_child_is_refused_and_counted() {
    let counting = Counting::that_says(true);
    let rig = Rig::with(|builder| builder.sampler(Arc::clone(&counting)));
    rig.run(|| {
        let root = info_span!("root", xray.trace_header = Empty);
        let child = info_span!(parent: &root, "child", xray.trace_header = Empty);
        root.set_trace_header(&header("Root=TRACE;Parent=CALLER;Sampled=0"));
        root.record("xray.trace_header", header("Root=TRACE").to_string());
        child.set_trace_header(&header("Root=TRACE;Parent=CALLER;Sampled=0"));
        child.record("xray.trace_header", header("Root=TRACE").to_string());
    });
    assert_eq!((rig.handle.stats().late_headers, counting.counts()), (4, (1, 0)));
    assert_ne!(rig.trace().id(), TRACE);
    rig.assert_picture("\n◆ shop\n└─ child\n");
}

#[test]
fn the_header_out_names_the_span_it_comes_from() {
    let rig = Rig::new();
    let ids = rig.run(|| {
        let root =
            info_span!("root", xray.trace_header = header("Root=TRACE;Parent=CALLER;Sampled=1").to_string());
        let child = info_span!(parent: &root, "child");
        let headers = [root.trace_header().unwrap(), child.trace_header().unwrap()];
        assert_eq!(root.in_scope(current_trace_header), Some(headers[0].clone()));
        assert_eq!(child.in_scope(current_trace_header), Some(headers[1].clone()));
        headers.map(|header| {
            assert_eq!(
                (header.root().to_string().as_str(), header.sampled()),
                (TRACE, SamplingDecision::Sampled)
            );
            header.parent().unwrap().to_string()
        })
    });
    let trace = rig.trace();
    assert_eq!(ids, [trace.find("shop").unwrap().id(), trace.find("child").unwrap().id()]);
}

#[test]
fn the_header_of_an_unsampled_trace_goes_on_everywhere() {
    let rig = Rig::with(|builder| builder.sampler(Never));
    rig.run(|| {
        let root = info_span!(
            "root",
            xray.trace_header = header("Root=TRACE;Parent=CALLER;Sampled=0;Lineage=a:1").to_string()
        );
        let child = info_span!(parent: &root, "child");
        let grandchild = info_span!(parent: &child, "grandchild");
        for span in [&root, &child, &grandchild] {
            let out = span.trace_header().unwrap();
            assert_eq!(
                (out.root().to_string().as_str(), out.sampled()),
                (TRACE, SamplingDecision::NotSampled)
            );
            assert_eq!(out.extras(), "Lineage=a:1");
        }
        let own = info_span!("new trace");
        let out = own.trace_header().unwrap();
        assert_eq!((out.sampled(), out.extras()), (SamplingDecision::NotSampled, ""));
        assert!(out.root() != TraceId::at(0) && out.root().to_string() != TRACE);
    });
    let stats = rig.handle.stats();
    assert_eq!((stats.unsampled, stats.closed, stats.documents), (2, 0, 0));
}

#[test]
fn inside_a_filtered_span_the_header_is_its_recorded_ancestors() {
    let collector = Collector::start().unwrap();
    let (layer, handle) = builder_for(&collector).build_with_handle().unwrap();
    let rig =
        Rig::around(collector, handle, registry().with(layer).with(fmt::layer().with_writer(std::io::sink)));
    rig.run(|| {
        let root = info_span!("root");
        let quiet = debug_span!(parent: &root, "quiet");
        let quieter = debug_span!(parent: &quiet, "quieter");
        assert_eq!(quieter.trace_header(), root.trace_header());
        assert_eq!(quieter.in_scope(current_trace_header), root.trace_header());
    });
    rig.assert_picture("\n◆ shop\n");
}

#[test]
fn unknown_parts_of_a_header_reach_every_span_below() {
    let rig = Rig::new();
    rig.run(|| {
        let root = info_span!("root");
        root.set_trace_header(&header(
            "Root=TRACE;Sampled=1;Lineage=a87bd80c:1|68fd508a:5;Self=1-x;CalledFrom=app",
        ));
        let child = info_span!(parent: &root, "child");
        let grandchild = info_span!(parent: &child, "grandchild");
        for span in [&root, &child, &grandchild] {
            assert_eq!(span.trace_header().unwrap().extras(), "Lineage=a87bd80c:1|68fd508a:5;CalledFrom=app");
        }
        assert_eq!(info_span!("another").trace_header().unwrap().extras(), "");
    });
    assert_eq!(rig.received().documents().len(), 2);
}

#[test]
fn two_services_and_one_call_are_one_trace() {
    let shop = Rig::new();
    let (layer, stock_handle) =
        builder_for(&shop.collector).service_name("stock").build_with_handle().unwrap();
    let stock = Dispatch::new(registry().with(layer));
    let mut call = None;
    shop.run(|| {
        let root = info_span!("GET /orders");
        let _in = root.enter();
        info_span!("load stock", otel.kind = "client").in_scope(|| {
            let sent = current_trace_header().unwrap();
            call = sent.parent();
            let on_the_wire = sent.to_string();
            tracing::dispatcher::with_default(&stock, || {
                // Another service, as far as X-Ray knows: nothing but the header crosses.
                let root = info_span!(parent: None, "GET /stock", xray.trace_header = on_the_wire);
                let _in = root.enter();
                info_span!("query").in_scope(|| ());
            });
        });
        info_span!("after").in_scope(|| ());
    });
    assert!(shop.collector.wait_for_documents(2, Duration::from_secs(10)));
    let received = shop.collector.received();
    assert_eq!(received.problems(), [""; 0]);
    let traces = received.traces();
    let pictures: String = traces.iter().map(|t| Waterfall::new(t).tree_only(true).to_string()).collect();
    assert_eq!(
        pictures,
        "\
◆ shop
├─ load stock [remote]
│  └─ ◆ stock
│     └─ query
└─ after
"
    );
    let caller = traces[0].find("stock").unwrap().parent().unwrap();
    assert_eq!(caller.id(), call.unwrap().to_string());
    assert_eq!((shop.handle.stats().emitted, stock_handle.stats().emitted), (1, 1));
}

#[test]
fn the_sampler_sees_what_is_known_of_the_request() {
    type Seen = (Option<String>, Option<String>, Option<String>, Option<String>);
    struct Asks(Arc<Mutex<Vec<Seen>>>);
    impl Sampler for Asks {
        fn sample(&self, request: &SamplingRequest<'_>) -> SamplingResult {
            let own = |text: Option<&str>| text.map(str::to_owned);
            self.0.lock().unwrap().push((
                own(request.service()),
                own(request.host()),
                own(request.method()),
                own(request.path()),
            ));
            SamplingResult::sampled()
        }
    }
    let seen = Arc::default();
    let rig = Rig::with(|builder| builder.sampler(Asks(Arc::clone(&seen))));
    rig.run(|| {
        drop(info_span!("a", http.request.method = "GET", url.full = "https://shop.example/cart?token=1"));
        drop(info_span!("b", http.method = "PUT", http.host = "h:8080", http.target = "/p?q"));
        drop(info_span!("c"));
    });
    let request = |host: &str, method: &str, path: &str| {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        (some("shop"), some(host), some(method), some(path))
    };
    assert_eq!(
        *seen.lock().unwrap(),
        [request("shop.example", "GET", "/cart"), request("h:8080", "PUT", "/p"), request("", "", "")]
    );
}

#[test]
fn ids_are_never_zero_and_never_twice() {
    let rig = Rig::new();
    let mut ids = std::collections::HashSet::new();
    rig.run(|| {
        for _ in 0..1_000 {
            let header = info_span!("root").trace_header().unwrap();
            assert_ne!(header.parent(), Some(SegmentId::from(0)));
            assert!(ids.insert(header.parent()));
        }
    });
}

#[test]
fn a_span_does_not_become_its_own_parent() {
    let rig = Rig::new();
    rig.run(|| {
        let root = info_span!("root");
        let own = root.trace_header().unwrap();
        root.set_trace_header(&own);
        assert_eq!(root.trace_header(), Some(own));
    });
    let document = rig.document();
    assert_eq!(document.get("parent_id"), None);
    assert_eq!(rig.handle.stats().late_headers, 1);
}

#[test]
fn a_call_outside_of_any_segment_is_known_by_its_kind_wherever_that_stands() {
    let rig = Rig::with(|b| b.context_missing(ContextMissing::Count));
    rig.run(|| {
        info_span!("first", otel.kind = "client", tenant = "blue");
        info_span!("behind", tenant = "blue", otel.kind = "client");
        info_span!("displayed", tenant = "blue", otel.kind = %"CLIENT", attempt = 1);
        info_span!("served", tenant = "client", otel.kind = "server", note = "client");
        info_span!("served", tenant = %"client", otel.kind = %"server", note = %"client");
        info_span!("served", tenant = "client", otel.kind = Empty);
    });
    assert_eq!(rig.handle.stats().context_missing, 3);
    let received = rig.received();
    let operations =
        received.documents().iter().map(|document| &document.json()["metadata"]["default"]["operation"]);
    assert_eq!(operations.collect::<Vec<_>>(), ["served"; 3]);
}

#[test]
fn a_span_that_follows_from_another_names_it() {
    let rig = Rig::new();
    let id = rig.run(|| {
        let _root = info_span!("root").entered();
        let (cause, effect) = (info_span!("cause"), info_span!("effect"));
        effect.follows_from(&cause);
        cause.in_scope(|| current_trace_header().unwrap().parent().unwrap().to_string())
    });
    let document = rig.document();
    let effect = &document["subsegments"].as_array().unwrap().iter().find(|part| part["name"] == "effect");
    assert_eq!(effect.unwrap()["metadata"]["default"]["follows_from"], id);
}

#[test]
fn a_trace_that_is_recorded_after_all_keeps_the_ids_of_the_headers_so_far() {
    let rig = Rig::with(|b| b.sampler(Never));
    let (before, after) = rig.run(|| {
        let root = info_span!("root").entered();
        let before = current_trace_header().unwrap();
        root.force_sampling(true);
        (before, current_trace_header().unwrap())
    });
    assert_eq!((before.parent(), before.sampled()), (after.parent(), SamplingDecision::NotSampled));
    assert_eq!(after.sampled(), SamplingDecision::Sampled);
    let document = rig.document();
    assert_eq!(
        (&document["id"], &document["trace_id"]),
        (&after.parent().unwrap().to_string().into(), &after.root().to_string().into(),)
    );
}
