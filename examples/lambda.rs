//! A Lambda function. Built with `--features lambda`, run by Lambda's runtime. The README shows it from here on.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use tracing_subscriber::{EnvFilter, fmt, prelude::*};

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing_subscriber::registry()
        .with(xray_tracing_layer::layer())
        .with(fmt::layer().json().with_filter(EnvFilter::from_default_env()))
        .init();
    lambda_runtime::run(service_fn(handle)).await
}

#[tracing::instrument(skip_all)]
async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    Ok(event.payload)
}
