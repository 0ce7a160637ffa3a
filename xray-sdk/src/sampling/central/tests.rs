//! The whole of central sampling against servers on the loopback interface, with time as an argument: an hour
//! takes as long as its requests.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::CentralSampler;
use super::poller::{Now, Poller};
use crate::daemon::DaemonAddress;
use crate::sampling::{LocalRule, LocalRules, Never, Sampler, SamplingRequest, SamplingResult};
use crate::testing::server::{Reply, Request, Server};

const START: u32 = 1_700_000_000;

/// Sampler, poller and server, and what time it is.
struct Rig {
    sampler: CentralSampler,
    poller: Poller,
    next: Duration,
    _server: Server,
}

impl Rig {
    fn new(answer: impl FnMut(&Request) -> Reply + Send + 'static) -> Self {
        // Nothing but the path of the rule that the server doesn't know either.
        let never = LocalRules::new([LocalRule::new(0, 1.0).path("/local")], LocalRule::new(0, 0.0)).unwrap();
        let sampler = CentralSampler::with_fallback(never);
        let server = Server::start(answer);
        let poller =
            Poller::new(Arc::clone(sampler.shared()), &DaemonAddress::from(server.address()), "shop");
        Self { sampler, poller, next: Duration::ZERO, _server: server }
    }

    /// Does what is due when so many milliseconds have passed.
    fn at_millis(&mut self, millis: u64) {
        let since_start = Duration::from_millis(millis);
        if since_start >= self.next {
            let since_epoch = Duration::from_secs(START.into()) + since_start;
            self.next = self.poller.tick(Now { since_start, since_epoch });
        }
    }

    fn at(&mut self, second: u32) {
        self.at_millis(u64::from(second) * 1000);
    }

    /// The name of the central rule that decided.
    fn rule_of(&self, result: &SamplingResult) -> Option<String> {
        let rules = self.sampler.shared().rules.load_full()?;
        Some(rules.by_number(result.central()?.rule)?.spec.name.to_string())
    }

    fn sample(&self, second: u32, path: &str) -> SamplingResult {
        let request = SamplingRequest::new("shop").with_path(path).with_epoch_seconds(START + second);
        self.sampler.sample(&request)
    }
}

fn rule(name: &str, priority: u32, path: &str, reservoir: u32, rate: f64) -> Value {
    json!({"SamplingRule": {
        "RuleName": name, "ResourceARN": "*", "Priority": priority, "FixedRate": rate,
        "ReservoirSize": reservoir, "ServiceName": "*", "ServiceType": "*", "Host": "*", "HTTPMethod": "*",
        "URLPath": path, "Version": 1, "Attributes": {}
    }, "CreatedAt": 0.0, "ModifiedAt": 0.0})
}

fn rules(rules: &[Value]) -> Reply {
    Reply::Http(200, json!({"SamplingRuleRecords": rules, "NextToken": null}).to_string())
}

/// Requests, sampled, borrowed.
type Totals = BTreeMap<String, [i64; 3]>;

/// The service: its rules, and what it was told.
#[derive(Default)]
struct Service {
    rules: Vec<Value>,
    modified: f64,
    told: Totals,
    boosts: Vec<Value>,
    calls: u32,
    fetches: u32,
    largest_report: usize,
    targets: BTreeMap<String, Value>,
}

