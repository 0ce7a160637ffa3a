//! Where the process runs, in the documents of a layer: after it is known, and before.

use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tracing::info_span;
use xray_sdk::origin::Plugins;
use xray_sdk::sampling::{Sampler, SamplingRequest, SamplingResult};

use super::Rig;
use super::server::{Reply, Server};

const IDENTITY: &str = r#"{"instanceId":"i-7","availabilityZone":"eu-west-1a"}"#;

/// Notes the service type that it is asked with.
#[derive(Clone, Default)]
struct Types(Arc<Mutex<Vec<Option<String>>>>);

impl Sampler for Types {
    fn sample(&self, request: &SamplingRequest<'_>) -> SamplingResult {
        self.0.lock().unwrap().push(request.service_type().map(str::to_owned));
        SamplingResult::sampled()
    }
}

fn plugins(endpoint: impl ToString) -> Plugins {
    let nowhere = std::env::temp_dir().join("xray-no-such-folder");
    Plugins::new().with_root(nowhere).with_variables([("IMDS_ENDPOINT", endpoint.to_string())])
}

#[test]
fn segments_say_where_they_run_and_those_before_are_neither_held_back_nor_lost() {
    let (go, wait) = mpsc::channel::<()>();
    let (asked, was_asked) = mpsc::channel();
    let server = Server::start(move |request| {
        if request.path == "/v4" {
            let _ = asked.send(());
            // Within the second that is granted.
            let _ = wait.recv_timeout(Duration::from_millis(900));
        }
        Reply::Http(200, r#"{"DockerId":"c-7"}"#.to_owned())
    });
    let plugins = plugins("127.0.0.1:1").with_variables([
        ("IMDS_ENDPOINT", "127.0.0.1:1".to_owned()),
        ("ECS_CONTAINER_METADATA_URI_V4", format!("http://{}/v4", server.address())),
    ]);
    let types = Types::default();
    let rig = Rig::new(|builder| builder.plugins(plugins).sampler(types.clone()));
    was_asked.recv_timeout(Duration::from_secs(10)).unwrap();
    rig.run(|| drop(info_span!("early")));
    let early = rig.sent();
    assert_eq!(early.len(), 1, "sent at once");
    assert_eq!(early[0].get("origin"), None);
    go.send(()).unwrap();
    let started = Instant::now();
    let late = loop {
        rig.run(|| drop(info_span!("late")));
        let sent = rig.sent().remove(0);
        if sent.get("origin").is_some() {
            break sent;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "nothing was found");
        std::thread::sleep(Duration::from_millis(1));
    };
    assert_eq!(late["origin"], "AWS::ECS::Container");
    assert_eq!(late["aws"]["ecs"]["container_id"], "c-7");
    assert_eq!(late["aws"]["xray"]["sdk"], "X-Ray for Rust");
    rig.run(|| drop(info_span!("last")));
    let types = types.0.lock().unwrap();
    assert_eq!(types.first(), Some(&None));
    assert_eq!(types.last().unwrap().as_deref(), Some("AWS::ECS::Container"), "rules may ask for it");
    let stats = rig.handle.stats();
    assert_eq!(stats.closed, stats.emitted);
}

#[test]
fn log_groups_of_a_span_go_before_those_of_the_process() {
    let plugins =
        plugins("127.0.0.1:1").with_variables([("IMDS_ENDPOINT", "127.0.0.1:1"), ("AWS_LOG_GROUP", "/shop")]);
    let rig = Rig::new(|builder| builder.plugins(plugins));
    let started = Instant::now();
    loop {
        rig.run(|| drop(info_span!("root")));
        if rig.sent()[0]["aws"]["cloudwatch_logs"] == serde_json::json!([{"log_group": "/shop"}]) {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "no log group");
        std::thread::sleep(Duration::from_millis(1));
    }
    rig.run(|| drop(info_span!("root", aws.log.group.names = "/own")));
    assert_eq!(rig.sent()[0]["aws"]["cloudwatch_logs"], serde_json::json!([{"log_group": "/own"}]));
}

#[test]
fn nobody_is_asked_in_lambda_by_a_layer_that_is_off_or_without_being_told_to() {
    let (asked, was_asked) = mpsc::channel();
    let server = Server::start(move |_| {
        let _ = asked.send(());
        Reply::Http(200, IDENTITY.to_owned())
    });
    let address = server.address();
    let rigs = [
        Rig::new(|builder| builder.plugins(plugins(address)).lambda(|| None)),
        Rig::new(|builder| builder.plugins(plugins(address)).enabled(false)),
        Rig::new(|builder| builder),
    ];
    for rig in &rigs {
        rig.run(|| drop(info_span!("root")));
    }
    assert!(was_asked.recv_timeout(Duration::from_millis(200)).is_err());
}
