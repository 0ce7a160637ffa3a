//! The spans of reqwest-tracing, and what they need of us: its middleware opens them, ours sends their header.

use ecosystem::{find, picture};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Extension};
use reqwest_tracing::{OtelName, ReqwestOtelSpanBackend, SpanBackendWithUrl, TracingMiddleware};
use serde_json::json;
use tracing::Instrument;
use xray_tracing_layer::XrayMiddleware;

use super::{Server, assert_told, assert_unsampled, flags, nowhere, only_call, rig, shopping};

fn client<S>(tracing: TracingMiddleware<S>) -> ClientWithMiddleware
where
    S: ReqwestOtelSpanBackend + Send + Sync + 'static,
{
    ClientBuilder::new(reqwest::Client::new())
        .with_init(Extension(OtelName("get order".into())))
        .with(tracing)
        .with(XrayMiddleware::header_only())
        .build()
}

#[tokio::test(flavor = "multi_thread")]
async fn its_call_is_there_once_by_the_hosts_name_and_ours_sends_its_header() {
    let (rig, server) = (rig(), Server::start().await);
    let request = client(TracingMiddleware::default()).get(server.url("/orders/7?token=secret"));
    request.header("user-agent", "shop/1").send().instrument(shopping()).await.unwrap();
    let trace = rig.trace_of(2);
    assert_eq!(picture(&trace), "◆ shop\n└─ 127.0.0.1 [remote]  200 ok\n");
    let call = only_call(&trace);
    // Its span knows of no path.
    assert_eq!(
        call.json()["http"],
        json!({
            "request": {"method": "GET", "url": server.url("/"), "user_agent": "shop/1"},
            "response": {"status": 200},
        })
    );
    assert_eq!(call.json().get("metadata"), None);
    assert_told(&server, &trace, &call);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_url_it_has_the_path_and_a_mistake_is_an_error() {
    let (rig, server) = (rig(), Server::start().await);
    let client = client(TracingMiddleware::<SpanBackendWithUrl>::new());
    client.get(server.url("/404?token=secret")).send().instrument(shopping()).await.unwrap();
    let trace = rig.trace_of(2);
    let call = only_call(&trace).json();
    assert_eq!(call["http"]["request"]["url"], server.url("/404"));
    assert_eq!(flags(call), ["error"], "and not a fault, though its span says ERROR");
    assert!(!call.to_string().contains("secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn its_errors_are_faults_with_a_cause() {
    let rig = rig();
    let url = format!("http://{}/", nowhere());
    client(TracingMiddleware::default()).get(&url).send().instrument(shopping()).await.unwrap_err();
    let trace = rig.trace_of(2);
    let call = find(&trace, "127.0.0.1").json();
    assert_eq!(flags(call), ["fault"]);
    let exception = &call["cause"]["exceptions"][0];
    assert_eq!(exception["message"], format!("error sending request for url ({url})"));
    let chain = call["metadata"]["default"]["error.cause_chain"].as_str().unwrap();
    assert!(chain.contains("ConnectionRefused"), "{chain}");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_trace_that_is_not_sampled_the_server_is_told_so() {
    let (rig, server) = (rig(), Server::start().await);
    assert_unsampled(&rig, &server, async {
        drop(client(TracingMiddleware::default()).get(server.url("/")).send().await.unwrap());
    })
    .await;
}