impl Service {
    fn answer(&mut self, request: &Request) -> Reply {
        assert_eq!(request.method, "POST");
        assert_eq!(request.header("content-type"), Some("application/json"));
        let body: Value = serde_json::from_str(&request.body).unwrap();
        if request.path == "/GetSamplingRules" {
            self.fetches += 1;
            return rules(&self.rules);
        }
        assert_eq!(request.path, "/SamplingTargets");
        let documents = body["SamplingStatisticsDocuments"].as_array().unwrap();
        self.largest_report = self.largest_report.max(documents.len());
        for document in documents {
            let name = document["RuleName"].as_str().unwrap();
            let told = self.told.entry(name.to_owned()).or_default();
            for (told, member) in told.iter_mut().zip(["RequestCount", "SampledCount", "BorrowCount"]) {
                *told += document[member].as_i64().unwrap();
            }
            assert_eq!(document["ClientID"].as_str().unwrap().len(), 24);
        }
        self.boosts
            .extend(body["SamplingBoostStatisticsDocuments"].as_array().into_iter().flatten().cloned());
        let targets: Vec<&Value> =
            documents.iter().filter_map(|told| self.targets.get(told["RuleName"].as_str()?)).collect();
        let answer = json!({
            "SamplingTargetDocuments": targets, "LastRuleModification": self.modified,
            "UnprocessedStatistics": []
        });
        Reply::Http(200, answer.to_string())
    }
}

fn answering(service: &Arc<Mutex<Service>>) -> impl FnMut(&Request) -> Reply + Send + use<> {
    let service = Arc::clone(service);
    move |request| service.lock().unwrap().answer(request)
}

fn served(service: &Arc<Mutex<Service>>) -> Rig {
    Rig::new(answering(service))
}

/// Five standard deviations of a binomial distribution.
fn assert_share(drawn: i64, of: i64, rate: f64) {
    let (mean, bound) = (of as f64 * rate, 5.0 * (of as f64 * rate * (1.0 - rate)).sqrt());
    assert!((drawn as f64 - mean).abs() <= bound, "{drawn} of {of} at {rate}");
}

#[test]
fn an_hour_obeys_the_rules_and_adds_up_exactly() {
    const QUOTA: u32 = 5;
    let service = Arc::new(Mutex::new(Service {
        rules: vec![
            rule("health", 1, "/health*", 0, 0.0),
            rule("checkout", 2, "/checkout*", 10, 0.1),
            rule("Default", 10_000, "*", 1, 0.05),
        ],
        modified: f64::from(START) - 1000.0,
        ..Service::default()
    }));
    let mut rig = {
        let service = Arc::clone(&service);
        Rig::new(move |request| {
            let mut service = service.lock().unwrap();
            service.calls += 1;
            // Every seventh call fails, one way or another.
            match service.calls % 21 {
                7 => Reply::Http(500, String::new()),
                14 => Reply::HangUp,
                20 => Reply::Http(200, "<html>".to_owned()),
                _ => service.answer(request),
            }
        })
    };
    let mut made = Totals::new();
    let mut lots: BTreeMap<&str, [i64; 2]> = BTreeMap::new();
    let mut changed_at = None;
    for second in 0..3600 {
        {
            let mut service = service.lock().unwrap();
            if second == 1800 {
                service.rules[1] = rule("checkout", 2, "/checkout*", 10, 0.5);
                service.modified = f64::from(START + second);
            }
            let rate = if second < 1800 { 0.1 } else { 0.5 };
            let until = START + second + 60;
            service.targets = BTreeMap::from([
                (
                    "checkout".to_owned(),
                    json!({"RuleName": "checkout", "FixedRate": rate,
                    "ReservoirQuota": QUOTA, "ReservoirQuotaTTL": until, "Interval": 10}),
                ),
                ("Default".to_owned(), json!({"RuleName": "Default", "FixedRate": 0.05})),
            ]);
        }
        rig.at(second);
        if second >= 1800 && changed_at.is_none() {
            let rules = rig.sampler.shared().rules.load_full().unwrap();
            changed_at = (rules.by_name("checkout").unwrap().spec.rate == 0.5).then_some(second);
        }
        let mut slots: BTreeMap<&str, u32> = BTreeMap::new();
        for (path, traces, expected) in
            [("/health", 20, "health"), ("/checkout/7", 60, "checkout"), ("/", 20, "Default")]
        {
            for _ in 0..traces {
                let result = rig.sample(second, path);
                let central = result.central().unwrap();
                assert_eq!(result.rule().map(|rule| &**rule), result.is_sampled().then_some(expected));
                let counts = made.entry(expected.to_owned()).or_default();
                counts[0] += 1;
                counts[1] += i64::from(result.is_sampled());
                counts[2] += i64::from(central.borrowed);
                if result.reservoir_second().is_some() {
                    *slots.entry(expected).or_default() += 1;
                } else {
                    // What was drawn in the time around the change is at neither rate.
                    let key = match (expected, second) {
                        ("checkout", 0..1800) => "checkout before",
                        ("checkout", 1830..) => "checkout after",
                        ("checkout", _) => "checkout around",
                        _ => expected,
                    };
                    let lot = lots.entry(key).or_default();
                    lot[0] += 1;
                    lot[1] += i64::from(result.is_sampled());
                }
            }
        }
        assert_eq!(slots.get("health"), None, "a reservoir of 0 lends nothing");
        assert!(slots.get("checkout").is_none_or(|slots| (1..=QUOTA).contains(slots)), "{slots:?}");
        assert_eq!(slots.get("Default"), Some(&1), "one borrowed each second, no quota was assigned");
    }
    // Until everything is told: two polls, should one of them fail.
    for second in 3600..3640 {
        rig.at(second);
    }
    let service = service.lock().unwrap();
    assert_eq!(service.told, made, "requests, sampled and borrowed, to the last one");
    let [requests, sampled, borrowed] =
        made.values().fold([0; 3], |sum, counts| std::array::from_fn(|i| sum[i] + counts[i]));
    let stats = rig.sampler.stats();
    assert_eq!(
        [stats.requests, stats.sampled, stats.borrowed].map(|count| count as i64),
        [requests, sampled, borrowed]
    );
    assert_eq!((requests, stats.lost), (360_000, 0));
    assert!(stats.reports_failed > 30, "{stats:?}");
    assert_eq!(lots["health"][1], 0);
    assert_share(lots["checkout before"][1], lots["checkout before"][0], 0.1);
    assert_share(lots["checkout after"][1], lots["checkout after"][0], 0.5);
    assert_share(lots["Default"][1], lots["Default"][0], 0.05);
    // One poll, or two if the first failed.
    assert!(changed_at.is_some_and(|second| second <= 1800 + 21), "{changed_at:?}");
}

