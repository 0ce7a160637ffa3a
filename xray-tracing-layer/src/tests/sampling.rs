//! What a sampler is asked and told, and what a user's own word does to its decisions.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use tracing::{Span, info_span};
use xray_sdk::DaemonAddress;
use xray_sdk::sampling::{Always, DefaultRule, Never, ParentOnly, Sampler, SamplingRequest, SamplingResult};

use super::{Rig, START, lambda, names};
use crate::{XraySpanExt, current_trace_header};

/// Writes down what it hears, and decides by a path.
#[derive(Default)]
struct Notebook {
    lines: Mutex<Vec<String>>,
    started: AtomicUsize,
    stopped: AtomicUsize,
}

impl Notebook {
    fn lines(&self) -> Vec<String> {
        std::mem::take(&mut *self.lines.lock().unwrap())
    }
}

impl Sampler for Notebook {
    fn sample(&self, request: &SamplingRequest<'_>) -> SamplingResult {
        self.lines.lock().unwrap().push(format!(
            "{:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            request.service(),
            request.host(),
            request.method(),
            request.path(),
            request.epoch_seconds(),
            request.attribute("tenant"),
            request.attribute("plan"),
        ));
        SamplingResult::from(request.path() != Some("/no")).with_rule("notebook").with_observation()
    }
    fn give_back(&self, _: &SamplingResult) {
        self.lines.lock().unwrap().push("given back".to_owned());
    }
    fn observe(&self, verdict: &SamplingResult, anomaly: bool) {
        self.lines.lock().unwrap().push(format!("sampled {} anomaly {anomaly}", verdict.is_sampled()));
    }
    fn start(&self, _: &DaemonAddress, service: &str) {
        assert_eq!(service, "shop");
        self.started.fetch_add(1, Relaxed);
    }
    fn stop(&self) {
        self.stopped.fetch_add(1, Relaxed);
    }
    fn problem(&self) -> Option<String> {
        Some("a full notebook".to_owned())
    }
}

#[test]
fn a_sampler_is_asked_with_all_that_is_known() {
    let notebook = Arc::<Notebook>::default();
    let rig = Rig::new(|builder| builder.sampler(Arc::clone(&notebook)));
    rig.run(|| {
        drop(info_span!(
            "root",
            http.request.method = "GET",
            url.full = "http://shop.example/cart?x=1",
            annotation.tenant = "blue",
            plan = "gold"
        ));
    });
    let asked = format!(
        r#"Some("shop") Some("shop.example") Some("GET") Some("/cart") Some({}) Some("blue") Some("gold")"#,
        START / super::SECOND
    );
    assert_eq!(notebook.lines(), [asked.as_str(), "sampled true anomaly false"]);
    assert_eq!(rig.sent()[0]["aws"]["xray"]["sampling_rule_name"], "notebook");
    let told = rig.handle.diagnostics();
    assert!(told.contains(&crate::Diagnostic::Sampling("a full notebook".to_owned())), "{told:?}");
}

#[test]
fn a_watched_trace_tells_how_it_ended_recorded_or_not() {
    for (path, status, anomaly) in
        [("/yes", 500_u16, true), ("/yes", 404, false), ("/no", 503, true), ("/no", 200, false)]
    {
        let notebook = Arc::<Notebook>::default();
        let rig = Rig::new(|builder| builder.sampler(Arc::clone(&notebook)));
        rig.run(|| {
            let root = info_span!("root", url.path = path, http.response.status_code = tracing::field::Empty);
            root.in_scope(|| drop(info_span!("child")));
            root.record("http.response.status_code", status);
        });
        let expected = format!("sampled {} anomaly {anomaly}", path == "/yes");
        assert_eq!(notebook.lines()[1..], [expected], "{path} {status}");
    }
}

#[test]
fn what_needs_a_thread_starts_with_the_layer_and_ends_with_it_and_not_in_lambda() {
    let notebook = Arc::<Notebook>::default();
    let counts = || (notebook.started.load(Relaxed), notebook.stopped.load(Relaxed));
    let layer = crate::builder()
        .service_name("shop")
        .sampler(Arc::clone(&notebook))
        .build::<tracing_subscriber::Registry>()
        .unwrap();
    assert_eq!(counts(), (0, 0), "a layer that is not installed starts nothing");
    drop(layer);
    assert_eq!(counts(), (0, 0));
    let rig = Rig::new(|builder| builder.sampler(Arc::clone(&notebook)));
    assert_eq!(counts(), (1, 0));
    rig.run(|| drop(info_span!("root")));
    let Rig { dispatch, handle, .. } = rig;
    drop(dispatch);
    // Another test's thread may be looking at all subscribers at this moment, and so be the last to let go of it.
    let dropped = std::time::Instant::now();
    while counts() != (1, 1) {
        assert!(dropped.elapsed() < std::time::Duration::from_secs(10), "although a handle is still there");
        std::thread::yield_now();
    }
    drop(handle);
    drop(Rig::new(|builder| builder.sampler(Arc::clone(&notebook)).lambda(|| None)));
    drop(Rig::new(|builder| builder.sampler(Arc::clone(&notebook)).enabled(false)));
    assert_eq!(counts(), (1, 1));
}

