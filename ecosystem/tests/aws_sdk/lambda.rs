//! In Lambda, where the segment is the platform's and the SDK has a header of its own to send. The environment says so,
//! and is a process's: the test runs itself again in one of its own.

use std::process::Command;

use tracing::{Instrument, info_span};

use crate::endpoint::Answer::{self, Say};
use crate::shop::{WITH, run_bare};

const FINE: Answer = Say(200, &[("x-amzn-requestid", "R1")], "{}");
const HEADER: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a87bd80c:0|68fd508a:5";

#[test]
fn calls_are_below_the_functions_segment_and_recursion_is_detected() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["lambda::inside", "--exact", "--ignored"])
        .env("AWS_LAMBDA_FUNCTION_NAME", "checkout")
        .env("LAMBDA_TASK_ROOT", "/var/task")
        .env("_X_AMZN_TRACE_ID", HEADER)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
}

#[test]
#[ignore = "run by another, in a process of its own"]
fn inside() {
    for setup in WITH {
        // As with `lambda_runtime::run`, and without any span.
        for runtimes in [true, false] {
            let left = run_bare(
                setup,
                |builder| builder,
                &[FINE],
                async |shop| {
                    let call = shop.dynamodb.get_item().table_name("orders").send();
                    match runtimes {
                        true => {
                            call.instrument(info_span!("Lambda runtime invoke", xrayTraceId = HEADER)).await
                        }
                        false => call.await,
                    }
                    .unwrap();
                },
            );
            let trace = left.trace();
            assert_eq!(trace.span_count(), 1, "{setup:?}");
            let call = trace.nodes().next().unwrap();
            assert_eq!(call.json()["type"], "subsegment", "{setup:?}");
            assert_eq!(call.parent_id(), Some("53995c3f42cd8ad8"), "{setup:?}");
            assert_eq!(call.json()["aws"]["table_name"], "orders", "{setup:?}");
            let expected = HEADER.replace("53995c3f42cd8ad8", call.id());
            assert_eq!(left.requests[0].headers["x-amzn-trace-id"], expected, "{setup:?}");
        }
        let left = run_bare(
            setup,
            |builder| builder.enabled(false),
            &[FINE],
            async |shop| {
                shop.dynamodb.get_item().table_name("orders").send().await.unwrap();
            },
        );
        assert!(left.trace.is_none(), "{setup:?}");
        assert_eq!(left.requests[0].headers["x-amzn-trace-id"], HEADER, "{setup:?}: the SDK's own");
    }
}
