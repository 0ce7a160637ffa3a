//! A gRPC server and a client of it, and the trace of two calls: one that is answered, one that is refused.
//!
//! `cargo run --bin grpc --features grpc` serves the health protocol on a loopback port, asks it, and draws the trace.
//! It goes to the daemon that `AWS_XRAY_DAEMON_ADDRESS` names, else to a collector inside this program, which checks
//! it as well.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a program talks to people")]

use std::error::Error;
use std::time::Duration;

use tokio::net::TcpListener;
use tonic::transport::server::{TcpConnectInfo, TcpIncoming};
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Request, Status};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_health::server::health_reporter;
use tracing::{Instrument, Span, info_span, instrument};
use tracing_subscriber::prelude::*;
use xray_sdk::local::{Collector, Waterfall};
use xray_sdk::sampling::Always;
use xray_tracing_layer::{XrayHttpLayer, current_trace_header};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let collector = Collector::start()?;
    let layer = xray_tracing_layer::builder()
        .service_name("shop")
        .sampler(Always)
        .daemon_address(&collector.daemon_address()) // the environment goes before it
        .build()?;
    tracing_subscriber::registry().with(layer).init();

    let mut client = serve().await?;
    async {
        println!("the server itself: {:?}", check(&mut client, "").await);
        println!("the orders: {:?}\n", check(&mut client, "shop.Orders").await);
    }
    .instrument(info_span!("look around"))
    .await;

    if std::env::var("AWS_XRAY_DAEMON_ADDRESS").is_ok_and(|address| !address.is_empty()) {
        return Ok(());
    }
    // The segment of whoever looks around, its two calls, and a segment of the server for each.
    let arrived = collector.wait_for(Duration::from_secs(5), |received| {
        received.traces().first().is_some_and(|trace| trace.span_count() == 5)
    });
    let received = collector.received();
    received.traces().iter().for_each(|trace| println!("{}", Waterfall::for_stdout(trace)));
    let problems = received.problems();
    match received.traces().len() {
        1 if arrived && problems.is_empty() => Ok(()),
        traces => Err(format!("{traces} traces, not one of five spans: {problems:?}").into()),
    }
}

/// One layer is all that the server needs. Answers a client of it.
async fn serve() -> Result<HealthClient<Channel>, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let layer = XrayHttpLayer::new().peer_address(|with| with.get::<TcpConnectInfo>()?.remote_addr());
    let server = Server::builder().layer(layer).add_service(health_reporter().1);
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    Ok(HealthClient::new(Endpoint::from_shared(url)?.connect().await?))
}

/// A call with a span of its own, which the server's segment hangs below.
#[instrument(skip(client), fields(otel.kind = "client", peer.service = "health", rpc.grpc.status_code))]
async fn check(client: &mut HealthClient<Channel>, service: &str) -> Result<i32, Code> {
    let mut request = Request::new(HealthCheckRequest { service: service.to_owned() });
    if let Some(Ok(header)) = current_trace_header().map(|header| header.to_string().parse()) {
        request.metadata_mut().insert("x-amzn-trace-id", header);
    }
    let answer = client.check(request).await;
    Span::current()
        .record("rpc.grpc.status_code", answer.as_ref().map_or_else(Status::code, |_| Code::Ok) as i32);
    answer.map(|answer| answer.get_ref().status).map_err(|status| status.code())
}
