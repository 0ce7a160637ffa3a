//! The function without a subscriber: its spans are disabled.

mod order;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use tracing::instrument;

#[tokio::main]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(handle)).await
}

#[instrument(skip_all)]
async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    order::order(event).await
}
