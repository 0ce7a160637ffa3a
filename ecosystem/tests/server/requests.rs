//! The facts of a segment about a request and its response, in an axum server and in one of plain hyper.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;

use axum::Router;
use axum::http::{Request, Response, StatusCode};
use axum::routing::get;
use ecosystem::{find, picture};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde_json::json;
use tokio::net::TcpListener;
use tower::{Layer, ServiceBuilder, service_fn};
use tracing::info_span;
use xray_tracing_layer::XrayHttpLayer;

use super::{exchange, only_segment, rig, serve};

#[tokio::test(flavor = "multi_thread")]
async fn a_segment_has_all_that_the_server_knows_but_the_query() {
    let rig = rig();
    let order = || async {
        drop(info_span!("load {order}"));
        "an order"
    };
    let address = serve(Router::new().route("/orders/{id}", get(order)).layer(XrayHttpLayer::new())).await;
    let lines = "GET /orders/7?token=secret HTTP/1.1
        Host: shop.example:8080
        User-Agent: curl/8
        X-Forwarded-For: 203.0.113.9, 10.0.0.1
        X-Forwarded-Proto: https";
    assert!(exchange(address, lines).await.ends_with("\r\n\r\nan order"));
    let trace = rig.trace_of(2);
    assert_eq!(picture(&trace), "◆ shop  200 ok\n└─ load _order_\n");
    let segment = find(&trace, "shop").json();
    assert_eq!(
        segment["http"],
        json!({
            "request": {
                "method": "GET",
                "url": "https://shop.example:8080/orders/7",
                "client_ip": "203.0.113.9",
                "x_forwarded_for": true,
                "user_agent": "curl/8",
            },
            "response": {"status": 200, "content_length": 8},
        })
    );
    assert_eq!(
        segment["metadata"]["default"],
        json!({"operation": "GET /orders/{id}", "http.route": "/orders/{id}"})
    );
    assert!(segment.get("fault").is_none() && segment.get("error").is_none());
    assert!(!trace.nodes().any(|node| node.json().to_string().contains("secret")));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_proxy_the_client_is_the_peer_and_a_mistake_is_an_error() {
    let rig = rig();
    let address =
        serve(Router::new().fallback(|| async { StatusCode::NOT_FOUND }).layer(XrayHttpLayer::new())).await;
    exchange(address, "DELETE /nowhere HTTP/1.1").await;
    let trace = rig.trace_of(1);
    let segment = only_segment(&trace);
    assert_eq!(
        segment["http"],
        json!({
            "request": {"method": "DELETE", "url": "http://shop.example/nowhere", "client_ip": "127.0.0.1"},
            "response": {"status": 404, "content_length": 0},
        })
    );
    assert_eq!(
        (&segment["error"], &segment["metadata"]["default"]["operation"]),
        (&json!(true), &json!("DELETE"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nested_router_knows_the_whole_path_and_the_whole_pattern() {
    let rig = rig();
    let orders = Router::new().route("/{id}", get(|| async {})).layer(XrayHttpLayer::new());
    let address = serve(Router::new().nest("/orders", orders)).await;
    exchange(address, "GET /orders/7 HTTP/1.1").await;
    let trace = rig.trace_of(1);
    let segment = only_segment(&trace);
    assert_eq!(segment["http"]["request"]["url"], "http://shop.example/orders/7");
    assert_eq!(segment["metadata"]["default"]["operation"], "GET /orders/{id}");
}

#[tokio::test(flavor = "multi_thread")]
async fn around_the_whole_app_no_route_is_matched_yet() {
    let rig = rig();
    let app = Router::new().route("/orders/{id}", get(|| async {}));
    // A fallback's layers run before its routes are matched.
    let address = serve(Router::new().fallback_service(XrayHttpLayer::new().layer(app))).await;
    exchange(address, "GET /orders/7 HTTP/1.1").await;
    assert_eq!(only_segment(&rig.trace_of(1))["metadata"]["default"], json!({"operation": "GET"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sampler_is_asked_with_host_method_and_path() {
    let rig = rig();
    let app = Router::new().fallback(|| async { "" }).layer(XrayHttpLayer::new());
    let address = serve(app).await;
    for line in
        ["GET /quiet/a HTTP/1.1\nHost: quiet.example", "GET /quiet/b?c HTTP/1.1\nHost: quiet.example:80"]
    {
        exchange(address, line).await;
    }
    let others = [
        "GET /loud/a HTTP/1.1\nHost: quiet.example",
        "POST /quiet/a HTTP/1.1\nHost: quiet.example",
        "GET /quiet/a HTTP/1.1\nHost: shop.example",
    ];
    for (i, line) in others.iter().enumerate() {
        exchange(address, line).await;
        let _ = rig.documents(i + 1);
    }
    let received = rig.received();
    let requests = received.documents().iter().map(|document| &document.json()["http"]["request"]);
    let requests =
        requests.map(|request| (request["method"].as_str().unwrap(), request["url"].as_str().unwrap()));
    assert_eq!(
        requests.collect::<Vec<_>>(),
        [
            ("GET", "http://quiet.example/loud/a"),
            ("POST", "http://quiet.example/quiet/a"),
            ("GET", "http://shop.example/quiet/a"),
        ]
    );
}

/// Says hello, and fails below `/broken`.
async fn hello(request: Request<Incoming>) -> Result<Response<String>, io::Error> {
    drop(info_span!("work"));
    match request.uri().path() {
        "/broken" => Err(io::Error::other("no disk")),
        _ => Ok(Response::new("hello".to_owned())),
    }
}

/// One connection of a hyper server without a framework.
async fn serve_hyper() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, peer) = listener.accept().await.unwrap();
        let service = ServiceBuilder::new()
            // hyper tells nobody who the peer is; the server does.
            .map_request(move |mut request: Request<Incoming>| {
                request.extensions_mut().insert(peer);
                request
            })
            .layer(XrayHttpLayer::new())
            .service_fn(hello);
        let service = TowerToHyperService::new(service);
        http1::Builder::new().serve_connection(TokioIo::new(stream), service).await
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_hyper_needs_no_framework() {
    let rig = rig();
    let address = serve_hyper().await;
    assert!(exchange(address, "GET /hello HTTP/1.1").await.ends_with("hello"));
    let trace = rig.trace_of(2);
    assert_eq!(picture(&trace), "◆ shop  200 ok\n└─ work\n");
    assert_eq!(
        find(&trace, "shop").json()["http"],
        json!({
            "request": {"method": "GET", "url": "http://shop.example/hello", "client_ip": "127.0.0.1"},
            "response": {"status": 200, "content_length": 5},
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_fails_to_answer_is_at_fault_with_its_error() {
    let rig = rig();
    let address = serve_hyper().await;
    assert_eq!(exchange(address, "GET /broken HTTP/1.1").await, "");
    let trace = rig.trace_of(2);
    let segment = find(&trace, "shop").json();
    assert_eq!((&segment["fault"], segment.get("error")), (&json!(true), None));
    let exception = &segment["cause"]["exceptions"][0];
    assert_eq!(
        (&exception["type"], &exception["message"]),
        (&json!("std::io::error::Error"), &json!("no disk"))
    );
    assert_eq!(segment["http"].get("response"), None);
}

#[test]
fn the_layer_is_small_and_goes_wherever_its_service_does() {
    fn is_service<S>(_: &S)
    where
        S: Clone
            + tower::Service<
                Request<String>,
                Response = Response<xray_tracing_layer::http::XrayHttpBody<String>>,
            >,
    {
    }
    // Neither `Send` nor `Sync`, as on a runtime of one thread.
    let local = std::rc::Rc::new("hello");
    let service = XrayHttpLayer::new().layer(service_fn(move |_: Request<String>| {
        let local = local.clone();
        async move { Ok::<_, Infallible>(Response::new(local.to_string())) }
    }));
    is_service(&service);
    assert!(size_of::<XrayHttpLayer>() <= 3 * size_of::<usize>());
}
