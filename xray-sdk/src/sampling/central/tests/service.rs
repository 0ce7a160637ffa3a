//! The service on the loopback interface, and a sampler with its poller, whose time is an argument.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::super::CentralSampler;
use super::super::poller::{Now, Poller};
use crate::daemon::DaemonAddress;
use crate::sampling::{LocalRule, LocalRules, Sampler, SamplingRequest, SamplingResult};
use crate::testing::server::{Reply, Request, Server};

pub(super) const START: u32 = 1_700_000_000;

/// Sampler, poller and server, and what time it is.
pub(super) struct Rig {
    pub(super) sampler: CentralSampler,
    pub(super) poller: Poller,
    pub(super) next: Duration,
    pub(super) _server: Server,
}

impl Rig {
    pub(super) fn new(answer: impl FnMut(&Request) -> Reply + Send + 'static) -> Self {
        // Nothing but the path of the rule that the server doesn't know either.
        let never = LocalRules::new([LocalRule::new(0, 1.0).path("/local")], LocalRule::new(0, 0.0)).unwrap();
        let sampler = CentralSampler::with_fallback(never);
        let server = Server::start(answer);
        let poller =
            Poller::new(Arc::clone(sampler.shared()), &DaemonAddress::from(server.address()), "shop");
        Self { sampler, poller, next: Duration::ZERO, _server: server }
    }

    /// Does what is due when so many milliseconds have passed.
    pub(super) fn at_millis(&mut self, millis: u64) {
        let since_start = Duration::from_millis(millis);
        if since_start >= self.next {
            let since_epoch = Duration::from_secs(START.into()) + since_start;
            self.next = self.poller.tick(Now { since_start, since_epoch });
        }
    }

    pub(super) fn at(&mut self, second: u32) {
        self.at_millis(u64::from(second) * 1000);
    }

    /// The name of the central rule that decided.
    pub(super) fn rule_of(&self, result: &SamplingResult) -> Option<String> {
        let rules = self.sampler.shared().rules.load_full()?;
        Some(rules.by_number(result.central()?.rule)?.spec.name.to_string())
    }

    pub(super) fn sample(&self, second: u32, path: &str) -> SamplingResult {
        let request = SamplingRequest::new("shop").with_path(path).with_epoch_seconds(START + second);
        self.sampler.sample(&request)
    }
}

pub(super) fn rule(name: &str, priority: u32, path: &str, reservoir: u32, rate: f64) -> Value {
    json!({"SamplingRule": {
        "RuleName": name, "ResourceARN": "*", "Priority": priority, "FixedRate": rate,
        "ReservoirSize": reservoir, "ServiceName": "*", "ServiceType": "*", "Host": "*", "HTTPMethod": "*",
        "URLPath": path, "Version": 1, "Attributes": {}
    }, "CreatedAt": 0.0, "ModifiedAt": 0.0})
}

pub(super) fn rules(rules: &[Value]) -> Reply {
    Reply::Http(200, json!({"SamplingRuleRecords": rules, "NextToken": null}).to_string())
}

/// Requests, sampled, borrowed.
pub(super) type Totals = BTreeMap<String, [i64; 3]>;

/// The service: its rules, and what it was told.
#[derive(Default)]
pub(super) struct Service {
    pub(super) rules: Vec<Value>,
    pub(super) modified: f64,
    pub(super) told: Totals,
    pub(super) boosts: Vec<Value>,
    pub(super) calls: u32,
    pub(super) fetches: u32,
    pub(super) largest_report: usize,
    pub(super) targets: BTreeMap<String, Value>,
}

impl Service {
    pub(super) fn answer(&mut self, request: &Request) -> Reply {
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

pub(super) fn answering(service: &Arc<Mutex<Service>>) -> impl FnMut(&Request) -> Reply + Send + use<> {
    let service = Arc::clone(service);
    move |request| service.lock().unwrap().answer(request)
}

pub(super) fn served(service: &Arc<Mutex<Service>>) -> Rig {
    Rig::new(answering(service))
}

/// Five standard deviations of a binomial distribution.
pub(super) fn assert_share(drawn: i64, of: i64, rate: f64) {
    let (mean, bound) = (of as f64 * rate, 5.0 * (of as f64 * rate * (1.0 - rate)).sqrt());
    assert!((drawn as f64 - mean).abs() <= bound, "{drawn} of {of} at {rate}");
}
