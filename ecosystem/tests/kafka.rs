//! `rdkafka`, with librdkafka's own broker on the loopback: a trace goes on behind a topic.

use std::time::Duration;

use ecosystem::{Rig, find, picture};
use rdkafka::ClientConfig;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::message::{BorrowedMessage, Header, Headers, Message, OwnedHeaders};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{FutureProducer, FutureRecord};
use tracing::{Instrument, info_span};
use xray_sdk::TraceHeader;
use xray_sdk::document::Links;
use xray_tracing_layer::{XraySpanExt, current_trace_header};

/// What a sender puts into a record.
fn with_trace_header(headers: OwnedHeaders) -> OwnedHeaders {
    let pairs = current_trace_header().into_iter().flat_map(|header| header.to_pairs());
    pairs.fold(headers, |headers, (key, value)| headers.insert(Header { key, value: Some(&value) }))
}

/// What a receiver reads from one.
fn trace_header(message: &BorrowedMessage<'_>) -> Option<TraceHeader> {
    let pairs = message.headers()?.iter().filter_map(|header| Some((header.key, header.value?)));
    TraceHeader::from_pairs(pairs)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_carries_its_trace_to_whom_it_is_for() {
    let rig = Rig::new();
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic("orders", 1, 1).unwrap();
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", cluster.bootstrap_servers());
    let producer: FutureProducer = config.create().unwrap();
    let consumer: StreamConsumer =
        config.set("group.id", "mail").set("auto.offset.reset", "earliest").create().unwrap();
    consumer.subscribe(&["orders"]).unwrap();

    for number in 0..2 {
        let send = async {
            let headers =
                with_trace_header(OwnedHeaders::new().insert(Header { key: "kind", value: Some("order") }));
            let payload = number.to_string();
            let record = FutureRecord::to("orders").key("k").payload(&payload).headers(headers);
            producer.send(record, Duration::from_secs(60)).await.unwrap();
        };
        let checkout = info_span!("checkout");
        let publish =
            info_span!(parent: &checkout, "publish", otel.kind = "producer", peer.service = "orders");
        send.instrument(publish).instrument(checkout).await;
    }

    // One after the other: each goes on in its sender's trace. All at once: a trace of its own, with links.
    let mut links = Links::new();
    for _ in 0..2 {
        let message = tokio::time::timeout(Duration::from_secs(60), consumer.recv()).await.unwrap().unwrap();
        let header = trace_header(&message).unwrap();
        links.extend([&header]);
        info_span!(parent: None, "mail", xray.trace_header = header.to_string()).in_scope(|| ());
    }
    let batch = info_span!(parent: None, "batch");
    batch.set_links(&links);
    drop(batch);

    let received = rig.documents(5);
    let traces = received.traces();
    let mut pictures: Vec<_> = traces.iter().map(picture).collect();
    pictures.sort();
    assert_eq!(
        pictures,
        [
            "◆ shop\n",
            "◆ shop\n└─ orders [remote]\n   └─ ◆ shop\n",
            "◆ shop\n└─ orders [remote]\n   └─ ◆ shop\n"
        ]
    );
    let batch = traces.iter().find(|trace| trace.span_count() == 1).unwrap();
    let linked = find(batch, "shop").json()["links"].as_array().unwrap().clone();
    let senders: Vec<_> = traces
        .iter()
        .filter(|trace| trace.span_count() > 1)
        .map(|trace| serde_json::json!({"trace_id": trace.id(), "id": find(trace, "orders").id()}))
        .collect();
    assert_eq!(linked.len(), 2);
    assert!(senders.iter().all(|sender| linked.contains(sender)), "{linked:?} {senders:?}");
}
