//! What a call is about, by the names that X-Ray draws as nodes: a table, a bucket, a queue. The names and no more:
//! nothing that is stored, sent or asked for comes in here.
//!
//! The SDK hands out members of an operation's input to whoever asks for them before the operation begins. At that
//! time only the client is known, so what is asked for is what any operation of its service may have.

use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::telemetry::{CapturedTelemetryAttributes, RequestedTelemetryAttributes};
use aws_types::SigningName;

use super::call_span::CallBody;

/// A member of an input, and what it is called in a document.
struct Member {
    name: &'static str,
    field: &'static str,
    key: &'static str,
}

macro_rules! members {
    ($($name:literal => $key:literal),* $(,)?) => {
        &[$(Member { name: $name, field: concat!("aws.", $key), key: concat!("\"", $key, "\":") }),*]
    };
}

/// The strings among those that the official SDKs write (their `aws_para_whitelist.json`).
fn members_of(service: &str) -> &'static [Member] {
    match service {
        "dynamodb" => members! {
            "TableName" => "table_name",
            "IndexName" => "index_name",
            "ProjectionExpression" => "projection_expression",
            "ExclusiveStartTableName" => "exclusive_start_table_name",
        },
        "s3" => members! {
            "Bucket" => "bucket_name",
            "Key" => "key",
            "VersionId" => "version_id",
            "Prefix" => "prefix",
            "CopySource" => "copy_source",
        },
        "sqs" => members! {
            "QueueUrl" => "queue_url",
            "QueueName" => "queue_name",
            "QueueNamePrefix" => "queue_name_prefix",
            "QueueOwnerAWSAccountId" => "queue_owner_aws_account_id",
            "Label" => "label",
        },
        "sns" => members! { "TopicArn" => "topic_arn" },
        "lambda" => members! {
            "FunctionName" => "function_name",
            "InvocationType" => "invocation_type",
            "LogType" => "log_type",
            "Qualifier" => "qualifier",
        },
        "sagemaker" => members! { "EndpointName" => "endpoint_name" },
        _ => &[],
    }
}

/// Asks the SDK for the names, beside what the user asks for.
pub(super) fn request(cfg: &mut ConfigBag) {
    let members = members(cfg);
    if !members.is_empty() {
        let mut requested = cfg.load::<RequestedTelemetryAttributes>().cloned().unwrap_or_default();
        requested.capture_only(members.iter().map(|member| member.name));
        cfg.interceptor_state().store_put(requested);
    }
}

/// Puts the names that the SDK has handed out. Others may have asked for more.
pub(super) fn put(cfg: &ConfigBag, put: &mut CallBody<'_>) {
    if let Some(captured) = cfg.load::<CapturedTelemetryAttributes>() {
        for member in members(cfg) {
            if let Some(value) = captured.get(member.name) {
                put.str(member.field, member.key, value);
            }
        }
    }
}

fn members(cfg: &ConfigBag) -> &'static [Member] {
    cfg.load::<SigningName>().map_or(&[], |service| members_of(service.as_ref()))
}
