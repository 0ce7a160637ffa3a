//! A client: each request of reqwest is a subsegment, and the service that is called continues the trace.
//!
//! `cargo run --features reqwest --bin reqwest -- http://localhost:8080/orders/7`, with `cargo run --bin axum` as the
//! service.

use std::time::Duration;

use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Error};
use tracing::instrument;
use tracing_subscriber::prelude::*;
use xray_tracing_layer::XrayMiddleware;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let layer = xray_tracing_layer::builder()
        .service_name("till")
        .report_problems(Duration::from_secs(10))
        .build()?;
    tracing_subscriber::registry().with(layer).init();

    let client = ClientBuilder::new(reqwest::Client::new()).with(XrayMiddleware::new()).build();
    let url = std::env::args().nth(1).unwrap_or_else(|| "http://127.0.0.1:8080/orders/7".to_owned());
    println!("{}", sell(&client, &url).await?);
    Ok(())
}

// Outside of any request of its own, this span is the segment.
#[instrument(skip_all, err)]
async fn sell(client: &ClientWithMiddleware, url: &str) -> Result<String, Error> {
    Ok(client.get(url).send().await?.error_for_status()?.text().await?)
}
