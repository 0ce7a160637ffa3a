//! A web server, real requests, and the traces they leave.
//!
//! `cargo run --bin quickstart` serves a small shop on a loopback port, sends it requests over HTTP, and draws the
//! traces. They go to the daemon that `AWS_XRAY_DAEMON_ADDRESS` names, else to a collector inside this program,
//! which checks them as well. `--documents` prints what was sent; `RUST_LOG=debug`, for instance, shows logs beside.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a program talks to people")]

mod calls;
mod handlers;
mod shop;

use std::error::Error;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use tracing_subscriber::{EnvFilter, fmt, prelude::*};
use xray_sdk::local::{Collector, Trace, Waterfall};
use xray_sdk::{DaemonAddress, EmitterStats, TraceHeader, TraceId, sampling::Always};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let collector = Collector::start()?;
    let (layer, handle) = xray_tracing_layer::builder()
        .service_name("shop")
        .sampler(Always)
        .daemon_address(&collector.daemon_address()) // the environment goes before it
        .build_with_handle()?;
    let var = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let logs = fmt::layer().with_writer(std::io::stderr).with_filter(EnvFilter::from_default_env());
    tracing_subscriber::registry().with(layer).with(var("RUST_LOG").map(|_| logs)).init();

    let expected = request_all().await?;
    let daemon = var("AWS_XRAY_DAEMON_ADDRESS").and_then(|address| address.parse::<DaemonAddress>().ok());
    if let Some(daemon) = daemon {
        let EmitterStats { sent, unavailable, .. } = handle.stats().emitter;
        println!("{sent} documents sent to {daemon}");
        return if unavailable == 0 { Ok(()) } else { Err(format!("{unavailable} met no listener").into()) };
    }
    let is_whole = |trace: &Trace| trace.nodes().any(|node| node.parent_id().is_none());
    collector.wait_for(Duration::from_secs(5), |received| {
        received.traces().iter().filter(|trace| is_whole(trace)).count() == expected.len()
    });
    let (received, traces) = (collector.received(), collector.received().traces());
    for trace in &traces {
        println!("{}", Waterfall::for_stdout(trace));
        let documents = received.documents().iter().filter(|document| document.trace_id() == trace.id());
        for document in documents.filter(|_| std::env::args().any(|arg| arg == "--documents")) {
            println!("{:#}\n", document.json());
        }
    }
    let problems = received.problems();
    match expected.iter().find(|id| !traces.iter().any(|trace| trace.id() == **id && is_whole(trace))) {
        Some(missing) => Err(format!("trace {missing} did not arrive: {:?}", handle.stats()).into()),
        None if problems.is_empty() => Ok(()),
        None => Err(problems.join("\n").into()),
    }
}

/// Sends each request as a load balancer before the shop would: with a header that names the trace and no more.
/// Answers the traces' ids.
async fn request_all() -> Result<Vec<String>, Box<dyn Error>> {
    let shop = shop::start().await?;
    let mut traces = Vec::new();
    for (method, path) in
        [("GET", "/orders/7"), ("GET", "/orders/0"), ("POST", "/orders/7/payment"), ("GET", "/report")]
    {
        let header = TraceHeader::new(TraceId::new());
        let request = Request::builder().method(method).uri(shop.url(path));
        let request = request.header(TraceHeader::NAME, header.to_string()).body(Body::empty())?;
        println!("{method} {path}: {}", shop.client.request(request).await?.status());
        traces.push(header.root().to_string());
    }
    println!();
    Ok(traces)
}