#[test]
fn a_forced_root_is_kept_or_not_whatever_others_say() {
    const HEADER: &str = "Root=1-66f1a2b3-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled=";
    for (forced, sampled_by_caller) in [(true, "0"), (true, "1"), (false, "0"), (false, "1")] {
        let rig = Rig::new(|builder| builder.sampler(Never));
        rig.run(|| {
            let header = format!("{HEADER}{sampled_by_caller}");
            let root = info_span!("root", xray.trace_header = header, xray.sampled = forced).entered();
            drop(info_span!("child"));
            let sent = current_trace_header().unwrap().to_string();
            let expected = if forced { "Sampled=1" } else { "Sampled=0" };
            assert!(sent.starts_with("Root=1-66f1a2b3-") && sent.ends_with(expected), "{sent}");
            drop(root);
            let late = info_span!("by method");
            late.force_sampling(forced);
        });
        assert_eq!(rig.sent().len(), if forced { 2 } else { 0 }, "{forced} {sampled_by_caller}");
    }
}

#[test]
fn forcing_gives_back_what_the_sampler_had_given() {
    let notebook = Arc::<Notebook>::default();
    let rig = Rig::new(|builder| builder.sampler(Arc::clone(&notebook)));
    rig.run(|| {
        info_span!("root").force_sampling(false);
        let recorded = info_span!("recorded", xray.sampled = tracing::field::Empty);
        recorded.record("xray.sampled", false);
        drop(info_span!("never asked", xray.sampled = "false"));
    });
    let lines = notebook.lines();
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert_eq!((&*lines[1], &*lines[3]), ("given back", "given back"));
    assert_eq!(rig.sent(), [0; 0]);
    // The reservoir's one slot of this second goes to who wants it.
    let rig = Rig::new(|builder| builder.sampler(DefaultRule::with_rates(1, 0.0)));
    rig.run(|| {
        info_span!("first").force_sampling(false);
        drop(info_span!("second"));
        drop(info_span!("third"));
    });
    assert_eq!(rig.sent().len(), 1);
}

#[test]
fn a_part_that_is_not_kept_is_left_out_with_all_inside_and_others_stay() {
    let rig = Rig::new(|builder| builder);
    rig.run(|| {
        let _root = info_span!("root").entered();
        drop(info_span!("before"));
        let noisy = info_span!("noisy", xray.sampled = false).entered();
        drop(info_span!("inside"));
        assert!(current_trace_header().unwrap().to_string().ends_with("Sampled=0"));
        drop(info_span!("after all", xray.sampled = true, order = 7));
        drop(noisy);
        let quiet = info_span!("quiet");
        quiet.force_sampling(false);
        drop(quiet);
        drop(info_span!("after"));
    });
    let sent = rig.sent();
    assert_eq!(sent.len(), 2);
    let [kept, root] = &sent[..] else { panic!("{sent:?}") };
    let parts = root["subsegments"].as_array().unwrap();
    assert_eq!(names(parts), ["before", "after"]);
    assert_eq!((kept.get("type"), kept.get("parent_id")), (None, None));
    assert_eq!(kept["trace_id"], root["trace_id"]);
    assert_eq!(kept["metadata"]["default"]["order"], 7);
    let stats = rig.handle.stats();
    assert_eq!((stats.closed, stats.folded, stats.emitted), (4, 2, 2));
}

#[test]
fn a_part_of_an_unsampled_trace_that_is_kept_is_a_segment() {
    for sampler in [Box::new(Never) as Box<dyn Sampler>, Box::new(ParentOnly)] {
        let rig = Rig::new(|builder| builder.sampler(sampler));
        rig.run(|| {
            let _root = info_span!("root").entered();
            let root = current_trace_header().unwrap().root();
            let pay = info_span!("pay", xray.sampled = true, order = 7).entered();
            drop(info_span!("inside"));
            let header = current_trace_header().unwrap();
            assert_eq!(header.root(), root);
            assert!(header.to_string().ends_with("Sampled=1"));
            drop(pay);
            drop(info_span!("more"));
        });
        let sent = rig.sent();
        assert_eq!(names(&sent), ["shop"]);
        assert_eq!(sent[0]["metadata"]["default"]["order"], 7);
        assert_eq!(sent[0]["subsegments"][0]["name"], "inside");
    }
}

