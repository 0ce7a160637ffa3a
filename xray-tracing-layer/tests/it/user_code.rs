//! The user's code inside a callback: values, redaction, emitter and sampler that use `tracing` themselves, or panic.

use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing::field::{Empty, debug};
use tracing::{Span, error, info, info_span};
use xray_sdk::{EmitError, Emitter, Packet};
use xray_tracing_layer::{XraySpanExt, current_trace_header};

use crate::support::{Memory, MemoryRig, Rig, assert_law, span_count};

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
        alone("user_code::global::values");
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
        alone("user_code::global::emitter");
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
        alone("user_code::global::sampler");
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
