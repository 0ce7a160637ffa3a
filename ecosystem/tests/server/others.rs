//! Segments of servers whose spans are somebody else's: tower-http's, axum-tracing-opentelemetry's,
//! tracing-actix-web's; and what becomes of the first inside of our layer.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use axum_tracing_opentelemetry::middleware::OtelAxumLayer;
use ecosystem::{find, picture};
use serde_json::{Value, json};
use tower_http::trace::TraceLayer;
use tracing::info_span;
use tracing_actix_web::TracingLogger;
use xray_tracing_layer::XrayHttpLayer;

use super::{exchange, rig, serve};

fn app() -> Router {
    let order = || async {
        drop(info_span!("work"));
        "an order"
    };
    Router::new()
        .route("/orders/{id}", get(order))
        .route("/broken", get(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
}

/// Without what differs from run to run.
fn pruned(document: &Value) -> Value {
    let mut pruned = document.clone();
    for key in ["id", "trace_id", "parent_id", "start_time", "end_time", "aws", "service"] {
        pruned.as_object_mut().unwrap().remove(key);
    }
    pruned
}

#[tokio::test(flavor = "multi_thread")]
async fn tower_https_request_is_a_segment_with_its_status() {
    let rig = rig();
    let address = serve(app().layer(TraceLayer::new_for_http())).await;
    exchange(address, "GET /orders/7?token=secret HTTP/1.1").await;
    let trace = rig.trace_of(2);
    assert_eq!(picture(&trace), "◆ shop  200 ok\n└─ work\n");
    assert_eq!(
        pruned(find(&trace, "shop").json()),
        json!({
            "name": "shop",
            "http": {"request": {"method": "GET", "url": "/orders/7"}, "response": {"status": 200}},
            "metadata": {"default": {"operation": "request"}},
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn tower_https_failure_is_a_fault_with_its_status() {
    let rig = rig();
    let address = serve(app().layer(TraceLayer::new_for_http())).await;
    exchange(address, "GET /broken HTTP/1.1").await;
    let trace = rig.trace_of(1);
    assert_eq!(
        pruned(find(&trace, "shop").json()),
        json!({
            "name": "shop",
            "fault": true,
            "http": {"request": {"method": "GET", "url": "/broken"}, "response": {"status": 500}},
            "metadata": {"default": {"operation": "request"}},
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn tower_https_request_inside_of_ours_is_its_subsegment() {
    let rig = rig();
    let address = serve(app().layer(TraceLayer::new_for_http()).layer(XrayHttpLayer::new())).await;
    exchange(address, "GET /orders/7 HTTP/1.1").await;
    let trace = rig.trace_of(3);
    assert_eq!(picture(&trace), "◆ shop  200 ok\n└─ request  200 ok\n   └─ work\n");
    assert_eq!(find(&trace, "shop").json()["http"]["request"]["url"], "http://shop.example/orders/7");
    assert_eq!(
        pruned(find(&trace, "request").json()),
        json!({
            "name": "request",
            "http": {"request": {"method": "GET", "url": "/orders/7"}, "response": {"status": 200}},
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn axum_tracing_opentelemetrys_request_is_a_segment() {
    let rig = rig();
    let address = serve(app().layer(OtelAxumLayer::default().try_extract_client_ip(true))).await;
    exchange(
        address,
        "GET /orders/7?token=secret HTTP/1.1\nUser-Agent: curl/8\nX-Forwarded-For: 203.0.113.9",
    )
    .await;
    let trace = rig.trace_of(2);
    assert_eq!(picture(&trace), "◆ shop  200 ok\n└─ work\n");
    // No `client_ip`: its span has the field by another name than the one that it records.
    assert_eq!(
        pruned(find(&trace, "shop").json()),
        json!({
            "name": "shop",
            "http": {
                "request": {"method": "GET", "url": "http://shop.example/orders/7", "user_agent": "curl/8"},
                "response": {"status": 200},
            },
            "metadata": {"default": {
                "operation": "GET /orders/{id}",
                "http.route": "/orders/{id}",
                "network.protocol.version": "1.1",
                "span.type": "web",
            }},
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn tracing_actix_webs_request_is_a_segment() {
    use actix_web::{App, HttpResponse, HttpServer, web};
    let rig = rig();
    let order = || async {
        drop(info_span!("work"));
        HttpResponse::Ok().body("an order")
    };
    let broken =
        || async { Err::<HttpResponse, _>(actix_web::error::ErrorInternalServerError("no database")) };
    let app = move || {
        App::new()
            .wrap(TracingLogger::default())
            .route("/orders/{id}", web::get().to(order))
            .route("/broken", web::get().to(broken))
    };
    let server = HttpServer::new(app).workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
    let address = server.addrs()[0];
    let server = server.run();
    let handle = server.handle();
    tokio::spawn(server);
    exchange(address, "GET /orders/7?token=secret HTTP/1.1\nUser-Agent: curl/8").await;
    let trace = rig.trace_of(2);
    assert_eq!(picture(&trace), "◆ shop  200 ok\n└─ work\n");
    let mut segment = pruned(find(&trace, "shop").json());
    segment["metadata"]["default"].as_object_mut().unwrap().remove("request_id");
    assert_eq!(
        segment,
        json!({
            "name": "shop",
            "http": {
                "request": {
                    "method": "GET",
                    "url": "http://shop.example/orders/7",
                    "client_ip": "127.0.0.1",
                    "user_agent": "curl/8",
                },
                "response": {"status": 200},
            },
            "metadata": {"default": {
                "operation": "GET /orders/{id}",
                "http.flavor": "1.1",
                "http.route": "/orders/{id}",
            }},
        })
    );
    let rig = {
        drop(rig);
        super::rig()
    };
    exchange(address, "GET /broken HTTP/1.1").await;
    let trace = rig.trace_of(1);
    let segment = find(&trace, "shop").json();
    assert_eq!((&segment["fault"], &segment["http"]["response"]["status"]), (&json!(true), &json!(500)));
    let exception = &segment["cause"]["exceptions"][0];
    assert!(exception["message"].as_str().unwrap().contains("no database"), "{segment:#}");
    handle.stop(true).await;
}
