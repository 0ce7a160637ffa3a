//! Calls that fail, each in its way: flags, causes, and no subsegment lost.

use std::time::Duration;

use aws_sdk_dynamodb::config::Builder as DynamoDb;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::endpoint::Answer::{self, Say, Silence};
use crate::shop::{Shop, WITH, check, run};

const NO_TABLE: Answer = Say(
    400,
    &[("x-amzn-requestid", "R1")],
    r#"{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"no table"}"#,
);
const TOO_MUCH: Answer = Say(
    400,
    &[("x-amzn-requestid", "R1")],
    r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow"}"#,
);
/// A code that the model of the operation does not know.
const UNMODELLED: Answer = Say(
    400,
    &[("x-amzn-requestid", "R1")],
    r#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottledException","message":"later"}"#,
);
const BROKEN: Answer = Say(
    500,
    &[("x-amzn-requestid", "R1")],
    r#"{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"oh"}"#,
);
const FINE: Answer = Say(200, &[("x-amzn-requestid", "R2")], "{}");

async fn get(shop: &Shop) -> bool {
    shop.dynamodb.get_item().table_name("orders").send().await.is_ok()
}

async fn get_with(shop: &Shop, change: impl FnOnce(DynamoDb) -> DynamoDb) -> bool {
    let change = change(DynamoDb::new());
    shop.dynamodb.get_item().table_name("orders").customize().config_override(change).send().await.is_ok()
}

/// A call of `get`, with what it adds to the flags.
fn expected(aws: Value, others: Value) -> Value {
    let mut document = json!({
        "name": "DynamoDB", "namespace": "aws",
        "aws": {"operation": "GetItem", "region": "eu-central-1", "table_name": "orders"},
    });
    for (name, value) in aws.as_object().unwrap() {
        document["aws"][name] = value.clone();
    }
    for (name, value) in others.as_object().unwrap() {
        document[name] = value.clone();
    }
    document
}

fn bare(aws: Value) -> Value {
    let mut document = json!({"name": "DynamoDB", "namespace": "aws", "aws": {"operation": "GetItem"}});
    for (name, value) in aws.as_object().unwrap() {
        document["aws"][name] = value.clone();
    }
    document
}

#[test]
fn what_a_service_refuses_is_an_error_of_the_caller() {
    check(
        &[NO_TABLE],
        async |shop| assert!(!get(shop).await),
        expected(
            json!({"request_id": "R1", "retries": 0}),
            json!({
                "error": true, "http": {"response": {"status": 400, "content_length": 92}},
                "cause": [{"type": "ResourceNotFoundException", "message": "no table", "remote": true}],
            }),
        ),
        bare(json!({"request_id": "R1", "retries": 0})),
    );
}

#[test]
fn a_call_that_is_tried_again_and_succeeds_has_not_failed() {
    check(
        &[TOO_MUCH, BROKEN, FINE],
        async |shop| assert!(get(shop).await),
        expected(
            json!({"request_id": "R2", "retries": 2}),
            json!({"http": {"response": {"status": 200, "content_length": 2}}}),
        ),
        bare(json!({"request_id": "R2", "retries": 2})),
    );
}

#[test]
fn a_service_that_has_too_much_throttles_by_its_code() {
    check(
        &[TOO_MUCH, TOO_MUCH, TOO_MUCH],
        async |shop| assert!(!get(shop).await),
        expected(
            json!({"request_id": "R1", "retries": 2}),
            json!({
                "error": true, "throttle": true,
                "http": {"response": {"status": 400, "content_length": 101}},
                "cause": [{
                    "type": "ProvisionedThroughputExceededException", "message": "slow", "remote": true,
                }],
            }),
        ),
        bare(json!({"request_id": "R1", "retries": 2})),
    );
}

#[test]
fn a_code_that_the_model_does_not_know_throttles_as_well() {
    check(
        &[UNMODELLED, UNMODELLED, UNMODELLED],
        async |shop| assert!(!get(shop).await),
        expected(
            json!({"request_id": "R1", "retries": 2}),
            json!({
                "error": true, "throttle": true,
                "http": {"response": {"status": 400, "content_length": 82}},
                "cause": [{"type": "ThrottledException", "message": "later", "remote": true}],
            }),
        ),
        bare(json!({"request_id": "R1", "retries": 2})),
    );
}

#[test]
fn a_service_that_stays_broken_is_at_fault() {
    check(
        &[BROKEN, BROKEN, BROKEN],
        async |shop| assert!(!get(shop).await),
        expected(
            json!({"request_id": "R1", "retries": 2}),
            json!({
                "fault": true, "http": {"response": {"status": 500, "content_length": 80}},
                "cause": [{"type": "InternalServerError", "message": "oh", "remote": true}],
            }),
        ),
        bare(json!({"request_id": "R1", "retries": 2})),
    );
}