#[test]
fn a_change_of_the_rules_takes_effect_within_one_poll() {
    let service = Arc::new(Mutex::new(Service {
        rules: vec![rule("Default", 10_000, "*", 0, 0.0)],
        modified: f64::from(START) - 1000.0,
        ..Service::default()
    }));
    let mut rig = served(&service);
    for second in 0..60 {
        rig.at(second);
        assert!(!rig.sample(second, "/checkout").is_sampled());
    }
    assert_eq!(service.lock().unwrap().fetches, 1, "unchanged rules are not fetched with every poll");
    {
        let mut service = service.lock().unwrap();
        service.rules.push(rule("checkout", 1, "/checkout", 0, 1.0));
        service.modified = f64::from(START) + 60.0;
    }
    for second in 60..71 {
        rig.at(second);
        let _ = rig.sample(second, "/");
    }
    assert!(rig.sample(71, "/checkout").is_sampled());
    for second in 71..290 {
        rig.at(second);
        let _ = rig.sample(second, "/");
    }
    assert_eq!(service.lock().unwrap().fetches, 2, "the same change is obeyed once");
}

#[test]
fn all_pages_of_the_rules_are_read() {
    let mut rig = Rig::new(|request| {
        let body: Value = serde_json::from_str(&request.body).unwrap();
        let (page, next) = match body.get("NextToken").and_then(Value::as_str) {
            None => (rule("Default", 10_000, "*", 0, 0.0), Some("two")),
            Some("two") => (rule("b", 2, "/b", 0, 1.0), Some("three")),
            Some(_) => (rule("a", 1, "/a", 0, 1.0), None),
        };
        Reply::Http(200, json!({"SamplingRuleRecords": [page], "NextToken": next}).to_string())
    });
    rig.at(0);
    let found = ["/a", "/b", "/c"].map(|path| rig.rule_of(&rig.sample(0, path)).unwrap());
    assert_eq!(found, ["a", "b", "Default"]);
}

