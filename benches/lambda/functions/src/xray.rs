//! The function with this workspace's layer.

mod order;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use tracing::instrument;
use tracing_subscriber::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing_subscriber::registry().with(xray_tracing_layer::layer()).init();
    lambda_runtime::run(service_fn(handle)).await
}

#[instrument(skip_all)]
async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    order::order(event).await
}
