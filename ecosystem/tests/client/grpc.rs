//! Our layer around tonic's channel: the health protocol, whose code comes generated, over a socket. What is called is
//! up to the test where tonic's own health service can't be made to fail.

use ecosystem::picture;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server, Uri};
use tonic::{Code, Request, Response, Status};
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tower::ServiceBuilder;
use tracing::Instrument;
use xray_tracing_layer::http::XrayHttpClientService;
use xray_tracing_layer::{XrayHttpClientLayer, XrayHttpLayer};

use super::{exceptions, flags, nowhere, only_call, rig, shopping};

type Client = HealthClient<XrayHttpClientService<Channel>>;

/// Answers with the status whose code it is asked for. A stream gives one message first.
struct Failing;

fn answer(request: &Request<HealthCheckRequest>) -> Result<HealthCheckResponse, Status> {
    let code = Code::from(request.get_ref().service.parse::<i32>().unwrap());
    if code == Code::Ok {
        Ok(HealthCheckResponse { status: 1 })
    } else {
        Err(Status::new(code, "not today: é"))
    }
}

#[tonic::async_trait]
impl Health for Failing {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        answer(&request).map(Response::new)
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
            answers.send(answer(&request)).await.unwrap();
        }
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

/// A server for as long as the test's runtime runs, and where it is.
async fn serve() -> Uri {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::builder().layer(XrayHttpLayer::new()).add_service(HealthServer::new(Failing));
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    format!("http://{address}").parse().unwrap()
}

fn channel(uri: &Uri) -> XrayHttpClientService<Channel> {
    let channel = Endpoint::from(uri.clone()).connect_lazy();
    ServiceBuilder::new().layer(XrayHttpClientLayer::new()).service(channel)
}

fn client(uri: &Uri) -> Client {
    HealthClient::with_origin(channel(uri), uri.clone())
}

fn ask(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.to_owned() }
}

fn response(call: &Value) -> &Value {
    &call["http"]["response"]["status"]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_named_by_its_host_with_what_is_called_beside_and_the_server_below() {
    let rig = rig();
    let uri = serve().await;
    client(&uri).check(ask("0")).instrument(shopping()).await.unwrap();
    let trace = rig.trace_of(3);
    assert_eq!(picture(&trace), "◆ shop\n└─ 127.0.0.1 [remote]  200 ok\n   └─ ◆ shop  200 ok\n");
    let call = only_call(&trace).json();
    assert_eq!(
        call["http"]["request"],
        json!({"method": "POST", "url": format!("{uri}grpc.health.v1.Health/Check")})
    );
    assert_eq!(
        call["metadata"]["default"],
        json!({"rpc.system": "grpc", "rpc.service": "grpc.health.v1.Health", "rpc.method": "Check"})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_know_its_host_is_named_by_the_service_it_calls() {
    let rig = rig();
    let uri = serve().await;
    HealthClient::new(channel(&uri)).check(ask("0")).instrument(shopping()).await.unwrap();
    let trace = rig.trace_of(3);
    let call = only_call(&trace);
    assert_eq!((call.name(), &call.json()["namespace"]), ("grpc.health.v1.Health", &json!("remote")));
    assert_eq!(call.json()["http"]["request"]["url"], "/grpc.health.v1.Health/Check");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_sets_its_flags_wherever_it_stands() {
    let uri = serve().await;
    let cases: [(Code, &str, &str); 5] = [
        (Code::NotFound, "NOT_FOUND", "error"),
        (Code::ResourceExhausted, "RESOURCE_EXHAUSTED", "throttle"),
        (Code::Unavailable, "UNAVAILABLE", "fault"),
        (Code::Internal, "INTERNAL", "fault"),
        (Code::Cancelled, "CANCELLED", "error"),
    ];
    for (code, name, flag) in cases {
        // By headers alone, and behind a stream's first message.
        for stream in [false, true] {
            let rig = rig();
            let request = ask(&(code as i32).to_string());
            let work = async {
                match stream {
                    false => client(&uri).check(request).await.unwrap_err(),
                    true => {
                        let mut answers = client(&uri).watch(request).await.unwrap().into_inner();
                        answers.next().await.unwrap().unwrap();
                        answers.next().await.unwrap().unwrap_err()
                    }
                }
            };
            assert_eq!(work.instrument(shopping()).await.code(), code);
            let trace = rig.trace_of(3);
            let call = only_call(&trace).json();
            assert!(flags(call).contains(&flag), "{name}, {stream}: {call}");
            assert_eq!(flags(call).contains(&"fault"), flag == "fault", "{name}, {stream}: {call}");
            assert_eq!(
                (exceptions(call), response(call)),
                (vec![(name, "not today: é")], &json!(200)),
                "{stream}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_a_part_of_the_call_to_its_end() {
    let rig = rig();
    let uri = serve().await;
    let work = async {
        let mut answers = client(&uri).watch(ask("0")).await.unwrap().into_inner();
        answers.next().await.unwrap().unwrap();
        drop(tracing::info_span!("between"));
        answers.next().await.unwrap().unwrap();
        assert!(answers.next().await.is_none());
    };
    work.instrument(shopping()).await;
    let trace = rig.trace_of(4);
    let call = ecosystem::find(&trace, "127.0.0.1");
    assert_eq!((flags(call.json()), exceptions(call.json())), (vec![], vec![]));
    assert!(ecosystem::find(&trace, "between").end() <= call.end());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_left_half_way_is_cancelled() {
    let rig = rig();
    let uri = serve().await;
    let work = async {
        let mut answers = client(&uri).watch(ask("never")).await.unwrap().into_inner();
        answers.next().await.unwrap().unwrap();
    };
    work.instrument(shopping()).await;
    let trace = rig.trace_of(3);
    let call = only_call(&trace).json();
    assert_eq!(
        (flags(call), exceptions(call)),
        (vec!["error"], vec![("Cancelled", "dropped before the end of the body")])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_can_not_be_reached_is_a_fault() {
    let rig = rig();
    let uri: Uri = format!("http://{}", nowhere()).parse().unwrap();
    let status = client(&uri).check(ask("0")).instrument(shopping()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    let trace = rig.trace_of(2);
    let call = only_call(&trace).json();
    assert_eq!(flags(call), ["fault"]);
    assert_eq!(exceptions(call).last().unwrap().0, "ConnectionRefused", "{call}");
}