#[test]
fn more_than_25_rules_are_reported_in_chunks_that_survive_failures() {
    let service = Arc::new(Mutex::new(Service {
        rules: (0..60).map(|i| rule(&format!("r{i:02}"), i + 1, &format!("/{i:02}"), 0, 0.0)).collect(),
        ..Service::default()
    }));
    let mut rig = {
        let service = Arc::clone(&service);
        Rig::new(move |request| {
            let mut service = service.lock().unwrap();
            service.calls += 1;
            // The first call is for the rules. Of the reports, the second and the fourth call fail.
            if matches!(service.calls, 3 | 5) {
                Reply::Http(403, String::new())
            } else {
                service.answer(request)
            }
        })
    };
    rig.at(0);
    for i in 0..60 {
        let _ = rig.sample(1, &format!("/{i:02}"));
    }
    for second in (11..80).step_by(11) {
        rig.at(second);
    }
    let service = service.lock().unwrap();
    assert_eq!(service.largest_report, 25);
    assert_eq!(service.told.len(), 60);
    assert!(service.told.values().all(|counts| *counts == [1, 0, 0]), "each once: {:?}", service.told);
    assert_eq!(rig.sampler.stats().reports_failed, 2);
}

#[test]
fn what_the_service_did_not_process_is_told_again_and_unknown_rules_are_asked_about() {
    let fetches = Arc::new(Mutex::new(0));
    let told = Arc::new(Mutex::new(Vec::new()));
    let mut rig = {
        let (fetches, told) = (Arc::clone(&fetches), Arc::clone(&told));
        Rig::new(move |request| {
            if request.path == "/GetSamplingRules" {
                *fetches.lock().unwrap() += 1;
                return rules(&[rule("a", 1, "*", 0, 0.0)]);
            }
            let body: Value = serde_json::from_str(&request.body).unwrap();
            let mut told = told.lock().unwrap();
            told.push(body["SamplingStatisticsDocuments"][0]["RequestCount"].as_i64().unwrap());
            let unprocessed = match told.len() {
                1 => json!([{"RuleName": "a", "ErrorCode": "500", "Message": "busy"}]),
                2 => json!([{"RuleName": "a", "ErrorCode": "404", "Message": "no such rule"}]),
                _ => json!([]),
            };
            let answer = json!({"SamplingTargetDocuments": [], "LastRuleModification": 1.0,
                                "UnprocessedStatistics": unprocessed});
            Reply::Http(200, answer.to_string())
        })
    };
    rig.at(0);
    for (second, expected_fetches) in [(11, 1), (22, 2), (33, 2)] {
        let _ = rig.sample(second, "/");
        rig.at(second);
        assert_eq!(*fetches.lock().unwrap(), expected_fetches, "{second}");
    }
    assert_eq!(*told.lock().unwrap(), [1, 2, 3]);
}

#[test]
fn rules_expire_after_an_hour_without_news_and_the_fallback_takes_over() {
    let failing = Arc::new(Mutex::new(false));
    let mut rig = {
        let failing = Arc::clone(&failing);
        let rules = vec![rule("Default", 10_000, "*", 0, 1.0)];
        let service = Mutex::new(Service { rules, ..Service::default() });
        Rig::new(move |request| match *failing.lock().unwrap() {
            true => Reply::Http(502, String::new()),
            false => service.lock().unwrap().answer(request),
        })
    };
    rig.at(0);
    *failing.lock().unwrap() = true;
    let (mut central, mut local) = (0, 0);
    for second in (0..=3700).step_by(5) {
        rig.at(second);
        match rig.sample(second, "/").central() {
            Some(_) => central = second,
            None => local = second,
        }
    }
    assert_eq!((central, local), (3600, 3700));
    *failing.lock().unwrap() = false;
    for second in 3700..4020 {
        rig.at(second);
    }
    assert!(rig.sample(4020, "/").is_sampled(), "rules are back");
    assert_eq!(rig.sampler.problem(), None);
}

