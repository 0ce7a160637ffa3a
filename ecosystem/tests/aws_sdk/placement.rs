//! The place of a call in its trace, and the header that a call without a trace sends.

use std::collections::BTreeSet;

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_dynamodb::operation::get_item::builders::GetItemFluentBuilder;
use ecosystem::{Rig, find, picture};
use serde_json::json;
use tracing::{Instrument, info_span};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::prelude::*;
use xray_sdk::sampling::Never;
use xray_tracing_layer::{ContextMissing, XrayInterceptor, XraySpanExt};

use crate::endpoint::Answer::{self, Say};
use crate::endpoint::Endpoint;
use crate::shop::{Shop, WITH, WITHOUT, run, run_bare, run_built};

const FINE: Answer = Say(200, &[("x-amzn-requestid", "R1")], "{}");

fn get(shop: &Shop) -> GetItemFluentBuilder {
    shop.dynamodb.get_item().table_name("orders")
}

#[test]
fn calls_are_below_the_span_that_makes_them() {
    for setup in WITH.into_iter().chain(WITHOUT) {
        let left = run(setup, &[FINE, FINE, FINE], async |shop| {
            get(shop).send().await.unwrap();
            async {
                get(shop).send().await.unwrap();
                shop.sqs.send_message().queue_url("http://q").message_body("m").send().await.unwrap();
            }
            .instrument(info_span!("charge"))
            .await;
        });
        assert_eq!(
            picture(left.trace()).replace("  200 ok", ""),
            "\
◆ shop
├─ DynamoDB [aws]
└─ charge
   ├─ DynamoDB [aws]
   └─ SQS [aws]
",
            "{setup:?}"
        );
    }
}

#[test]
fn calls_that_are_made_at_once_keep_apart() {
    for setup in WITH {
        let left = run(setup, &vec![FINE; 8], async |shop| {
            let calls = (0..8).map(|i| {
                let call = shop.dynamodb.get_item().table_name(format!("table-{i}")).send();
                tokio::spawn(call.instrument(tracing::Span::current()))
            });
            for call in calls.collect::<Vec<_>>() {
                call.await.unwrap().unwrap();
            }
        });
        let trace = left.trace();
        assert_eq!(trace.span_count(), 9, "{setup:?}");
        let mut told: Vec<_> = trace
            .nodes()
            .skip(1)
            .map(|node| (node.json()["aws"]["table_name"].clone(), node.id().to_owned()))
            .collect();
        let mut got: Vec<_> = left
            .requests
            .iter()
            .map(|request| {
                let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
                let header = request.headers["x-amzn-trace-id"].to_str().unwrap();
                let parent = header.split("Parent=").nth(1).unwrap()[..16].to_owned();
                (body["TableName"].clone(), parent)
            })
            .collect();
        told.sort_by_key(|(table, _)| table.to_string());
        got.sort_by_key(|(table, _)| table.to_string());
        assert_eq!(got, told, "{setup:?}: each service gets its own call as the parent");
    }
}

#[test]
fn a_trace_that_is_not_sampled_goes_on_unsampled() {
    for setup in WITH {
        let left = run_bare(
            setup,
            |builder| builder.sampler(Never),
            &[FINE],
            async |shop| {
                let order = info_span!("order");
                let around = order.trace_header().unwrap().to_string();
                get(shop).send().instrument(order).await.unwrap();
                let header =
                    shop.endpoint.requests()[0].headers["x-amzn-trace-id"].to_str().unwrap().to_owned();
                assert!(header.ends_with(";Sampled=0"), "{setup:?}: {header}");
                // Nothing inside of a span that is not recorded has an id of its own.
                assert_eq!(header, around, "{setup:?}");
            },
        );
        assert!(left.trace.is_none(), "{setup:?}");
    }
}

