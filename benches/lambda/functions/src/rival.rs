//! The function with OpenTelemetry: its bridge from `tracing`, the X-Ray exporter of opentelemetry-aws, and the
//! runtime's own layer that flushes after each invocation, without which a freeze loses spans.

mod order;

use std::collections::HashMap;

use lambda_runtime::layers::{OpenTelemetryFaasTrigger, OpenTelemetryLayer};
use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::TracerProvider;
use opentelemetry_aws::trace::{XrayIdGenerator, XrayPropagator};
use opentelemetry_aws::xray_exporter::XrayExporter;
use opentelemetry_aws::xray_exporter::daemon_client::XrayDaemonClient;
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde_json::Value;
use tracing::{Instrument, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let provider = SdkTracerProvider::builder()
        .with_id_generator(XrayIdGenerator::default())
        .with_batch_exporter(XrayExporter::new(XrayDaemonClient::default()))
        .build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("orders"));
    tracing_subscriber::registry().with(layer.with_filter(LevelFilter::INFO)).init();
    let flush = OpenTelemetryLayer::new(move || {
        let _ = provider.force_flush();
    });
    let flush = flush.with_trigger(OpenTelemetryFaasTrigger::Http);
    Runtime::new(service_fn(handle)).layer(flush).run().await
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let span = info_span!("handle");
    if let Some(header) = event.context.xray_trace_id.clone() {
        let carrier = HashMap::from([("x-amzn-trace-id".to_owned(), header)]);
        let _ = span.set_parent(XrayPropagator::new().extract(&carrier));
    }
    order::order(event).instrument(span).await
}
