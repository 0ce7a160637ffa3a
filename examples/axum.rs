//! A web server: each request is a segment, and each span inside it a subsegment.
//!
//! `cargo run --bin axum`, then `curl localhost:8080/orders/7`. With `cargo run --bin watch` in another terminal, the
//! trace is drawn there.

use std::time::Duration;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::{Router, routing::get};
use tokio::net::TcpListener;
use tracing::{info, instrument};
use tracing_subscriber::{EnvFilter, fmt, prelude::*};
use xray_tracing_layer::XrayHttpLayer;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let layer = xray_tracing_layer::builder()
        .service_name("shop")
        .report_problems(Duration::from_secs(10))
        .build()?;
    let logs = fmt::layer().with_writer(std::io::stderr).with_filter(EnvFilter::from_default_env());
    tracing_subscriber::registry().with(layer).with(logs).init();

    let app = Router::new().route("/orders/{id}", get(order)).layer(XrayHttpLayer::new());
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

async fn order(Path(id): Path<u32>) -> Result<String, StatusCode> {
    let pieces = stock(id).await.ok_or(StatusCode::NOT_FOUND)?;
    info!(id, pieces, "order shown");
    Ok(format!("{pieces} pieces"))
}

#[instrument(fields(annotation.warehouse = "north"))]
async fn stock(id: u32) -> Option<u32> {
    id.checked_mul(6).filter(|pieces| *pieces > 0)
}