#[test]
fn what_a_header_carries_beside_its_keys_goes_on() {
    const HEADER: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a87bd80c:0|68fd508a:5";
    for setup in WITH {
        let left = run_bare(
            setup,
            |builder| builder,
            &[FINE],
            async |shop| {
                let order = info_span!("order");
                order.set_trace_header(&HEADER.parse().unwrap());
                get(shop).send().instrument(order).await.unwrap();
            },
        );
        let call = left.trace().nodes().nth(1).unwrap().id().to_owned();
        assert_eq!(
            left.requests[0].headers["x-amzn-trace-id"],
            HEADER.replace("53995c3f42cd8ad8", &call),
            "{setup:?}"
        );
    }
}

#[test]
fn a_call_outside_of_every_span_is_a_segment_and_sends_its_id() {
    for setup in WITH {
        let left = run_bare(
            setup,
            |builder| builder,
            &[FINE],
            async |shop| {
                get(shop).send().await.unwrap();
            },
        );
        let trace = left.trace();
        assert_eq!(trace.span_count(), 1, "{setup:?}");
        let root = trace.nodes().next().unwrap();
        assert_eq!(root.json()["aws"]["operation"], "GetItem", "{setup:?}");
        let expected = format!("Root={};Parent={};Sampled=1", trace.id(), root.id());
        assert_eq!(left.requests[0].headers["x-amzn-trace-id"], expected, "{setup:?}");
    }
}

#[test]
fn an_interceptor_that_is_added_twice_counts_once() {
    for setup in WITH {
        let left = run(setup, &[FINE], async |shop| {
            get(shop).customize().interceptor(XrayInterceptor::new()).send().await.unwrap();
        });
        let trace = left.trace();
        assert_eq!(trace.span_count(), 2, "{setup:?}: {}", picture(trace));
        assert_eq!(trace.nodes().nth(1).unwrap().json()["aws"]["table_name"], "orders", "{setup:?}");
    }
}

#[test]
fn added_to_one_call_it_tells_all_but_names() {
    for setup in WITHOUT {
        let left = run(setup, &[FINE], async |shop| {
            get(shop).customize().interceptor(XrayInterceptor::new()).send().await.unwrap();
        });
        let call = left.trace().nodes().nth(1).unwrap();
        assert_eq!(
            call.json()["aws"],
            json!({"operation": "GetItem", "region": "eu-central-1", "request_id": "R1", "retries": 0}),
            "{setup:?}"
        );
    }
}

#[test]
fn a_request_that_is_only_signed_is_no_call() {
    use aws_sdk_s3::presigning::PresigningConfig;
    for setup in WITH {
        let left = run(setup, &[], async |shop| {
            let hour = PresigningConfig::expires_in(std::time::Duration::from_secs(3600)).unwrap();
            let request = shop.s3.get_object().bucket("b").key("k").presigned(hour).await.unwrap();
            assert_eq!(request.headers().count(), 0, "{setup:?}: whoever uses it has another trace");
        });
        assert_eq!(left.trace().span_count(), 1, "{setup:?}: {}", picture(left.trace()));
    }
}

#[test]
fn a_call_outside_of_every_span_is_nothing_where_the_user_says_so() {
    for setup in WITH {
        let ignoring = |builder: xray_tracing_layer::Builder| builder.context_missing(ContextMissing::Ignore);
        let left = run_bare(setup, ignoring, &[FINE], async |shop| {
            get(shop).send().await.unwrap();
        });
        assert!(left.trace.is_none(), "{setup:?}");
        assert_eq!(left.requests[0].headers.get("x-amzn-trace-id"), None, "{setup:?}");
    }
}

