//! A Lambda function, as the README shows it. Built with `--features lambda`, run by Lambda's runtime.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};
use tracing_subscriber::{EnvFilter, fmt, prelude::*};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let layer = xray_tracing_layer::builder().report_problems(std::time::Duration::from_secs(10)).build()?;
    let logs = fmt::layer().json().with_filter(EnvFilter::from_default_env());
    tracing_subscriber::registry().with(layer).with(logs).init();
    lambda_runtime::run(service_fn(handle)).await
}

// Without `err`, only the runtime would see the error, and `handle` would look like a success.
#[tracing::instrument(skip_all, err)]
async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let order = event.payload["order"].as_u64().ok_or("`order` must be a number")?;
    Ok(json!({ "order": order }))
}
