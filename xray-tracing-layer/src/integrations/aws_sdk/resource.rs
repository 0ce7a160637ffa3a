//! The names of a call's resources, which X-Ray draws as nodes: a table, a bucket, a queue. Contents are
//! never read.
//!
//! The SDK provides members of an operation's input, if they are requested before the operation begins. At
//! that time only the client is known. So all members are requested that any operation of its service may
//! have.

use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::telemetry::{CapturedTelemetryAttributes, RequestedTelemetryAttributes};
use aws_types::SigningName;

use super::call_body::CallBody;

/// A member of an input, and its name in a document.
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

/// Returns the members that the official SDKs write (their `aws_para_whitelist.json`), as far as they are
/// strings.
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

/// Requests the names from the SDK, in addition to those that the user requests.
pub(super) fn request(cfg: &mut ConfigBag) {
    let members = members(cfg);
    if !members.is_empty() {
        let mut requested = cfg.load::<RequestedTelemetryAttributes>().cloned().unwrap_or_default();
        requested.capture_only(members.iter().map(|member| member.name));
        cfg.interceptor_state().store_put(requested);
    }
}

/// Puts the names that the SDK provides. Others may have requested more.
pub(super) fn put(cfg: &ConfigBag, body: &mut CallBody<'_, '_>) {
    if let Some(captured) = cfg.load::<CapturedTelemetryAttributes>() {
        for member in members(cfg) {
            if let Some(value) = captured.get(member.name) {
                body.str(member.field, member.key, value);
            }
        }
    }
}

fn members(cfg: &ConfigBag) -> &'static [Member] {
    cfg.load::<SigningName>().map_or(&[], |service| members_of(service.as_ref()))
}
