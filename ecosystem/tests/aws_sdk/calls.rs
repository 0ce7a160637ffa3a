//! Calls that are answered, and what is in their documents.

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::primitives::ByteStream;
use serde_json::json;

use crate::endpoint::Answer::Say;
use crate::shop::check;

#[test]
fn a_call_tells_of_its_table_and_of_its_request() {
    check(
        &[Say(200, &[("x-amzn-requestid", "R1")], r#"{"Item":{"id":{"S":"7"}}}"#)],
        async |shop| {
            let call = shop.dynamodb.get_item().table_name("orders").key("id", AttributeValue::S("7".into()));
            assert_eq!(call.send().await.unwrap().item().map(std::collections::HashMap::len), Some(1));
        },
        json!({
            "name": "DynamoDB", "namespace": "aws",
            "http": {"response": {"status": 200, "content_length": 25}},
            "aws": {
                "operation": "GetItem", "region": "eu-central-1", "request_id": "R1", "retries": 0,
                "table_name": "orders",
            },
        }),
        json!({
            "name": "DynamoDB", "namespace": "aws",
            "aws": {"operation": "GetItem", "request_id": "R1", "retries": 0},
        }),
    );
}

#[test]
fn an_object_is_named_by_its_bucket_and_its_key() {
    check(
        &[Say(200, &[("x-amz-request-id", "R2"), ("x-amz-id-2", "two")], "")],
        async |shop| {
            let body = ByteStream::from_static(b"a secret");
            shop.s3.put_object().bucket("invoices").key("2026/7.pdf").body(body).send().await.unwrap();
        },
        json!({
            "name": "S3", "namespace": "aws",
            "http": {"response": {"status": 200, "content_length": 0}},
            "aws": {
                "operation": "PutObject", "region": "eu-central-1", "request_id": "R2", "id_2": "two", "retries": 0,
                "bucket_name": "invoices", "key": "2026/7.pdf",
            },
        }),
        json!({
            "name": "S3", "namespace": "aws",
            "aws": {"operation": "PutObject", "request_id": "R2", "id_2": "two", "retries": 0},
        }),
    );
}

#[test]
fn an_object_that_streams_is_a_call_until_its_headers_came() {
    check(
        &[Say(200, &[("x-amz-request-id", "R3"), ("x-amz-id-2", "two")], "contents")],
        async |shop| {
            let call = shop.s3.get_object().bucket("invoices").key("7.pdf").version_id("v1");
            let object = call.send().await.unwrap();
            assert_eq!(&*object.body.collect().await.unwrap().into_bytes(), b"contents");
        },
        json!({
            "name": "S3", "namespace": "aws",
            "http": {"response": {"status": 200, "content_length": 8}},
            "aws": {
                "operation": "GetObject", "region": "eu-central-1", "request_id": "R3", "id_2": "two", "retries": 0,
                "bucket_name": "invoices", "key": "7.pdf", "version_id": "v1",
            },
        }),
        json!({
            "name": "S3", "namespace": "aws",
            "aws": {"operation": "GetObject", "request_id": "R3", "id_2": "two", "retries": 0},
        }),
    );
}

#[test]
fn a_message_is_known_by_its_queue_and_not_by_its_body() {
    const QUEUE: &str = "https://sqs.eu-central-1.amazonaws.com/123456789012/mail";
    check(
        &[Say(200, &[("x-amzn-requestid", "R4")], r#"{"MessageId":"m1"}"#)],
        async |shop| {
            let call =
                shop.sqs.send_message().queue_url(QUEUE).message_body("a secret").message_group_id("g");
            call.send().await.unwrap();
        },
        json!({
            "name": "SQS", "namespace": "aws",
            "http": {"response": {"status": 200, "content_length": 18}},
            "aws": {
                "operation": "SendMessage", "region": "eu-central-1", "request_id": "R4", "retries": 0,
                "queue_url": QUEUE,
            },
        }),
        json!({
            "name": "SQS", "namespace": "aws",
            "aws": {"operation": "SendMessage", "request_id": "R4", "retries": 0},
        }),
    );
}
