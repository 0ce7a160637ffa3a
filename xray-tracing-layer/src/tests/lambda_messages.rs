//! Invocations by messages: their senders' traces, linked or joined.

use tracing::info_span;

use super::lambda::invoke;
use super::*;

#[test]
fn a_batch_is_linked_to_its_senders() {
    let rig = lambda(SAMPLED);
    let message = |parent| {
        let header = format!("Root=1-66f1a2b3-76543210fedcba9876543210;Parent={parent:016x};Sampled=1");
        std::collections::BTreeMap::from([(xray_sdk::sqs::ATTRIBUTE.to_owned(), header)])
    };
    rig.run(|| {
        let batch = [message(1), message(2)];
        info_span!("batch").set_links(&xray_sdk::sqs::links(&batch));
    });
    let sent = rig.sent();
    assert_eq!(sent[0]["links"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_message_goes_on_in_its_senders_trace() {
    let rig = lambda("");
    let from = "Root=1-66f1a2b3-76543210fedcba9876543210;Parent=0000000000000007;Sampled=1";
    rig.run(|| {
        let _invoke = invoke(SAMPLED).entered();
        drop(info_span!(parent: None, "message", xray.trace_header = from));
    });
    let sent = rig.sent();
    assert_eq!(sent[0]["trace_id"], "1-66f1a2b3-76543210fedcba9876543210");
    assert_eq!((&sent[0]["parent_id"], &sent[0]["type"]), (&"0000000000000007".into(), &"subsegment".into()));
}