#[test]
fn an_object_that_is_not_there_is_an_error_with_both_ids() {
    check(
        &[Say(
            404,
            &[("x-amz-request-id", "R3"), ("x-amz-id-2", "two")],
            "<Error><Code>NoSuchKey</Code><Message>The key does not exist.</Message></Error>",
        )],
        async |shop| {
            let call = shop.s3.get_object().bucket("invoices").key("8.pdf");
            assert!(call.send().await.unwrap_err().into_service_error().is_no_such_key());
        },
        json!({
            "name": "S3", "namespace": "aws", "error": true,
            "http": {"response": {"status": 404, "content_length": 79}},
            "aws": {
                "operation": "GetObject", "region": "eu-central-1", "request_id": "R3", "id_2": "two", "retries": 0,
                "bucket_name": "invoices", "key": "8.pdf",
            },
            "cause": [{"type": "NoSuchKey", "message": "The key does not exist.", "remote": true}],
        }),
        json!({
            "name": "S3", "namespace": "aws",
            "aws": {"operation": "GetObject", "request_id": "R3", "id_2": "two", "retries": 0},
        }),
    );
}

#[test]
fn an_answer_that_makes_no_sense_is_a_fault_although_its_status_is_fine() {
    check(
        &[Say(200, &[("x-amzn-requestid", "R1")], "<html>")],
        async |shop| assert!(!get(shop).await),
        expected(
            json!({"request_id": "R1", "retries": 0}),
            json!({
                "fault": true, "http": {"response": {"status": 200, "content_length": 6}},
                "cause": [{
                    "type": "DeserializeError",
                    "message": "Error at offset 0: unexpected token '<'. \
                        Expected one of '{', '[', '\"', 'null', 'true', 'false', <number>",
                }],
            }),
        ),
        bare(json!({"request_id": "R1", "retries": 0})),
    );
}

#[test]
fn a_failure_without_a_code_is_still_the_services() {
    check(
        &[Say(501, &[], "<html>")],
        async |shop| assert!(!get(shop).await),
        expected(
            json!({"retries": 0}),
            json!({
                "fault": true, "http": {"response": {"status": 501, "content_length": 6}},
                "cause": [{"type": "Error", "message": "unhandled error", "remote": true}],
            }),
        ),
        bare(json!({"retries": 0})),
    );
}

#[test]
fn a_call_that_takes_too_long_is_a_fault() {
    let limits = || TimeoutConfig::builder().operation_timeout(Duration::from_millis(40)).build();
    check(
        &[Silence],
        async |shop| assert!(!get_with(shop, |config| config.timeout_config(limits())).await),
        expected(
            json!({"retries": 0}),
            json!({
                "fault": true,
                "cause": [{
                    "type": "MaybeTimeoutError",
                    "message": "operation timeout (all attempts including retries) occurred after 40ms",
                }],
            }),
        ),
        bare(json!({})),
    );
}

#[test]
fn an_attempt_that_takes_too_long_is_tried_again() {
    let limits = || TimeoutConfig::builder().operation_attempt_timeout(Duration::from_millis(250)).build();
    check(
        &[Silence, FINE],
        async |shop| assert!(get_with(shop, |config| config.timeout_config(limits())).await),
        expected(
            json!({"request_id": "R2", "retries": 1}),
            json!({"http": {"response": {"status": 200, "content_length": 2}}}),
        ),
        // Of an attempt without an answer the SDK's events say nothing.
        bare(json!({"request_id": "R2", "retries": 0})),
    );
}

#[test]
fn a_service_that_nobody_reaches_is_a_fault() {
    check(
        &[],
        async |shop| {
            let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", closed.local_addr().unwrap());
            drop(closed);
            assert!(!get_with(shop, |config| config.endpoint_url(url)).await);
        },
        expected(
            json!({"retries": 2}),
            json!({
                "fault": true,
                "cause": [
                    {"type": "ConnectorError", "message": "io error"},
                    {"type": "Error", "message": "client error (Connect)"},
                    {"type": "ConnectError", "message": "tcp connect error"},
                    {"type": "ConnectionRefused", "message": "Connection refused (os error 111)"},
                ],
            }),
        ),
        bare(json!({})),
    );
}

#[test]
fn a_request_that_cannot_be_built_is_a_fault_and_was_not_tried() {
    check(
        &[],
        async |shop| assert!(shop.s3.get_object().bucket("invoices").send().await.is_err()),
        json!({
            "name": "S3", "namespace": "aws", "fault": true,
            "aws": {"operation": "GetObject", "region": "eu-central-1", "bucket_name": "invoices"},
            "cause": [
                {
                    "type": "InterceptorError",
                    "message": "GetObjectEndpointParamsInterceptor read_before_execution interceptor encountered an error",
                },
                {"type": "BuildError", "message": "key was missing: A required field was not set"},
            ],
        }),
        json!({"name": "S3", "namespace": "aws", "aws": {"operation": "GetObject"}}),
    );
}

#[test]
fn a_call_whose_future_is_dropped_is_cancelled() {
    check(
        &[Say(500, &[], "{}"), Silence],
        async |shop| {
            let call = get(shop);
            let second = async {
                shop.endpoint.asked().await;
                shop.endpoint.asked().await;
            };
            tokio::select! { biased; _ = call => unreachable!("nobody answers"), () = second => {} }
        },
        expected(
            json!({"retries": 1}),
            json!({
                "error": true,
                "cause": [{"type": "Cancelled", "message": "dropped before the end of the call"}],
            }),
        ),
        bare(json!({"retries": 0})),
    );
}

#[test]
fn a_call_that_is_never_polled_is_none() {
    for setup in WITH {
        let left = run(setup, &[], async |shop| drop(shop.dynamodb.get_item().table_name("orders").send()));
        assert_eq!(left.trace().span_count(), 1, "{setup:?}");
    }
}