#[test]
fn a_word_that_comes_too_late_is_counted_and_changes_nothing() {
    let rig = Rig::new(|builder| builder.sampler(Always));
    rig.run(|| {
        let root = info_span!("root").entered();
        drop(info_span!("child"));
        root.force_sampling(false);
    });
    assert_eq!(rig.sent().len(), 1);
    assert_eq!(rig.handle.stats().late_decisions, 1);
}

#[test]
fn in_lambda_a_span_can_be_left_out_but_not_kept_against_the_platform() {
    let sampled = lambda(super::SAMPLED);
    sampled.run(|| {
        drop(info_span!("kept"));
        drop(info_span!("left out", xray.sampled = false));
    });
    assert_eq!(names(&sampled.sent()), ["kept"]);
    let unsampled = lambda("Root=1-66f1a2b3-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled=0");
    unsampled.run(|| {
        let _handler = info_span!("handler", xray.sampled = true).entered();
        Span::current().force_sampling(true);
        drop(info_span!("part", xray.sampled = true));
    });
    assert_eq!(unsampled.sent(), [0; 0]);
}

#[test]
fn parent_only_records_what_callers_record_and_leaves_the_rest_open() {
    let rig = Rig::new(|builder| builder.sampler(ParentOnly));
    rig.run(|| {
        let root = info_span!("root").entered();
        let header = current_trace_header().unwrap();
        assert_eq!((header.parent(), header.to_string().contains("Sampled")), (None, false));
        drop(root);
        let header = super::SAMPLED;
        drop(info_span!("continued", xray.trace_header = header));
        let late = info_span!("late", order = 7);
        late.set_trace_header(&header.parse().unwrap());
    });
    let sent = rig.sent();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[1]["metadata"]["default"]["order"], 7);
}

/// The whole way: rules from a server, a decision, a document, a report.
#[cfg(feature = "central-sampling")]
#[test]
fn central_rules_decide_about_spans_and_segments_name_their_rule() {
    use super::server::{Reply, Server};
    use xray_sdk::sampling::CentralSampler;

    const RULES: &str = r#"{"SamplingRuleRecords":[
        {"SamplingRule":{"RuleName":"blue","ResourceARN":"*","Priority":1,"FixedRate":1,"ReservoirSize":0,
         "ServiceName":"shop","ServiceType":"*","Host":"*","HTTPMethod":"*","URLPath":"/cart*","Version":1,
         "Attributes":{"tenant":"blue"}}},
        {"SamplingRule":{"RuleName":"Default","ResourceARN":"*","Priority":10000,"FixedRate":0,"ReservoirSize":0,
         "ServiceName":"*","ServiceType":"*","Host":"*","HTTPMethod":"*","URLPath":"*","Version":1}}]}"#;
    const TARGETS: &str =
        r#"{"SamplingTargetDocuments":[],"UnprocessedStatistics":[],"LastRuleModification":0}"#;
    let server = Server::start(|request| {
        let answer = if request.path == "/SamplingTargets" { TARGETS } else { RULES };
        Reply::Http(200, answer.to_owned())
    });
    let sampler = Arc::new(CentralSampler::with_fallback(Never));
    let address = server.address().to_string();
    let rig = Rig::new(|builder| builder.daemon_address(&address).sampler(Arc::clone(&sampler)));
    let started = std::time::Instant::now();
    while sampler.stats().rules_fetched == 0 {
        assert!(started.elapsed() < std::time::Duration::from_secs(10), "no rules");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    // Rules hold for an hour of the wall clock; the rig's own is elsewhere.
    rig.time.store(1_000_000 * 1_000_000, Relaxed);
    rig.run(|| {
        drop(info_span!("kept", url.path = "/cart/7", annotation.tenant = "blue"));
        drop(info_span!("other tenant", url.path = "/cart/7", annotation.tenant = "red"));
        drop(info_span!("other path", url.path = "/", annotation.tenant = "blue"));
    });
    let sent = rig.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0]["aws"]["xray"]["sampling_rule_name"], "blue");
    assert_eq!(rig.handle.stats().unsampled, 2);
    let found = rig.handle.diagnostics();
    assert!(matches!(found[..], [crate::Diagnostic::NotSampled { traces: 2, of: 3, .. }]), "{found:?}");
    assert_eq!(sampler.stats().requests, 0, "a report is due every ten seconds");
    assert!(rig.handle.flush(std::time::Duration::from_secs(10)));
    assert_eq!((sampler.stats().requests, sampler.stats().sampled), (3, 1));
}
