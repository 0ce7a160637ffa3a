//! The whole of central sampling against servers on the loopback interface, with time as an argument: an hour
//! takes as long as its requests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

mod failures;
mod service;

use self::service::{Rig, START, Service, Totals, answering, assert_share, rule, rules, served};
use super::CentralSampler;
use crate::daemon::DaemonAddress;
use crate::sampling::{Never, Sampler, SamplingRequest};
use crate::testing::server::{Reply, Request, Server};

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
