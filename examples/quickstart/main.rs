//! A web server, real requests, and the traces they leave.
//!
//! `cargo run --bin quickstart` serves a small shop on a loopback port, sends it requests over HTTP, and draws the
//! traces that the layer sends to a collector inside this program. `-- --documents` prints the documents, too.
//!
//! `-- --local` sends to an `xray-local` instead, which is started as a child process, and says where to look.

mod calls;
mod handlers;
mod shop;
mod x_ray;

use std::error::Error;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use tracing_subscriber::prelude::*;
use xray_sdk::local::{Collector, Trace, Waterfall};
use xray_sdk::sampling::Always;

use x_ray::XRay;

const REQUESTS: [(&str, &str); 4] =
    [("GET", "/orders/7"), ("GET", "/orders/0"), ("POST", "/orders/7/payment"), ("GET", "/report")];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().any(|arg| arg == "--local") {
        return local().await;
    }
    let collector = Collector::start()?;
    let layer = xray_tracing_layer::builder()
        .service_name("shop")
        .sampler(Always)
        .daemon_address(&collector.daemon_address())
        .report_problems(Duration::from_secs(10))
        .build()?;
    tracing_subscriber::registry().with(layer).init();

    send_requests().await?;

    // A trace is whole when its first span, which outlives the request in one of them, has arrived.
    let is_whole = |trace: &Trace| trace.nodes().any(|node| node.parent_id().is_none());
    collector.wait_for(Duration::from_secs(10), |received| {
        received.traces().iter().filter(|trace| is_whole(trace)).count() == REQUESTS.len()
    });
    let received = collector.received();
    for trace in received.traces() {
        println!("\n{}", Waterfall::for_stdout(&trace));
    }
    if std::env::args().any(|arg| arg == "--documents") {
        received.documents().iter().for_each(|document| println!("{:#}\n", document.json()));
    }
    received.problems().iter().for_each(|problem| eprintln!("{problem}"));
    Ok(())
}

async fn send_requests() -> Result<(), Box<dyn Error>> {
    let shop = shop::start().await?;
    for (method, path) in REQUESTS {
        let request = Request::builder().method(method).uri(shop.url(path)).body(Body::empty())?;
        println!("{method} {path}: {}", shop.client.request(request).await?.status());
    }
    Ok(())
}

/// The same requests, with their traces in an `xray-local` that is there until Enter is pressed.
async fn local() -> Result<(), Box<dyn Error>> {
    let x_ray = XRay::start()?;
    let layer = xray_tracing_layer::builder()
        .service_name("shop")
        .sampler(Always)
        .daemon_address(x_ray.daemon_address())
        .report_problems(Duration::from_secs(10))
        .build()?;
    tracing_subscriber::registry().with(layer).init();
    send_requests().await?;
    let endpoint = x_ray.endpoint();
    println!("\nX-Ray is at {endpoint}: open it in a browser, or run");
    println!("  xray-local map --endpoint {endpoint}");
    println!("  xray-local show latest --endpoint {endpoint}");
    println!("Enter ends it.");
    x_ray.wait()?;
    Ok(())
}
