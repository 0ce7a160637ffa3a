//! Callees: the node that a call of another service leads to, and the names that the service gives to it.
//!
//! No table of this is published. Each row follows documents and graphs that the service returned, as far as such
//! are public; the names of queues and buckets are chosen.

use std::borrow::Cow;

use super::document::Span;
use crate::model::NodeName;

/// The node of a segment that was received.
pub(super) fn node_of(span: &Span<'_>) -> NodeName {
    let account = span.aws.as_ref().and_then(|aws| aws.account_id.as_deref()).unwrap_or_default();
    NodeName {
        name: canonical(span).into_owned(),
        kind: span.origin.as_deref().unwrap_or_default().to_owned(),
        account: account.to_owned(),
    }
}

/// The node of an inferred segment. `span` is a subsegment with namespace `aws` or `remote`.
pub(super) fn node(span: &Span<'_>) -> NodeName {
    let name = canonical(span);
    let (name, kind): (Cow<'_, str>, Cow<'_, str>) = if span.namespace.as_deref() == Some("aws") {
        aws_node(span, name)
    } else if span.sql.0 {
        (name, "Database::SQL".into())
    } else {
        (name, "remote".into())
    };
    let account = span.aws.as_ref().and_then(|aws| aws.account_id.as_deref()).unwrap_or_default();
    NodeName { name: name.into_owned(), kind: kind.into_owned(), account: account.to_owned() }
}

fn aws_node<'s>(span: &'s Span<'_>, name: Cow<'s, str>) -> (Cow<'s, str>, Cow<'s, str>) {
    let aws = span.aws.as_deref();
    let member = |pick: fn(&'s super::document::Aws<'s>) -> &'s Option<Cow<'s, str>>| {
        aws.and_then(|aws| pick(aws).as_deref()).filter(|value| !value.is_empty())
    };
    if let Some(table) = member(|aws| &aws.table_name) {
        return (table.into(), "AWS::DynamoDB::Table".into());
    }
    if let Some(url) = member(|aws| &aws.queue_url) {
        // Chosen, not known: the last part of the queue's URL, which is its name.
        return (url.rsplit('/').next().unwrap_or(url).into(), "AWS::SQS::Queue".into());
    }
    if name == "S3" && member(|aws| &aws.bucket_name).is_some() {
        return (name, "AWS::S3::Bucket".into());
    }
    if let Some(function) = member(|aws| &aws.function_name).filter(|_| name == "Lambda") {
        return (function.into(), "AWS::Lambda".into());
    }
    let kind = format!("AWS::{name}");
    (name, kind.into())
}

/// The name of a subsegment as the service returns it: some SDKs write `dynamodb` for `DynamoDB`.
pub(super) fn canonical<'s>(span: &'s Span<'_>) -> Cow<'s, str> {
    let name = span.name.as_deref().unwrap_or_default();
    if span.namespace.as_deref() != Some("aws") {
        return name.into();
    }
    canonical_aws(name).into()
}

/// The service's spelling of an AWS service's name; a name that is not known stays.
pub(super) fn canonical_aws(name: &str) -> &str {
    const NAMES: [&str; 5] = ["DynamoDB", "S3", "SQS", "SNS", "Lambda"];
    NAMES.into_iter().find(|known| known.to_ascii_lowercase() == name).unwrap_or(name)
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
            assert_eq!(node(&span), NodeName::new(name, kind), "{document}");
        }
    }

    #[test]
    fn a_resource_of_another_account_is_a_node_of_that_account() {
        let document = br#"{"name":"S3","namespace":"aws","aws":{"account_id":"123"}}"#;
        assert_eq!(node(&Span::read(document).unwrap().unwrap()).account, "123");
    }
}
