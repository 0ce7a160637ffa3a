//! An order that calls DynamoDB, S3 and SQS by the AWS SDK, and the trace that it leaves. Built with
//! `--features aws-sdk`.
//!
//! What answers is an endpoint in this program (`endpoint.rs`); the clients are as in a program that talks to AWS, but
//! for their `SdkConfig`, which `aws_config` would make. The trace goes to the daemon that `AWS_XRAY_DAEMON_ADDRESS`
//! names, else to a collector inside this program, which checks and draws it.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a program talks to people")]

mod endpoint;

use std::error::Error;
use std::time::Duration;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::primitives::ByteStream;
use aws_types::SdkConfig;
use tracing_subscriber::prelude::*;
use xray_sdk::local::{Collector, Node, Waterfall};
use xray_sdk::sampling::Always;
use xray_tracing_layer::XrayInterceptor;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let collector = Collector::start()?;
    let builder = xray_tracing_layer::builder().service_name("shop").sampler(Always);
    let layer = builder.daemon_address(&collector.daemon_address()).build()?;
    tracing_subscriber::registry().with(layer).init();

    let credentials = Credentials::new("AKIDEXAMPLE", "none", None, None, "example");
    let sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(endpoint::start().await?)
        .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(20)))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    order(&sdk).await?;

    if std::env::var_os("AWS_XRAY_DAEMON_ADDRESS").is_some() {
        return Ok(());
    }
    collector.wait_for_documents(1, Duration::from_secs(5));
    let received = collector.received();
    received.traces().iter().for_each(|trace| println!("{}", Waterfall::for_stdout(trace)));
    let calls = received.traces().iter().map(|trace| trace.nodes().filter(Node::is_subsegment).count()).sum();
    match (received.problems().is_empty(), calls) {
        (true, 4) => Ok(()),
        (_, calls) => Err(format!("{calls} calls of 4: {:?}", received.problems()).into()),
    }
}

/// Four calls: two that succeed at once, one for an object that is not there, and one that is throttled first.
#[tracing::instrument(skip_all, err)]
async fn order(sdk: &SdkConfig) -> Result<(), Box<dyn Error>> {
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
    Ok(())
}
