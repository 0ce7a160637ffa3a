//! A gRPC server and a client of it: a call is a subsegment of the caller, and the served request a segment.
//!
//! `cargo run --features grpc --bin grpc` serves the health protocol on a loopback port, and asks it twice.

use std::time::Duration;

use tokio::net::TcpListener;
use tonic::Code;
use tonic::transport::server::{TcpConnectInfo, TcpIncoming};
use tonic::transport::{Channel, Endpoint, Server};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_health::server::health_reporter;
use tower_layer::Layer;
use tracing::instrument;
use tracing_subscriber::prelude::*;
use xray_tracing_layer::http::XrayHttpClientService;
use xray_tracing_layer::{XrayHttpClientLayer, XrayHttpLayer};

type Client = HealthClient<XrayHttpClientService<Channel>>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let layer = xray_tracing_layer::builder()
        .service_name("shop")
        .report_problems(Duration::from_secs(10))
        .build()?;
    tracing_subscriber::registry().with(layer).init();

    look_around(&mut connect(serve().await?).await?).await;
    Ok(())
}

/// Serves on a port of its own, at the returned URL.
async fn serve() -> Result<String, std::io::Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let layer = XrayHttpLayer::new().peer_address(|with| with.get::<TcpConnectInfo>()?.remote_addr());
    let server = Server::builder().layer(layer).add_service(health_reporter().1);
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    Ok(url)
}

/// `with_origin` names the server: tonic adds the host only behind the layer.
async fn connect(url: String) -> Result<Client, Box<dyn std::error::Error>> {
    let channel = Endpoint::from_shared(url.clone())?.connect().await?;
    Ok(HealthClient::with_origin(XrayHttpClientLayer::new().layer(channel), url.parse()?))
}

#[instrument(skip_all)]
async fn look_around(client: &mut Client) {
    println!("the server itself: {:?}", check(client, "").await);
    println!("the orders: {:?}", check(client, "shop.Orders").await);
}

async fn check(client: &mut Client, service: &str) -> Result<i32, Code> {
    let response = client.check(HealthCheckRequest { service: service.to_owned() }).await;
    response.map(|response| response.get_ref().status).map_err(|status| status.code())
}