/// A client asks for its credentials within a call, and may ask by a call of another client.
#[test]
fn a_call_within_a_call_is_not_taken_for_it() {
    #[derive(Debug)]
    struct Vault(aws_sdk_sqs::Client);
    impl ProvideCredentials for Vault {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            future::ProvideCredentials::new(async {
                self.0.get_queue_url().queue_name("vault").send().await.unwrap();
                Ok(Credentials::new("AKID", "secret", None, None, "vault"))
            })
        }
    }
    // One's operations are seen, the other's are not.
    let seen = |builder: xray_tracing_layer::Builder| {
        let filter = filter_fn(|metadata| {
            *metadata.level() <= tracing::Level::INFO
                || metadata.target().starts_with("aws_sdk_dynamodb::operation")
        });
        let (layer, handle) = builder.filter(filter).build_with_handle().unwrap();
        (layer.boxed(), handle)
    };
    for setup in WITH {
        let queue = Say(200, &[("x-amzn-requestid", "R0")], r#"{"QueueUrl":"http://q"}"#);
        let left = run_built(setup, seen, &[queue, FINE], async |shop| {
            let credentials = SharedCredentialsProvider::new(Vault(shop.sqs.clone()));
            let config = aws_sdk_dynamodb::config::Builder::new().credentials_provider(credentials);
            let call = get(shop).customize().config_override(config).send();
            call.instrument(info_span!("order")).await.unwrap();
        });
        let trace = left.trace();
        assert_eq!(
            picture(trace),
            "\
◆ shop
└─ DynamoDB [aws]  200 ok
   └─ SQS [aws]  200 ok
",
            "{setup:?}"
        );
        assert_eq!(find(trace, "DynamoDB").json()["aws"]["request_id"], "R1", "{setup:?}");
        assert_eq!(find(trace, "SQS").json()["aws"]["queue_name"], "vault", "{setup:?}");
    }
}

/// What the SDK says of its answers is not said of whoever asked for them.
#[test]
fn an_answer_whose_operation_is_hidden_is_not_its_callers() {
    let events = |builder: xray_tracing_layer::Builder| {
        let filter = filter_fn(|metadata| metadata.is_event() || *metadata.level() <= tracing::Level::INFO);
        let (layer, handle) = builder.filter(filter).build_with_handle().unwrap();
        (layer.boxed(), handle)
    };
    for setup in WITH.into_iter().chain(WITHOUT) {
        let left = run_built(setup, events, &[FINE], async |shop| {
            get(shop).send().instrument(info_span!("order")).await.unwrap();
        });
        let root = left.trace().nodes().next().unwrap().json();
        assert_eq!(
            (&root["aws"]["request_id"], &root["aws"]["retries"]),
            (&json!(null), &json!(null)),
            "{setup:?}"
        );
    }
}

#[test]
fn what_a_user_redacts_is_not_told() {
    for setup in WITH {
        let redacting = |builder: xray_tracing_layer::Builder| {
            builder.redact(|field, value| match field {
                "aws.table_name" | "exception.message" => "***".into(),
                _ => value.into(),
            })
        };
        let no_table =
            Say(400, &[], r#"{"__type":"x#ResourceNotFoundException","message":"no table orders"}"#);
        let left = run_bare(setup, redacting, &[no_table], async |shop| {
            assert!(get(shop).send().instrument(info_span!("order")).await.is_err());
        });
        let text = find(left.trace(), "DynamoDB").json().to_string();
        assert!(
            text.contains(r#""table_name":"***""#) && text.contains(r#""message":"***""#),
            "{setup:?}: {text}"
        );
        assert!(!text.contains("orders") && text.contains("eu-central-1"), "{setup:?}: {text}");
    }
}

/// In the whole process, with calls on all of its threads.
#[test]
fn calls_of_many_threads_keep_apart() {
    let rig = Rig::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(async {
        let shop = Shop::new(Endpoint::start(&vec![FINE; 64]).await, WITH[0]);
        async {
            let calls = (0..64).map(|i| {
                let call = shop.dynamodb.get_item().table_name(format!("table-{i}")).send();
                tokio::spawn(call.instrument(tracing::Span::current()))
            });
            for call in calls.collect::<Vec<_>>() {
                call.await.unwrap().unwrap();
            }
        }
        .instrument(info_span!("order"))
        .await;
    });
    let trace = rig.trace_of(65);
    let tables: BTreeSet<_> = trace
        .nodes()
        .filter_map(|node| node.json()["aws"]["table_name"].as_str().map(str::to_owned))
        .collect();
    assert_eq!((trace.span_count(), tables.len()), (65, 64));
}
