//! gRPC calls over a socket between tonic's client and tonic's server, and the segments that the server leaves with
//! our layer. The calls are those of the health protocol, whose code comes generated; what they answer is up to the
//! test where tonic's own health service can't be made to fail.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]

use std::net::SocketAddr;
use std::time::Duration;

use ecosystem::{Rig, find, flags, picture};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::{TcpConnectInfo, TcpIncoming};
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Request, Response, Status};
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tonic_health::server::health_reporter;
use tracing::info_span;
use xray_tracing_layer::XrayHttpLayer;

/// Serves on a free port, for as long as the test's runtime runs, and answers a client of it.
async fn serve<H: Health>(service: HealthServer<H>) -> HealthClient<Channel> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let layer =
        XrayHttpLayer::new().peer_address(|extensions| extensions.get::<TcpConnectInfo>()?.remote_addr());
    let server = Server::builder().layer(layer).add_service(service);
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    client(address).await
}

async fn client(address: SocketAddr) -> HealthClient<Channel> {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    HealthClient::new(endpoint.connect().await.unwrap())
}

fn ask(service: &str) -> Request<HealthCheckRequest> {
    Request::new(HealthCheckRequest { service: service.to_owned() })
}

/// Answers with the status whose code it is asked for. A stream gives one message first.
struct Failing;

fn status_of(request: &Request<HealthCheckRequest>) -> Status {
    let code: i32 = request.get_ref().service.parse().unwrap();
    Status::new(Code::from(code), "not today: é")
}

#[tonic::async_trait]
impl Health for Failing {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        if request.get_ref().service == "never" {
            let _held = info_span!("held");
            std::future::pending::<()>().await;
        }
        Err(status_of(&request))
    }

    type WatchStream = ReceiverStream<Result<HealthCheckResponse, Status>>;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let (answers, stream) = mpsc::channel(2);
        answers.send(Ok(HealthCheckResponse { status: 1 })).await.unwrap();
        if request.get_ref().service == "never" {
            tokio::spawn(async move { answers.closed().await });
        } else {
            answers.send(Err(status_of(&request))).await.unwrap();
        }
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

fn exception(segment: &Value) -> (&str, &str) {
    let exceptions = segment["cause"]["exceptions"].as_array().unwrap();
    assert_eq!(exceptions.len(), 1, "{segment}");
    (exceptions[0]["type"].as_str().unwrap(), exceptions[0]["message"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_a_segment_named_by_its_service_with_what_was_called_beside() {
    let rig = Rig::new();
    let mut client = serve(health_reporter().1).await;
    let mut request = ask("");
    let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    request.metadata_mut().insert("x-amzn-trace-id", header.parse().unwrap());
    assert_eq!(client.check(request).await.unwrap().get_ref().status, 1);
    let trace = rig.trace_of(1);
    assert_eq!(trace.id(), "1-5759e988-bd862e3fe1be46a994272793");
    let segment = find(&trace, "shop").json();
    assert_eq!(segment["parent_id"], "53995c3f42cd8ad8");
    let request = &segment["http"]["request"];
    assert!(request["url"].as_str().unwrap().ends_with("/grpc.health.v1.Health/Check"), "{request}");
    assert_eq!((&request["method"], &request["client_ip"]), (&json!("POST"), &json!("127.0.0.1")));
    assert_eq!(segment["http"]["response"], json!({"status": 200, "content_length": 7}));
    assert_eq!(
        segment["metadata"]["default"],
        json!({
            "operation": "grpc.health.v1.Health/Check",
            "rpc.system": "grpc",
            "rpc.service": "grpc.health.v1.Health",
            "rpc.method": "Check",
        })
    );
    assert_eq!((flags(segment), segment.get("cause")), (vec![], None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_among_the_headers_is_an_error_with_its_name_and_message() {
    let rig = Rig::new();
    let mut client = serve(health_reporter().1).await;
    let status = client.check(ask("nobody")).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    let trace = rig.trace_of(1);
    let segment = find(&trace, "shop").json();
    assert_eq!((flags(segment), exception(segment)), (vec!["error"], ("NOT_FOUND", status.message())));
    assert_eq!(segment["http"]["response"], json!({"status": 200, "content_length": 0}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_in_the_trailers_says_whose_mistake_it_was() {
    let cases: [(Code, &str, &[&str]); 5] = [
        (Code::NotFound, "NOT_FOUND", &["error"]),
        (Code::ResourceExhausted, "RESOURCE_EXHAUSTED", &["error", "throttle"]),
        (Code::Unavailable, "UNAVAILABLE", &["fault"]),
        (Code::DeadlineExceeded, "DEADLINE_EXCEEDED", &["fault"]),
        (Code::Unimplemented, "UNIMPLEMENTED", &["fault"]),
    ];
    for (code, name, expected) in cases {
        let rig = Rig::new();
        let mut client = serve(HealthServer::new(Failing)).await;
        let number = (code as i32).to_string();
        let mut stream = client.watch(ask(&number)).await.unwrap().into_inner();
        assert_eq!(stream.message().await.unwrap().unwrap().status, 1);
        assert_eq!(stream.message().await.unwrap_err().code(), code);
        let trace = rig.trace_of(1);
        let segment = find(&trace, "shop").json();
        assert_eq!((flags(segment), exception(segment)), (expected.to_vec(), (name, "not today: é")));
        assert_eq!(segment["http"]["response"], json!({"status": 200, "content_length": 7}));
        // The same without a stream, where there is no body to have trailers.
        let rig = {
            drop(rig);
            Rig::new()
        };
        assert_eq!(client.check(ask(&number)).await.unwrap_err().code(), code);
        let trace = rig.trace_of(1);
        let segment = find(&trace, "shop").json();
        assert_eq!((flags(segment), exception(segment)), (expected.to_vec(), (name, "not today: é")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_that_passes_drops_the_call_and_what_it_held() {
    let rig = Rig::new();
    let mut client = serve(HealthServer::new(Failing)).await;
    let mut request = ask("never");
    request.set_timeout(Duration::from_millis(20));
    let status = client.check(request).await.unwrap_err();
    assert!(matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled), "{status}");
    let trace = rig.trace_of(2);
    assert_eq!(picture(&trace), "◆ shop  error\n└─ held\n");
    let segment = find(&trace, "shop").json();
    assert_eq!(exception(segment), ("Cancelled", "dropped before the answer"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_a_stream_is_an_error() {
    let rig = Rig::new();
    let mut client = serve(HealthServer::new(Failing)).await;
    let mut stream = client.watch(ask("never")).await.unwrap().into_inner();
    assert_eq!(stream.message().await.unwrap().unwrap().status, 1);
    assert_eq!(rig.received().documents().len(), 0);
    drop(stream);
    let trace = rig.trace_of(1);
    let segment = find(&trace, "shop").json();
    assert_eq!(
        (flags(segment), exception(segment)),
        (vec!["error"], ("Cancelled", "dropped before the end of the body"))
    );
}
