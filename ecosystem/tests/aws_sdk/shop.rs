//! A program that calls AWS within a request, in each of the ways in which it may be set up, on one thread with a
//! subscriber of its own. What has to hold for every call is checked here.

use std::time::Duration;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{Credentials, Region, SharedHttpClient};
use ecosystem::picture;
use serde_json::{Value, json};
use tracing::{Instrument, info_span};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::prelude::*;
use tracing_subscriber::{Layer, Registry, fmt};
use xray_sdk::local::{Collector, Trace};
use xray_sdk::sampling::Always;
use xray_tracing_layer::{Builder, Handle, XrayInterceptor};

use crate::endpoint::{Answer, Endpoint, Request};

/// What the program has set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Setup {
    pub(crate) interceptor: bool,
    /// The layer's filter shows the SDK's spans: the default one does, one of `INFO` does not.
    pub(crate) sees_operations: bool,
    /// Another layer wants everything, so that the SDK's inner spans are there, too.
    pub(crate) logs_all: bool,
}

const fn setup(interceptor: bool, sees_operations: bool, logs_all: bool) -> Setup {
    Setup { interceptor, sees_operations, logs_all }
}

pub(crate) const WITH: [Setup; 4] =
    [setup(true, true, false), setup(true, true, true), setup(true, false, false), setup(true, false, true)];
pub(crate) const WITHOUT: [Setup; 2] = [setup(false, true, false), setup(false, true, true)];

/// The clients, all of one endpoint.
pub(crate) struct Shop {
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) endpoint: Endpoint,
}

macro_rules! client {
    ($sdk:ident, $url:expr, $setup:expr) => {{
        let config = $sdk::config::Builder::new()
            .behavior_version_latest()
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("AKID", "secret", None, None, "test"))
            .endpoint_url($url)
            .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(1)))
            .timeout_config(TimeoutConfig::disabled())
            .http_client(http_client());
        match $setup.interceptor {
            true => config.interceptor(XrayInterceptor::new()),
            false => config,
        }
    }};
}

fn http_client() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().build_http()
}

impl Shop {
    pub(crate) fn new(endpoint: Endpoint, setup: Setup) -> Self {
        let url = &*endpoint.url;
        Self {
            dynamodb: aws_sdk_dynamodb::Client::from_conf(client!(aws_sdk_dynamodb, url, setup).build()),
            s3: aws_sdk_s3::Client::from_conf(client!(aws_sdk_s3, url, setup).force_path_style(true).build()),
            sqs: aws_sdk_sqs::Client::from_conf(client!(aws_sdk_sqs, url, setup).build()),
            endpoint,
        }
    }
}

/// What a run left.
pub(crate) struct Left {
    pub(crate) trace: Option<Trace>,
    pub(crate) requests: Vec<Request>,
}

impl Left {
    pub(crate) fn trace(&self) -> &Trace {
        self.trace.as_ref().expect("a trace")
    }
}

/// Runs `work` in a span `order`.
pub(crate) fn run(setup: Setup, answers: &[Answer], work: impl AsyncFnOnce(&Shop)) -> Left {
    run_bare(setup, |builder| builder, answers, async |shop| work(shop).instrument(info_span!("order")).await)
}

/// Runs `work` in no span, with a layer of which something is not as usual.
pub(crate) fn run_bare(
    setup: Setup,
    change: impl FnOnce(Builder) -> Builder,
    answers: &[Answer],
    work: impl AsyncFnOnce(&Shop),
) -> Left {
    let build = |builder| {
        let builder = change(builder);
        if setup.sees_operations {
            let (layer, handle) = builder.build_with_handle().unwrap();
            (layer.boxed(), handle)
        } else {
            let (layer, handle) = builder.filter(LevelFilter::INFO).build_with_handle().unwrap();
            (layer.boxed(), handle)
        }
    };
    run_built(setup, build, answers, work)
}

type BoxedLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Runs `work` in no span, with a layer that has a filter of the test's own.
pub(crate) fn run_built(
    setup: Setup,
    build: impl FnOnce(Builder) -> (BoxedLayer, Handle),
    answers: &[Answer],
    work: impl AsyncFnOnce(&Shop),
) -> Left {
    let collector = Collector::start().unwrap();
    let (layer, handle) = build(
        xray_tracing_layer::builder()
            .service_name("shop")
            .daemon_address(&collector.daemon_address())
            .sampler(Always),
    );
    let logs =
        setup.logs_all.then(|| fmt::layer().with_writer(std::io::sink).with_filter(LevelFilter::TRACE));
    let here = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer).with(logs));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let requests = runtime.block_on(async {
        let shop = Shop::new(Endpoint::start(answers).await, setup);
        work(&shop).await;
        shop.endpoint.requests()
    });
    drop(runtime);
    drop(here);
    let stats = handle.stats();
    assert_eq!(stats.closed, stats.folded + stats.emitted + stats.dropped, "{setup:?}: the law: {stats:?}");
    assert!(collector.wait_for_documents(stats.documents as usize, Duration::from_secs(10)), "{setup:?}");
    let received = collector.received();
    assert_eq!(received.problems(), [""; 0], "{setup:?}: every document is valid");
    let mut traces = received.traces();
    assert!(traces.len() <= 1, "{setup:?}: {}", traces.iter().map(picture).collect::<String>());
    Left { trace: traces.pop(), requests }
}

/// Makes one call in each setup, and compares its subsegment. Of the requests, what holds for each.
#[track_caller]
pub(crate) fn check(answers: &[Answer], call: impl AsyncFn(&Shop), with: Value, without: Value) {
    for (setups, expected) in [(&WITH[..], with), (&WITHOUT[..], without)] {
        for setup in setups {
            let left = run(*setup, answers, &call);
            let trace = left.trace();
            assert_eq!(trace.span_count(), 2, "{setup:?}: one call, one subsegment:\n{}", picture(trace));
            let subsegment = trace.nodes().nth(1).expect("a subsegment");
            assert_eq!(shape(subsegment.json()), expected, "{setup:?}");
            for request in &left.requests {
                check_headers(*setup, request, trace.id(), subsegment.id());
            }
        }
    }
}

/// The parent is this call, on each attempt; and only then. The signature does not cover it, and nothing of W3C goes to
/// AWS.
#[track_caller]
fn check_headers(setup: Setup, request: &Request, trace: &str, subsegment: &str) {
    let header = |name| request.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let ours = format!("Root={trace};Parent={subsegment};Sampled=1");
    assert_eq!(header("x-amzn-trace-id"), setup.interceptor.then_some(ours), "{setup:?}");
    assert_eq!(header("traceparent"), None, "{setup:?}");
    let signature = header("authorization").expect("a signature");
    let signed = signature.split("SignedHeaders=").nth(1).expect("what is signed");
    assert!(!signed.contains("x-amzn-trace-id"), "{setup:?}: {signed}");
}

/// A document without what differs each time. Of the causes, how they are linked.
fn shape(document: &Value) -> Value {
    let mut shape = document.clone();
    let members = shape.as_object_mut().unwrap();
    for name in ["id", "start_time", "end_time"] {
        members.remove(name);
    }
    if let Some(cause) = members.get_mut("cause") {
        let exceptions = cause["exceptions"].as_array_mut().unwrap();
        for i in 0..exceptions.len() {
            let next = exceptions.get(i + 1).map(|next| next["id"].clone());
            let exception = exceptions[i].as_object_mut().unwrap();
            if let Some(cause) = exception.remove("cause") {
                assert_eq!(Some(cause), next, "each exception is followed by its cause");
            }
        }
        for exception in exceptions {
            exception.as_object_mut().unwrap().remove("id");
        }
        assert_eq!(cause.as_object().unwrap().keys().filter(|key| *key != "exceptions").count(), 0);
        *cause = json!(cause["exceptions"]);
    }
    shape
}