#[test]
fn bad_servers_leave_decisions_to_the_fallback() {
    let html = "<html><body>404 page not found</body></html>".to_owned();
    let whole = |body: &str| Reply::Http(200, body.to_owned());
    for (reply, said) in [
        (Reply::Http(403, r#"{"Message":"not authorized to perform: xray:GetSamplingRules"}"#.into()), "403"),
        (Reply::Http(404, html.clone()), "404"),
        (Reply::Http(502, String::new()), "502"),
        (Reply::Http(301, String::new()), "301"),
        (whole(&html), "not JSON"),
        (whole("[]"), "not an object"),
        (whole(r#"{"Message":"?"}"#), "no rules"),
        (whole(r#"{"SamplingRuleRecords":[],"NextToken":"again"}"#), "more than 100 pages"),
        (whole(&"x".repeat(2 << 20)), "limit"),
        (Reply::Raw(b"\0\x01garbage\r\n\r\n".to_vec()), ""),
        (Reply::HangUp, ""),
        (Reply::Trickle("{".repeat(100)), "timeout"),
        (Reply::Never, "timeout"),
    ] {
        let name = format!("{reply:.60?}");
        let mut rig = Rig::new(move |_| reply.clone());
        rig.poller.all_pages = Duration::from_secs(600);
        rig.at(0);
        assert!(rig.sample(0, "/local").is_sampled(), "{name}");
        assert!(!rig.sample(0, "/").is_sampled(), "{name}");
        let problem = rig.sampler.problem().unwrap_or_default();
        assert!(problem.contains(said) && problem.contains("/GetSamplingRules"), "{name}: {problem}");
        assert!(rig.next >= Duration::from_secs(10), "{name}: it is asked again, but not at once");
    }
}

#[test]
fn all_pages_together_have_a_deadline_a_bound_and_an_end_when_the_sampler_stops() {
    let endless = r#"{"SamplingRuleRecords":[],"NextToken":"again"}"#;
    let mut rig = Rig::new(move |_| Reply::Http(200, endless.to_owned()));
    rig.poller.all_pages = Duration::ZERO;
    rig.at(0);
    let problem = rig.sampler.problem().unwrap_or_default();
    assert!(problem.contains("took longer than"), "{problem}");

    let mut rig = Rig::new(move |_| Reply::Http(200, endless.to_owned()));
    rig.sampler.shared().stopping.store(true, Relaxed);
    rig.at(0);
    let problem = rig.sampler.problem().unwrap_or_default();
    assert!(problem.contains("was stopped"), "{problem}");

    let rules: Vec<_> = (0..2_001).map(|i| rule(&format!("rule {i}"), i, "*", 0, 1.0)).collect();
    let service = Service { rules, ..Service::default() };
    let service = Arc::new(Mutex::new(service));
    let mut rig = Rig::new(move |request| service.lock().unwrap().answer(request));
    rig.at(0);
    let problem = rig.sampler.problem().unwrap_or_default();
    assert!(problem.contains("more than 2000 rules") || problem.contains("limit"), "{problem}");
}

#[test]
fn a_report_that_is_refused_for_good_is_a_problem_although_rules_arrive() {
    let service = Arc::new(Mutex::new(Service {
        rules: vec![rule("Default", 10_000, "*", 0, 1.0)],
        ..Service::default()
    }));
    let mut rig = Rig::new(move |request| match request.path.contains("SamplingTargets") {
        true => {
            Reply::Http(403, r#"{"Message":"not authorized to perform: xray:GetSamplingTargets"}"#.into())
        }
        false => service.lock().unwrap().answer(request),
    });
    rig.at(0);
    assert_eq!(rig.sampler.problem(), None);
    let _ = rig.sample(1, "/");
    rig.at(20);
    let problem = rig.sampler.problem().unwrap_or_default();
    assert!(problem.contains("sampling targets") && problem.contains("403"), "{problem}");
}

#[test]
fn a_server_that_turns_bad_leaves_the_rules_in_place_and_the_statistics_whole() {
    for reply in [Reply::Http(403, String::new()), Reply::Http(200, "<html>".into()), Reply::HangUp] {
        let service = Arc::new(Mutex::new(Service {
            rules: vec![rule("Default", 10_000, "*", 0, 1.0)],
            ..Service::default()
        }));
        let bad = Arc::new(Mutex::new(false));
        let mut rig = {
            let (service, bad) = (Arc::clone(&service), Arc::clone(&bad));
            Rig::new(move |request| match *bad.lock().unwrap() {
                true => reply.clone(),
                false => service.lock().unwrap().answer(request),
            })
        };
        rig.at(0);
        *bad.lock().unwrap() = true;
        for second in 0..100 {
            rig.at(second);
            assert!(rig.sample(second, "/").is_sampled());
        }
        *bad.lock().unwrap() = false;
        for second in 100..112 {
            rig.at(second);
        }
        assert_eq!(service.lock().unwrap().told["Default"], [100, 100, 0]);
    }
}

#[test]
fn a_boost_is_asked_for_and_obeyed_for_its_time() {
    let mut boosted = rule("Boosted", 1, "*", 0, 0.0);
    boosted["SamplingRule"]["SamplingRateBoost"] = json!({"MaxRate": 0.5, "CooldownWindowMinutes": 1});
    let target = json!({"RuleName": "Boosted", "FixedRate": 0.0,
                        "SamplingBoost": {"BoostRate": 0.9, "BoostRateTTL": START + 30}});
    let service = Arc::new(Mutex::new(Service {
        rules: vec![boosted],
        targets: BTreeMap::from([("Boosted".to_owned(), target)]),
        ..Service::default()
    }));
    let mut rig = served(&service);
    rig.at(0);
    for anomaly in [true, false, true] {
        let result = rig.sample(1, "/");
        assert!(result.is_watched() && !result.is_sampled());
        rig.sampler.observe(&result, anomaly);
    }
    rig.at(11);
    {
        let service = service.lock().unwrap();
        let [told] = &service.boosts[..] else { panic!("{:?}", service.boosts) };
        let counts =
            ["TotalCount", "AnomalyCount", "SampledAnomalyCount"].map(|member| told[member].as_i64());
        assert_eq!(counts, [3, 2, 0].map(Some));
        assert_eq!(told["ServiceName"], "shop");
    }
    let sampled = |second| (0..10_000).filter(|_| rig.sample(second, "/").is_sampled()).count();
    assert_share(sampled(30) as i64, 10_000, 0.5);
    assert_eq!(sampled(31), 0);
}

#[test]
fn a_late_header_takes_its_decision_out_of_the_statistics() {
    let service = Arc::new(Mutex::new(Service {
        rules: vec![rule("Default", 10_000, "*", 1, 0.0)],
        ..Service::default()
    }));
    let mut rig = served(&service);
    rig.at(0);
    let result = rig.sample(1, "/");
    assert!(result.is_sampled());
    rig.sampler.give_back(&result);
    assert!(rig.sample(1, "/").is_sampled(), "the borrowed slot came back");
    rig.at(11);
    assert_eq!(service.lock().unwrap().told["Default"], [1, 1, 1]);
}

#[test]
fn deleted_rules_are_forgotten_and_what_they_counted_is_counted_as_lost() {
    let service = Arc::new(Mutex::new(Service {
        rules: vec![rule("old", 1, "/old", 0, 0.0), rule("Default", 10_000, "*", 0, 0.0)],
        ..Service::default()
    }));
    let mut rig = served(&service);
    rig.at(0);
    service.lock().unwrap().rules.remove(0);
    rig.at(300);
    let _ = rig.sample(300, "/old");
    rig.at(306);
    assert_eq!(rig.rule_of(&rig.sample(306, "/old")).unwrap(), "Default");
    assert_eq!(rig.sampler.stats().lost, 1);
}

#[test]
fn a_flush_and_the_end_hand_in_what_is_not_due() {
    let service = Arc::new(Mutex::new(Service {
        rules: vec![rule("Default", 10_000, "*", 0, 1.0)],
        ..Service::default()
    }));
    let server = Server::start(answering(&service));
    let sampler = CentralSampler::with_fallback(Never);
    let long = Duration::from_secs(10);
    assert!(sampler.flush(long), "nobody to tell");
    sampler.start(&DaemonAddress::from(server.address()), "shop");
    wait_until(|| sampler.stats().rules_fetched == 1);
    let decide = |times: usize| (0..times).for_each(|_| drop(sampler.sample(&SamplingRequest::new("shop"))));
    let told = || service.lock().unwrap().told.get("Default").copied();
    decide(3);
    assert_eq!(told(), None);
    assert!(sampler.flush(long));
    assert_eq!(told(), Some([3, 3, 0]));
    assert!(sampler.flush(long), "nothing is left to tell");
    assert_eq!(told(), Some([3, 3, 0]));
    decide(2);
    sampler.stop();
    wait_until(|| told() == Some([5, 5, 0]));
}

#[test]
fn a_flush_does_not_wait_for_a_server_longer_than_it_may() {
    let rules_only = |request: &Request| match request.path.as_str() {
        "/GetSamplingRules" => rules(&[rule("Default", 10_000, "*", 0, 1.0)]),
        _ => Reply::Never,
    };
    let server = Server::start(rules_only);
    let sampler = CentralSampler::new();
    sampler.start(&DaemonAddress::from(server.address()), "shop");
    wait_until(|| sampler.stats().rules_fetched == 1);
    let _ = sampler.sample(&SamplingRequest::new("shop"));
    let asked = Instant::now();
    assert!(!sampler.flush(Duration::from_millis(20)));
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
}

/// With a real clock: the thread is there when it should be, and at no other time.
#[test]
fn the_thread_starts_when_told_and_ends_with_its_last_user() {
    let service = Arc::new(Mutex::new(Service {
        rules: vec![rule("Default", 10_000, "*", 0, 1.0)],
        ..Service::default()
    }));
    let server = Server::start(answering(&service));
    let sampler = CentralSampler::new();
    let shared = Arc::downgrade(sampler.shared());
    assert_eq!(shared.strong_count(), 1, "no thread before it is asked for");
    let address = DaemonAddress::from(server.address());
    sampler.start(&address, "shop");
    sampler.start(&address, "shop");
    wait_until(|| sampler.stats().rules_fetched == 1);
    assert_eq!(
        sampler.sample(&SamplingRequest::new("shop")).central().map(|central| central.borrowed),
        Some(false)
    );
    sampler.stop();
    assert_eq!(shared.strong_count(), 2, "somebody still uses it");
    sampler.stop();
    wait_until(|| shared.strong_count() == 1);
    sampler.start(&address, "shop");
    assert_eq!(shared.strong_count(), 2, "it starts again");
    drop(sampler);
    wait_until(|| shared.strong_count() == 0);
}

#[track_caller]
fn wait_until(mut what: impl FnMut() -> bool) {
    let started = Instant::now();
    while !what() {
        assert!(started.elapsed() < Duration::from_secs(10), "it does not happen");
        std::thread::sleep(Duration::from_millis(5));
    }
}
