//! Calls that are answered, and what is in their documents.

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::primitives::ByteStream;
use serde_json::json;

use crate::endpoint::Answer::Say;
use crate::shop::{WITH, check, run};

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

/// Calls of DynamoDB with more than one table, and the tables that they name.
#[test]
fn the_tables_of_batches_transactions_and_statements_are_named() {
    use aws_sdk_dynamodb::types::{
        Delete, Get, KeysAndAttributes, PutRequest, TransactGetItem, TransactWriteItem, WriteRequest,
    };

    let id = || AttributeValue::S("a secret".into());
    let cases: [(&str, &[&str]); 5] = [
        ("BatchGetItem", &["orders", "prices"]),
        ("BatchWriteItem", &["orders", "prices"]),
        ("TransactGetItems", &["orders", "prices"]),
        ("TransactWriteItems", &["orders", "prices"]),
        ("ExecuteStatement", &["orders"]),
    ];
    for (operation, tables) in cases {
        for setup in WITH {
            let left = run(setup, &[Say(200, &[("x-amzn-requestid", "R1")], "{}")], async |shop| {
                let client = &shop.dynamodb;
                match operation {
                    "BatchGetItem" => {
                        let keys = || {
                            KeysAndAttributes::builder()
                                .keys([("id".to_owned(), id())].into())
                                .build()
                                .unwrap()
                        };
                        let call = client.batch_get_item();
                        drop(
                            call.request_items("orders", keys()).request_items("prices", keys()).send().await,
                        );
                    }
                    "BatchWriteItem" => {
                        let write = || {
                            let put = PutRequest::builder().item("id", id()).build().unwrap();
                            vec![WriteRequest::builder().put_request(put).build()]
                        };
                        let call = client.batch_write_item();
                        drop(
                            call.request_items("orders", write())
                                .request_items("prices", write())
                                .send()
                                .await,
                        );
                    }
                    "TransactGetItems" => {
                        let get = |table| {
                            let get = Get::builder().table_name(table).key("id", id()).build().unwrap();
                            TransactGetItem::builder().get(get).build()
                        };
                        let call = client.transact_get_items();
                        drop(call.transact_items(get("orders")).transact_items(get("prices")).send().await);
                    }
                    "TransactWriteItems" => {
                        let delete = |table| {
                            let delete = Delete::builder().table_name(table).key("id", id()).build().unwrap();
                            TransactWriteItem::builder().delete(delete).build()
                        };
                        let call = client.transact_write_items();
                        drop(
                            call.transact_items(delete("orders"))
                                .transact_items(delete("prices"))
                                .send()
                                .await,
                        );
                    }
                    _ => {
                        let statement = "SELECT * FROM \"orders\" WHERE id = 'a secret'";
                        drop(client.execute_statement().statement(statement).send().await);
                    }
                }
            });
            let trace = left.trace();
            let call = trace.nodes().nth(1).unwrap().json();
            assert_eq!(call["aws"]["operation"], operation, "{setup:?}");
            let mut named: Vec<_> = call["aws"]["table_names"]
                .as_array()
                .unwrap()
                .iter()
                .map(|name| name.as_str().unwrap())
                .collect();
            named.sort_unstable();
            assert_eq!(named, tables, "{setup:?}: {operation}");
            assert!(!call.to_string().contains("a secret"), "{setup:?}: {call}");
        }
    }
}

#[test]
fn an_object_that_was_not_modified_is_no_failure() {
    check(
        &[Say(304, &[("x-amz-request-id", "R3"), ("x-amz-id-2", "two"), ("etag", "\"e\"")], "")],
        async |shop| {
            let call = shop.s3.get_object().bucket("invoices").key("7.pdf").if_none_match("\"e\"");
            assert!(call.send().await.is_err(), "the SDK has no other word for it");
        },
        json!({
            "name": "S3", "namespace": "aws",
            "http": {"response": {"status": 304}},
            "aws": {
                "operation": "GetObject", "region": "eu-central-1", "request_id": "R3", "id_2": "two", "retries": 0,
                "bucket_name": "invoices", "key": "7.pdf",
            },
        }),
        json!({
            "name": "S3", "namespace": "aws",
            "aws": {"operation": "GetObject", "request_id": "R3", "id_2": "two", "retries": 0},
        }),
    );
}

/// A refused signature is explained by the request that was signed, token and all.
#[test]
fn what_a_service_quotes_of_a_request_is_cleaned() {
    let answer = Say(
        403,
        &[],
        r#"{"__type":"x#InvalidSignatureException","message":"The Canonical String should have been 'POST\n/\n\nx-amz-security-token:hunter2' for https://bob:hunter2@h/p?X-Amz-Signature=hunter2"}"#,
    );
    for setup in WITH {
        let left = run(setup, std::slice::from_ref(&answer), async |shop| {
            drop(shop.dynamodb.get_item().table_name("orders").send().await);
        });
        let call = left.trace().nodes().nth(1).unwrap().json();
        assert_eq!(call["cause"]["exceptions"][0]["type"], "InvalidSignatureException", "{setup:?}");
        assert!(!call.to_string().contains("hunter2"), "{setup:?}: {call}");
    }
}
