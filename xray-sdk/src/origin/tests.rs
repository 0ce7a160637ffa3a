//! Every place, emulated: endpoints on the loopback interface, files below a folder of the test's own.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Plugins;
use crate::document::internal::{Body, Buffer, Children, Frame, Kind, Preamble};
use crate::id::{SegmentId, TraceId};
use crate::testing::server::{Reply, Request, Server};

const CONTAINER: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// What an endpoint that isn't there may cost, 20 ms for the machine included.
const ABSENT: Duration = Duration::from_millis(80);

/// A folder that stands for `/`, and is gone after the test.
struct Root(PathBuf);

impl Root {
    fn new(files: &[(&str, &str)]) -> Self {
        let root = std::env::temp_dir().join(format!("xray-origin-{}", SegmentId::random()));
        fs::create_dir_all(&root).unwrap();
        for (path, text) in files {
            let path = root.join(path.trim_start_matches('/'));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self(root)
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// No place at all: nobody listens at the metadata service's address.
fn nowhere() -> Vec<(String, String)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    vec![
        ("IMDS_ENDPOINT".to_owned(), format!("127.0.0.1:{port}")),
        ("HOSTNAME".to_owned(), "host-7".to_owned()),
    ]
}

fn with(variables: &[(&str, String)]) -> Vec<(String, String)> {
    let given = variables.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
    let others = nowhere().into_iter().filter(|(key, _)| !variables.iter().any(|(given, _)| given == key));
    given.chain(others).collect()
}

/// A segment's document as it leaves this place, checked.
fn document(root: &Root, variables: Vec<(String, String)>) -> Value {
    let detected = Plugins::new().with_root(root.path()).with_variables(variables).detect();
    let preamble = detected.apply(Preamble::default());
    let mut out = Buffer::new();
    let frame = Frame {
        kind: Kind::Segment {
            trace_id: TraceId::new(),
            parent_id: None,
            preamble: &preamble,
            rule: Some("checkout"),
            operation: None,
            opening: None,
        },
        id: SegmentId::random(),
        name: "shop",
        start: 1_700_000_000_000_000,
        end: Some(1_700_000_000_000_001),
        body: &Body::new(),
        children: &Children::new(),
    };
    frame.put(&mut out);
    #[cfg(feature = "local")]
    assert_eq!(crate::local::check(out.as_bytes()), []);
    serde_json::from_slice(out.as_bytes()).unwrap()
}

/// `aws` without what is there in any case.
fn aws(document: &Value) -> Value {
    let mut aws = document["aws"].clone();
    aws.as_object_mut().unwrap().remove("xray");
    aws
}

fn identity() -> String {
    json!({"instanceId": "i-0123456789abcdef0", "availabilityZone": "eu-west-1a", "instanceType": "m7g.large",
           "imageId": "ami-0abc", "region": "eu-west-1", "accountId": "123456789012"})
    .to_string()
}

/// The metadata service; `tokens` is whether it knows version 2.
fn imds(tokens: bool) -> (Server, Arc<Mutex<Vec<Request>>>) {
    let seen = Arc::<Mutex<Vec<Request>>>::default();
    let log = Arc::clone(&seen);
    let server = Server::start(move |request| {
        log.lock().unwrap().push(request.clone());
        let has_token = request.header("x-aws-ec2-metadata-token") == Some("secret");
        match (request.method.as_str(), request.path.as_str()) {
            ("PUT", "/latest/api/token") if tokens => Reply::Http(200, "secret".to_owned()),
            ("GET", "/latest/dynamic/instance-identity/document") if has_token || !tokens => {
                Reply::Http(200, identity())
            }
            ("GET", "/latest/meta-data/tags/instance/eks:cluster-name") if has_token || !tokens => {
                Reply::Http(200, "green".to_owned())
            }
            ("GET", _) => Reply::Http(401, String::new()),
            _ => Reply::Http(404, "<html>".to_owned()),
        }
    });
    (server, seen)
}

#[test]
fn ec2_is_told_by_its_metadata_service_of_either_version() {
    let agent = json!({"version": "1", "log_configs": [
        {"log_group_name": "/shop/web"}, {"log_group_name": "/shop/web"}, {"log_group_name": "/shop/jobs"}]});
    let root = Root::new(&[("/opt/aws/amazon-cloudwatch-agent/etc/log-config.json", &agent.to_string())]);
    for (tokens, url) in [(true, false), (false, false), (true, true)] {
        let (server, seen) = imds(tokens);
        let address = server.address();
        let variable = match url {
            true => ("AWS_EC2_METADATA_SERVICE_ENDPOINT", format!("http://{address}/")),
            false => ("IMDS_ENDPOINT", address.to_string()),
        };
        let mut variables = with(&[variable]);
        variables.retain(|(key, _)| !url || key != "IMDS_ENDPOINT");
        let document = document(&root, variables);
        assert_eq!(document["origin"], "AWS::EC2::Instance");
        assert_eq!(
            aws(&document),
            json!({"ec2": {"instance_id": "i-0123456789abcdef0", "availability_zone": "eu-west-1a",
                           "instance_size": "m7g.large", "ami_id": "ami-0abc"},
                   "cloudwatch_logs": [{"log_group": "/shop/web"}, {"log_group": "/shop/jobs"}]})
        );
        assert_eq!(document["aws"]["xray"]["sampling_rule_name"], "checkout");
        let seen = seen.lock().unwrap();
        assert_eq!(seen.len(), 2);
        assert_eq!(seen[0].header("x-aws-ec2-metadata-token-ttl-seconds"), Some("60"));
    }
}

fn ecs(v4: bool) -> Server {
    Server::start(move |request| {
        let prefix = if v4 { "/v4/abc" } else { "/v3/abc" };
        let arn = "arn:aws:ecs:eu-west-1:123456789012:container/shop/7";
        match request.path.strip_prefix(prefix) {
            Some("") => Reply::Http(
                200,
                json!({"DockerId": CONTAINER, "ContainerARN": arn,
                       "LogOptions": {"awslogs-group": "/ecs/shop", "awslogs-region": "eu-central-1"}})
                .to_string(),
            ),
            Some("/task") => Reply::Http(
                200,
                json!({"Cluster": "arn:aws:ecs:eu-west-1:123456789012:cluster/shop",
                       "TaskARN": "arn:aws:ecs:eu-west-1:123456789012:task/shop/9", "Family": "shop-web",
                       "LaunchType": "FARGATE", "AvailabilityZone": "eu-west-1b"})
                .to_string(),
            ),
            _ => Reply::Http(404, String::new()),
        }
    })
}

#[test]
fn ecs_is_told_by_its_task_metadata_of_either_version() {
    let root = Root::new(&[]);
    for (v4, variable) in [(true, "ECS_CONTAINER_METADATA_URI_V4"), (false, "ECS_CONTAINER_METADATA_URI")] {
        let server = ecs(v4);
        let version = if v4 { "v4" } else { "v3" };
        let url = format!("http://{}/{version}/abc", server.address());
        let document = document(&root, with(&[(variable, url)]));
        assert_eq!(document["origin"], "AWS::ECS::Container");
        assert_eq!(
            aws(&document),
            json!({"ecs": {"container": "host-7", "container_id": CONTAINER,
                           "container_arn": "arn:aws:ecs:eu-west-1:123456789012:container/shop/7",
                           "cluster_arn": "arn:aws:ecs:eu-west-1:123456789012:cluster/shop",
                           "task_arn": "arn:aws:ecs:eu-west-1:123456789012:task/shop/9",
                           "task_family": "shop-web", "launch_type": "fargate",
                           "availability_zone": "eu-west-1b"},
                   "cloudwatch_logs": [{"log_group": "/ecs/shop",
                       "arn": "arn:aws:logs:eu-central-1:123456789012:log-group:/ecs/shop"}]})
        );
    }
}

#[test]
fn eks_is_told_by_its_service_account() {
    let group = format!("0::/kubepods.slice/cri-containerd-{CONTAINER}.scope\n");
    let root = Root::new(&[
        ("/var/run/secrets/kubernetes.io/serviceaccount/token", "t"),
        ("/proc/self/cgroup", &group),
    ]);
    for variable in [
        ("EKS_CLUSTER_NAME", "blue".to_owned()),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=shop, k8s.cluster.name=blue".to_owned()),
    ] {
        let document = document(&root, with(&[variable]));
        assert_eq!(document["origin"], "AWS::EKS::Container");
        assert_eq!(
            aws(&document),
            json!({"eks": {"pod": "host-7", "cluster_name": "blue", "container_id": CONTAINER},
                   "cloudwatch_logs": [{"log_group": "/aws/containerinsights/blue/application"}]})
        );
    }
    let unnamed = document(&root, with(&[]));
    assert_eq!(aws(&unnamed), json!({"eks": {"pod": "host-7", "container_id": CONTAINER}}));
    let (imds, _seen) = imds(true);
    let tagged = document(&root, with(&[("IMDS_ENDPOINT", imds.address().to_string())]));
    assert_eq!(tagged["origin"], "AWS::EKS::Container");
    assert_eq!(tagged["aws"]["eks"]["cluster_name"], "green");
}

#[test]
fn beanstalk_is_told_by_its_file() {
    for (id, number) in [("32", json!(32)), ("\"32\"", json!(32)), ("\"x\"", Value::Null)] {
        let conf =
            format!(r#"{{"environment_name":"shop-prod","version_label":"app-7","deployment_id":{id}}}"#);
        let root = Root::new(&[("/var/elasticbeanstalk/xray/environment.conf", &conf)]);
        let document = document(&root, with(&[("AWS_LOG_GROUP", "/shop".to_owned())]));
        assert_eq!(document["origin"], "AWS::ElasticBeanstalk::Environment");
        let block = &document["aws"]["elastic_beanstalk"];
        assert_eq!(
            (&block["environment_name"], &block["version_label"]),
            (&json!("shop-prod"), &json!("app-7"))
        );
        assert_eq!(block["deployment_id"], number);
        assert_eq!(document["aws"]["cloudwatch_logs"], json!([{"log_group": "/shop"}]));
    }
}

#[test]
fn the_most_specific_place_names_the_origin_and_all_add_their_blocks() {
    let (imds, _seen) = imds(true);
    let ecs = ecs(true);
    let variables = || {
        with(&[
            ("IMDS_ENDPOINT", imds.address().to_string()),
            ("ECS_CONTAINER_METADATA_URI_V4", format!("http://{}/v4/abc", ecs.address())),
        ])
    };
    let token = ("/var/run/secrets/kubernetes.io/serviceaccount/token", "t");
    let beanstalk = ("/var/elasticbeanstalk/xray/environment.conf", r#"{"environment_name":"shop"}"#);
    for (files, origin, blocks) in [
        (&[][..], "AWS::ECS::Container", &["cloudwatch_logs", "ec2", "ecs"][..]),
        (&[token], "AWS::EKS::Container", &["cloudwatch_logs", "ec2", "ecs", "eks"]),
        (
            &[token, beanstalk],
            "AWS::ElasticBeanstalk::Environment",
            &["cloudwatch_logs", "ec2", "ecs", "eks", "elastic_beanstalk"],
        ),
    ] {
        let document = document(&Root::new(files), variables());
        assert_eq!(document["origin"], origin);
        let found: Vec<_> = aws(&document).as_object().unwrap().keys().cloned().collect();
        assert_eq!(found, blocks);
    }
}

#[test]
fn lambda_is_told_by_its_variables_and_nobody_is_asked() {
    let (imds, seen) = imds(true);
    let variables = with(&[
        ("IMDS_ENDPOINT", imds.address().to_string()),
        ("LAMBDA_TASK_ROOT", "/var/task".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/f".to_owned()),
    ]);
    let document = document(&Root::new(&[]), variables);
    assert_eq!(document["origin"], "AWS::Lambda::Function");
    assert_eq!(aws(&document), json!({"cloudwatch_logs": [{"log_group": "/aws/lambda/f"}]}));
    assert_eq!(seen.lock().unwrap().len(), 0);
}

#[test]
fn what_is_absent_costs_a_tenth_of_a_second_and_what_is_broken_or_silent_not_much_more() {
    let root = Root::new(&[
        ("/var/elasticbeanstalk/xray/environment.conf", "not JSON"),
        // EKS and EC2 both ask the metadata service; one that is absent is found absent once.
        ("/var/run/secrets/kubernetes.io/serviceaccount/token", "t"),
    ]);
    let silent = Server::start(|_| Reply::Never);
    let garbage = Server::start(|_| Reply::Raw(b"\0\0\0\r\n\r\n".to_vec()));
    let html = Server::start(|_| Reply::Http(200, "<html>".to_owned()));
    let trickle = Server::start(|_| Reply::Trickle("x".repeat(100)));
    // Three requests, each with its limit of 300 ms, and what a thread's start and end takes.
    let three = Duration::from_millis(1000);
    let detect = |variable: (&str, String)| {
        Plugins::new().with_root(root.path()).with_variables(with(&[variable])).detect()
    };
    let without = detect(("AWS_EC2_METADATA_DISABLED", "true".to_owned()));
    assert_eq!(without.origin(), Some("AWS::EKS::Container"));
    for (name, endpoint, limit) in [
        ("absent", nowhere()[0].1.clone(), ABSENT),
        // Packets to this network go nowhere, or are refused by the router (RFC 5737).
        ("a black hole", "192.0.2.1".to_owned(), ABSENT),
        ("silent", silent.address().to_string(), three),
        ("garbage", garbage.address().to_string(), three),
        ("HTML", html.address().to_string(), three),
        ("slow", trickle.address().to_string(), three),
    ] {
        let best = (0..3).map(|_| {
            let started = Instant::now();
            assert_eq!(detect(("IMDS_ENDPOINT", endpoint.clone())), without, "{name}");
            started.elapsed()
        });
        // The best of three: what is measured is the limit, not how busy the machine is.
        let best = best.min().unwrap();
        assert!(best <= limit + Duration::from_millis(20), "{name}: {best:?}");
    }
}
