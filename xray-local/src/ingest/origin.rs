//! Callees: the node that a call of another service leads to, and the names that the service gives to it.
//!
//! No table of this is published. Each row follows documents and graphs that the service returned, as far as such
//! are public; the names of queues and buckets are chosen.

use std::borrow::Cow;

use super::document::Span;
use crate::model::NodeRef;

/// The node of a segment that was received.
pub(super) fn node_of<'s>(span: &'s Span<'_>) -> NodeRef<'s> {
    let kind = span.origin.as_deref().unwrap_or_default();
    NodeRef { name: canonical(span), kind: kind.into(), account: account(span) }
}

/// The node of an inferred segment. `span` is a subsegment with namespace `aws` or `remote`.
pub(super) fn node<'s>(span: &'s Span<'_>) -> NodeRef<'s> {
    let name = canonical(span);
    let (name, kind) = if span.namespace.as_deref() == Some("aws") {
        aws_node(span, name)
    } else if span.sql.0 {
        (name, "Database::SQL".into())
    } else {
        (name, "remote".into())
    };
    NodeRef { name, kind, account: account(span) }
}

fn account<'s>(span: &'s Span<'_>) -> &'s str {
    span.aws.as_ref().and_then(|aws| aws.account_id.as_deref()).unwrap_or_default()
}

fn aws_node<'s>(span: &'s Span<'_>, name: &'s str) -> (&'s str, Cow<'s, str>) {
    let aws = span.aws.as_deref();
    let member = |pick: fn(&'s super::document::Aws<'s>) -> &'s Option<Cow<'s, str>>| {
        aws.and_then(|aws| pick(aws).as_deref()).filter(|value| !value.is_empty())
    };
    if let Some(table) = member(|aws| &aws.table_name) {
        return (table, "AWS::DynamoDB::Table".into());
    }
    if let Some(url) = member(|aws| &aws.queue_url) {
        // Chosen, not known: the last part of the queue's URL, which is its name.
        return (url.rsplit('/').next().unwrap_or(url), "AWS::SQS::Queue".into());
    }
    if name == "S3" && member(|aws| &aws.bucket_name).is_some() {
        return (name, "AWS::S3::Bucket".into());
    }
    if let Some(function) = member(|aws| &aws.function_name).filter(|_| name == "Lambda") {
        return (function, "AWS::Lambda".into());
    }
    let kind = format!("AWS::{name}");
    (name, kind.into())
}

/// The name of a subsegment as the service returns it: some SDKs write `dynamodb` for `DynamoDB`.
pub(super) fn canonical<'s>(span: &'s Span<'_>) -> &'s str {
    let name = span.name.as_deref().unwrap_or_default();
    if span.namespace.as_deref() != Some("aws") {
        return name;
    }
    canonical_aws(name)
}

/// The service's spelling of an AWS service's name; a name that is not known stays.
pub(super) fn canonical_aws(name: &str) -> &str {
    match name {
        "dynamodb" => "DynamoDB",
        "s3" => "S3",
        "sqs" => "SQS",
        "sns" => "SNS",
        "lambda" => "Lambda",
        _ => name,
    }
}

/// The members of `aws` whose value the service repeats in `resource_names`.
pub(super) const RESOURCE_MEMBERS: [&str; 4] = ["bucket_name", "table_name", "topic_arn", "function_name"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_called_becomes_a_node() {
        for (document, name, kind) in [
            (
                r#"{"name":"dynamodb","namespace":"aws","aws":{"table_name":"games"}}"#,
                "games",
                "AWS::DynamoDB::Table",
            ),
            (r#"{"name":"DynamoDB","namespace":"aws","aws":{}}"#, "DynamoDB", "AWS::DynamoDB"),
            (r#"{"name":"s3","namespace":"aws","aws":{"bucket_name":"pictures"}}"#, "S3", "AWS::S3::Bucket"),
            (
                r#"{"name":"SNS","namespace":"aws","aws":{"topic_arn":"arn:aws:sns:x:1:t"}}"#,
                "SNS",
                "AWS::SNS",
            ),
            (
                r#"{"name":"sqs","namespace":"aws","aws":{"queue_url":"https://sqs.eu-west-1.amazonaws.com/1/orders"}}"#,
                "orders",
                "AWS::SQS::Queue",
            ),
            (
                r#"{"name":"lambda","namespace":"aws","aws":{"function_name":"resize"}}"#,
                "resize",
                "AWS::Lambda",
            ),
            (r#"{"name":"rdsdataservice","namespace":"aws"}"#, "rdsdataservice", "AWS::rdsdataservice"),
            (r#"{"name":"shop@db","namespace":"remote","sql":{}}"#, "shop@db", "Database::SQL"),
            (r#"{"name":"dynamodb","namespace":"remote"}"#, "dynamodb", "remote"),
        ] {
            let span = Span::read(document.as_bytes()).unwrap().unwrap();
            assert_eq!(node(&span), NodeRef { name, kind: kind.into(), account: "" }, "{document}");
        }
    }

    #[test]
    fn a_resource_of_another_account_is_a_node_of_that_account() {
        let document = br#"{"name":"S3","namespace":"aws","aws":{"account_id":"123"}}"#;
        assert_eq!(node(&Span::read(document).unwrap().unwrap()).account, "123");
    }
}
