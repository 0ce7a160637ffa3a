//! The SDK's central sampler against the daemon's door.
//!
//! Rules, statistics and quotas go over real sockets, with two samplers that share one reservoir.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use xray_sdk::sampling::{CentralSampler, Never, Sampler, SamplingRequest};

use crate::server::Running;

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what} does not happen");
        std::thread::yield_now();
    }
}

#[test]
fn the_central_sampler_follows_the_rules_and_shares_a_reservoir() {
    let server = Running::start();
    server.call(
        "/CreateSamplingRule",
        &json!({"SamplingRule": {
            "RuleName": "items", "ResourceARN": "*", "Priority": 1, "FixedRate": 0.0, "ReservoirSize": 4,
            "ServiceName": "shop", "ServiceType": "*", "Host": "*", "HTTPMethod": "GET", "URLPath": "/items/*",
            "Version": 1
        }}),
    );
    let daemon = server.daemon_address().parse().unwrap();
    let samplers = [CentralSampler::with_fallback(Never), CentralSampler::with_fallback(Never)];
    for sampler in &samplers {
        sampler.start(&daemon, "shop");
    }
    let items = || SamplingRequest::new("shop").with_method("GET").with_path("/items/7");
    let sampled = |sampler: &CentralSampler, second: u32| {
        (0..50).filter(|_| sampler.sample(&items().with_epoch_seconds(second)).is_sampled()).count()
    };
    let seconds = || u32::try_from(xray_local::model::now().epoch_second()).unwrap();
    for sampler in &samplers {
        until("fetching the rules", || sampler.stats().rules_fetched > 0);
        // Without a quota a client borrows one each second.
        assert_eq!(sampled(sampler, seconds()), 1);
        // The default rule keeps everything here.
        assert!(sampler.sample(&SamplingRequest::new("other").with_epoch_seconds(seconds())).is_sampled());
    }
    for round in 0..3 {
        for sampler in &samplers {
            let _ = sampled(sampler, seconds() + round);
            assert!(sampler.flush(Duration::from_secs(60)), "{:?}", sampler.problem());
        }
    }
    let shares: Vec<usize> = samplers.iter().map(|sampler| sampled(sampler, seconds() + 10)).collect();
    assert_eq!(shares, [2, 2]);
    let (requests, borrowed) = samplers
        .iter()
        .map(CentralSampler::stats)
        .fold((0, 0), |sums, stats| (sums.0 + stats.requests, sums.1 + stats.borrowed));
    let summaries = server.call("/SamplingStatisticSummaries", &json!({}));
    let sum = |name: &str| -> u64 {
        let all = summaries["SamplingStatisticSummaries"].as_array().unwrap();
        all.iter().filter_map(|one| one[name].as_u64()).sum()
    };
    assert!(requests >= 402, "two samplers, four times 50 for the rule, one for the default rule");
    assert_eq!((sum("RequestCount"), sum("BorrowCount")), (requests, borrowed));
    for sampler in &samplers {
        sampler.stop();
    }
    let rules = server.call("/GetSamplingRules", &json!({}));
    assert_eq!(rules["SamplingRuleRecords"].as_array().map(Vec::len), Some(2));
    assert_eq!(rules.get("NextToken"), None::<&Value>);
}
