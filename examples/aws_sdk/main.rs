//! The AWS SDK: each call is a subsegment, with its table, bucket or queue, its request id and its retries.
//!
//! `cargo run --features aws-sdk --bin aws_sdk` calls a stand-in for AWS inside this program (`endpoint.rs`). A program
//! that calls AWS itself takes its `SdkConfig` from `aws_config`; the rest is the same.

mod config;
mod endpoint;

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::primitives::ByteStream;
use aws_types::SdkConfig;
use tracing::instrument;
use tracing_subscriber::prelude::*;
use xray_tracing_layer::XrayInterceptor;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let layer = xray_tracing_layer::builder()
        .service_name("shop")
        .report_problems(Duration::from_secs(10))
        .build()?;
    tracing_subscriber::registry().with(layer).init();

    let sdk = config::of(endpoint::start().await?);
    order(&sdk).await
}

/// Four calls: two succeed at once, one is for an object that does not exist, one is throttled first.
#[instrument(skip_all, err)]
async fn order(sdk: &SdkConfig) -> Result<(), Box<dyn std::error::Error>> {
    let config = aws_sdk_dynamodb::config::Builder::from(sdk).interceptor(XrayInterceptor::new());
    let dynamodb = aws_sdk_dynamodb::Client::from_conf(config.build());
    let config = aws_sdk_s3::config::Builder::from(sdk).interceptor(XrayInterceptor::new());
    let s3 = aws_sdk_s3::Client::from_conf(config.force_path_style(true).build());
    let config = aws_sdk_sqs::config::Builder::from(sdk).interceptor(XrayInterceptor::new());
    let sqs = aws_sdk_sqs::Client::from_conf(config.build());

    dynamodb.get_item().table_name("orders").key("id", AttributeValue::S("7".into())).send().await?;
    let former = s3.get_object().bucket("invoices").key("7.pdf").send().await;
    if former.is_err_and(|err| err.as_service_error().is_some_and(GetObjectError::is_no_such_key)) {
        s3.put_object().bucket("invoices").key("7.pdf").body(ByteStream::from_static(b"-")).send().await?;
    }
    let queue = "https://sqs.eu-central-1.amazonaws.com/123456789012/mail";
    sqs.send_message().queue_url(queue).message_body("your invoice").send().await?;
    println!("ordered");
    Ok(())
}
