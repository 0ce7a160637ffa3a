//! Servers that fail, refuse, hang or forget: decisions go on, and no count is lost unseen.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::service::{Rig, Service, rule, rules};
use crate::sampling::Sampler;
use crate::testing::server::Reply;

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
fn rules_that_cannot_be_fetched_are_asked_for_ever_more_rarely_and_each_failure_is_counted() {
    let asked = Arc::new(Mutex::new(0_u64));
    let mut rig = {
        let asked = Arc::clone(&asked);
        Rig::new(move |_| {
            *asked.lock().unwrap() += 1;
            Reply::Http(502, String::new())
        })
    };
    let (mut seconds, mut before) = (Vec::new(), 0);
    for second in 0..1_300 {
        rig.at(second);
        let now = *asked.lock().unwrap();
        if now > before {
            seconds.push(second);
            before = now;
        }
    }
    assert_eq!(rig.sampler.stats().rules_failed, before);
    let pauses: Vec<_> = seconds.windows(2).map(|two| two[1] - two[0]).collect();
    // With a tenth of jitter, on whole seconds.
    for (pause, least) in pauses.iter().zip([10, 20, 40, 80, 160, 300, 300]) {
        assert!((least..=least + least / 10 + 1).contains(pause), "{pauses:?}");
    }
    assert!(pauses.len() >= 6, "{pauses:?}");
}
