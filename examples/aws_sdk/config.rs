//! The SDK's configuration for an endpoint on loopback. `aws_config::load_defaults` makes it in a program that calls AWS.

use std::time::Duration;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use aws_types::SdkConfig;

pub(crate) fn of(endpoint: String) -> SdkConfig {
    let credentials = Credentials::new("AKIDEXAMPLE", "none", None, None, "example");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(endpoint)
        .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(20)))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build()
}
