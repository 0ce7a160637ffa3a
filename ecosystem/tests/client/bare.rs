//! A client without any integration: hyper's connection, a header by `inject`, and a span by hand.

use axum::http::Request;
use ecosystem::picture;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;
use tracing::{Instrument, Span, info_span};
use xray_tracing_layer::XraySpanExt;
use xray_tracing_layer::http::inject;

use super::{Server, assert_told, assert_unsampled, flags, only_call, rig, shopping};

async fn send(server: &Server, path: &str) -> u16 {
    let stream = TcpStream::connect(server.address).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut request =
        Request::get(path).header("host", "orders.example").body(Empty::<Bytes>::new()).unwrap();
    assert!(inject(request.headers_mut()));
    let response = sender.send_request(request).await.unwrap();
    let status = response.status().as_u16();
    Span::current().set_http_status(status);
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "an order");
    status
}

fn call(path: &str) -> Span {
    info_span!(
        "call",
        otel.kind = "client",
        http.request.method = "GET",
        url.full = format!("http://orders.example{path}")
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_span_and_a_header_by_hand_are_as_good_as_an_integrations() {
    let (rig, server) = (rig(), Server::start().await);
    let work = async {
        assert_eq!(send(&server, "/404?token=secret").instrument(call("/404?token=secret")).await, 404);
    };
    work.instrument(shopping()).await;
    let trace = rig.trace_of(2);
    assert_eq!(picture(&trace), "◆ shop\n└─ orders.example [remote]  404 error\n");
    let call = only_call(&trace);
    assert_eq!(
        (&call.json()["http"], flags(call.json())),
        (
            &json!({
                "request": {"method": "GET", "url": "http://orders.example/404"},
                "response": {"status": 404},
            }),
            vec!["error"]
        )
    );
    assert_told(&server, &trace, &call);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_span_of_its_own_the_caller_is_the_parent() {
    let (rig, server) = (rig(), Server::start().await);
    send(&server, "/").instrument(shopping()).await;
    let trace = rig.trace_of(1);
    assert_told(&server, &trace, &trace.roots().next().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_trace_that_is_not_sampled_the_server_is_told_so() {
    let (rig, server) = (rig(), Server::start().await);
    assert_unsampled(&rig, &server, async {
        send(&server, "/").instrument(call("/")).await;
    })
    .await;
}
