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
use xray_sdk::document::internal::{Key, keys};

/// A member of an input, and its name in a document.
struct Member {
    name: &'static str,
    field: &'static str,
    key: Key<'static>,
}

macro_rules! members {
    ($($name:literal => $field:literal, $key:ident);* $(;)?) => {
        &[$(Member { name: $name, field: $field, key: keys::$key }),*]
    };
}

/// Returns the members that the official SDKs write (their `aws_para_whitelist.json`), as far as they are
/// strings.
fn members_of(service: &str) -> &'static [Member] {
    match service {
        "dynamodb" => members! {
            "TableName" => "aws.table_name", TABLE_NAME;
            "IndexName" => "aws.index_name", INDEX_NAME;
            "ProjectionExpression" => "aws.projection_expression", PROJECTION_EXPRESSION;
            "ExclusiveStartTableName" => "aws.exclusive_start_table_name", EXCLUSIVE_START_TABLE_NAME;
        },
        "s3" => members! {
            "Bucket" => "aws.bucket_name", BUCKET_NAME;
            "Key" => "aws.key", KEY;
            "VersionId" => "aws.version_id", VERSION_ID;
            "Prefix" => "aws.prefix", PREFIX;
            "CopySource" => "aws.copy_source", COPY_SOURCE;
        },
        "sqs" => members! {
            "QueueUrl" => "aws.queue_url", QUEUE_URL;
            "QueueName" => "aws.queue_name", QUEUE_NAME;
            "QueueNamePrefix" => "aws.queue_name_prefix", QUEUE_NAME_PREFIX;
            "QueueOwnerAWSAccountId" => "aws.queue_owner_aws_account_id", QUEUE_OWNER_AWS_ACCOUNT_ID;
            "Label" => "aws.label", LABEL;
        },
        "sns" => members! { "TopicArn" => "aws.topic_arn", TOPIC_ARN },
        "lambda" => members! {
            "FunctionName" => "aws.function_name", FUNCTION_NAME;
            "InvocationType" => "aws.invocation_type", INVOCATION_TYPE;
            "LogType" => "aws.log_type", LOG_TYPE;
            "Qualifier" => "aws.qualifier", QUALIFIER;
        },
        "sagemaker" => members! { "EndpointName" => "aws.endpoint_name", ENDPOINT_NAME },
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
