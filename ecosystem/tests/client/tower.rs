//! Our layer around hyper-util's client, below and above tower's own layers.

use std::future::{Ready, ready};
use std::time::Duration;

use axum::http::{Request, Response};
use ecosystem::picture;
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper_util::client::legacy::{Client, Error, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::json;
use tower::retry::Policy;
use tower::{BoxError, ServiceBuilder, ServiceExt};
use tracing::{Instrument, info_span};
use xray_tracing_layer::XrayHttpClientLayer;
use xray_tracing_layer::http::{XrayHttpBody, XrayHttpClientService};

use super::{
    STATUSES, Server, assert_order_was_got, assert_told, assert_unsampled, exceptions, flags, nowhere,
    only_call, quiet, rig, shopping,
};

type Plain = Client<HttpConnector, Empty<Bytes>>;

fn plain() -> Plain {
    Client::builder(TokioExecutor::new()).build_http()
}

/// The default form of errors is the client's own, so that it can be left out of a type.
fn client() -> XrayHttpClientService<Plain> {
    ServiceBuilder::new().layer(XrayHttpClientLayer::new()).service(plain())
}

fn get(url: &str) -> Request<Empty<Bytes>> {
    Request::get(url).body(Empty::new()).unwrap()
}

async fn send(url: &str) -> Result<Response<XrayHttpBody<Incoming>>, Error> {
    client().oneshot(get(url)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_named_by_its_host_and_names_itself_to_the_server() {
    let (rig, server) = (rig(), Server::start().await);
    let response = send(&server.url("/orders/7?token=secret")).instrument(shopping()).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "an order");
    assert_order_was_got(&rig, &server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_sets_its_flags() {
    let server = Server::start().await;
    for (path, expected) in STATUSES {
        let rig = rig();
        send(&server.url(path)).instrument(shopping()).await.unwrap();
        let trace = rig.trace_of(2);
        let call = only_call(&trace);
        assert_eq!(flags(call.json()), expected, "{path}");
        assert_eq!(flags(trace.roots().next().unwrap().json()), [""; 0], "the caller may know what to do");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_and_paths_of_any_kind_are_named_and_kept() {
    let rig = rig();
    let url = if let Some(server) = Server::at("[::1]:0").await {
        let url = server.url("/orders/{id}/%7Cx%7C/*!~'()$");
        send(&url).instrument(shopping()).await.unwrap();
        url
    } else {
        // No IPv6 on this machine: it is refused, and no less named.
        let url = "http://[::1]:9/orders/{id}/%7Cx%7C/*!~'()$".to_owned();
        let _ = send(&url).instrument(shopping()).await.unwrap_err();
        url
    };
    let trace = rig.trace_of(2);
    let call = only_call(&trace);
    assert_eq!((call.name(), &call.json()["http"]["request"]["url"]), ("::1", &json!(url)));

    drop(rig);
    let (rig, server) = (super::rig(), Server::start().await);
    let url = format!("http://localhost:{}/a", server.address.port());
    send(&url).instrument(shopping()).await.unwrap();
    let trace = rig.trace_of(2);
    assert_eq!(only_call(&trace).name(), "localhost", "without its port");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_connection_is_a_fault_with_its_sources() {
    let rig = rig();
    let url = format!("http://{}/", nowhere());
    assert!(send(&url).instrument(shopping()).await.unwrap_err().is_connect(), "the error keeps its type");
    let trace = rig.trace_of(2);
    let call = only_call(&trace).json();
    assert_eq!(flags(call), ["fault"]);
    let chain = exceptions(call);
    assert_eq!(chain[0].1, "client error (Connect)");
    assert_eq!(chain.last().unwrap().0, "ConnectionRefused", "{chain:?}");
    assert_eq!(call["http"], json!({"request": {"method": "GET", "url": url}}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeout_inside_of_the_layer_is_a_fault() {
    let (rig, server) = (rig(), Server::start().await);
    // A box, by tower's timeout: the compiler sees to it.
    let client = ServiceBuilder::new()
        .layer(XrayHttpClientLayer::new())
        .timeout(Duration::from_millis(100))
        .service(plain());
    let err: BoxError = client.oneshot(get(&server.url("/never"))).instrument(shopping()).await.unwrap_err();
    assert!(err.is::<tower::timeout::error::Elapsed>());
    let trace = rig.trace_of(2);
    let call = only_call(&trace);
    assert_eq!(
        (flags(call.json()), exceptions(call.json())),
        (vec!["fault"], vec![("Elapsed", "request timed out")])
    );
    assert_told(&server, &trace, &call);
}

const CANCELLED: [(&str, &str); 1] = [("Cancelled", "dropped before the answer")];

#[tokio::test(flavor = "multi_thread")]
async fn a_timeout_around_the_layer_cancels_the_call() {
    let (rig, server) = (rig(), Server::start().await);
    let client = ServiceBuilder::new()
        .timeout(Duration::from_millis(100))
        .layer(XrayHttpClientLayer::new())
        .service(plain());
    client.oneshot(get(&server.url("/never"))).instrument(shopping()).await.unwrap_err();
    let trace = rig.trace_of(2);
    let call = only_call(&trace);
    assert_eq!((flags(call.json()), exceptions(call.json())), (vec!["error"], CANCELLED.into()));
    assert_told(&server, &trace, &call);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_dropped_on_its_way_is_not_lost() {
    let (rig, server) = (rig(), Server::start().await);
    let url = server.url("/never");
    let call = async {
        tokio::select! {
            _ = send(&url) => unreachable!(),
            () = server.arrived.notified() => {}
        }
    };
    call.instrument(shopping()).await;
    let trace = rig.trace_of(2);
    assert_eq!(picture(&trace), "◆ shop\n└─ 127.0.0.1 [remote]  error\n");
    assert_eq!(exceptions(only_call(&trace).json()), CANCELLED);
}

/// Again, while the status is 503.
#[derive(Clone)]
struct WhileUnavailable;

impl<B> Policy<Request<Empty<Bytes>>, Response<B>, Error> for WhileUnavailable {
    type Future = Ready<()>;

    fn retry(
        &mut self,
        _: &mut Request<Empty<Bytes>>,
        result: &mut Result<Response<B>, Error>,
    ) -> Option<Ready<()>> {
        result.as_ref().is_ok_and(|response| response.status() == 503).then(|| ready(()))
    }

    fn clone_request(&mut self, request: &Request<Empty<Bytes>>) -> Option<Request<Empty<Bytes>>> {
        Some(request.clone())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_attempt_inside_of_a_layer_that_retries_is_a_subsegment() {
    let (rig, server) = (rig(), Server::start().await);
    let client = ServiceBuilder::new().retry(WhileUnavailable).service(client());
    client.oneshot(get(&server.url("/third"))).instrument(shopping()).await.unwrap();
    let trace = rig.trace_of(4);
    assert_eq!(
        picture(&trace),
        "◆ shop\n├─ 127.0.0.1 [remote]  503 fault\n├─ 127.0.0.1 [remote]  503 fault\n└─ 127.0.0.1 [remote]  200 ok\n"
    );
    let ids: Vec<_> = trace.roots().next().unwrap().children().map(|call| call.id().to_owned()).collect();
    let told: Vec<_> = server.headers().iter().map(|header| header.parent().unwrap().to_string()).collect();
    assert_eq!(told, ids);
}

#[tokio::test(flavor = "multi_thread")]
async fn around_a_layer_that_retries_all_attempts_are_one() {
    let (rig, server) = (rig(), Server::start().await);
    let client =
        ServiceBuilder::new().layer(XrayHttpClientLayer::new()).retry(WhileUnavailable).service(plain());
    client.oneshot(get(&server.url("/third"))).instrument(shopping()).await.unwrap();
    let trace = rig.trace_of(2);
    assert_eq!(picture(&trace), "◆ shop\n└─ 127.0.0.1 [remote]  200 ok\n");
    assert_eq!(server.headers().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_trace_that_is_not_sampled_the_server_is_told_so() {
    let (rig, server) = (rig(), Server::start().await);
    assert_unsampled(&rig, &server, async { drop(send(&server.url("/")).await.unwrap()) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_by_hand_gives_way_to_the_calls_own() {
    const BY_HAND: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    let request = |server: &Server| {
        let mut request = get(&server.url("/"));
        request.headers_mut().insert("x-amzn-trace-id", BY_HAND.parse().unwrap());
        request.headers_mut().insert(
            "traceparent",
            "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01".parse().unwrap(),
        );
        request
    };
    let (rig, server) = (rig(), Server::start().await);
    client().oneshot(request(&server)).instrument(shopping()).await.unwrap();
    let trace = rig.trace_of(2);
    assert_told(&server, &trace, &only_call(&trace));

    // Outside of any span, the call is a segment of its own.
    drop(rig);
    let (rig, server) = (super::rig(), Server::start().await);
    client().oneshot(request(&server)).await.unwrap();
    let trace = rig.trace_of(1);
    assert_eq!(picture(&trace), "◆ shop  200 ok\n");
    assert_told(&server, &trace, &trace.roots().next().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_trace_carries_beside_goes_on_with_each_call() {
    let (rig, server) = (rig(), Server::start().await);
    const HEADER: &str =
        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=1234abcd:4";
    let span = info_span!("shopping", xray.trace_header = HEADER);
    send(&server.url("/")).instrument(span).await.unwrap();
    let trace = rig.trace_of(2);
    let call = only_call(&trace);
    let expected =
        format!("Root=1-5759e988-bd862e3fe1be46a994272793;Parent={};Sampled=1;Lineage=1234abcd:4", call.id());
    assert_eq!(server.headers()[0].to_string(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_nobody_reads_neither_keeps_the_trace_nor_spoils_it() {
    let (rig, server) = (rig(), Server::start().await);
    let response = send(&server.url("/")).instrument(shopping()).await.unwrap();
    let trace = rig.trace_of(2);
    assert_eq!(picture(&trace), "◆ shop\n└─ 127.0.0.1 [remote]  200 ok\n", "sent, while the body is there");
    drop(response);
    assert_eq!(rig.received().documents().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_in_a_task_of_its_own_is_inside_of_the_span_that_the_task_was_given() {
    let (rig, server) = (rig(), Server::start().await);
    let url = server.url("/");
    let (loud, quiet) = (shopping(), quiet());
    let tasks = [loud, quiet].map(|span| {
        let url = url.clone();
        tokio::spawn(async move { drop(send(&url).await.unwrap()) }.instrument(span))
    });
    for task in tasks {
        task.await.unwrap();
    }
    let trace = rig.trace_of(2);
    assert_eq!(picture(&trace), "◆ shop\n└─ 127.0.0.1 [remote]  200 ok\n");
    assert_eq!(rig.received().traces().len(), 1);
}
