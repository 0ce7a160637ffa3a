//! The rivals, each with the settings that cost it least.

use std::borrow::Cow;
use std::io;
use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use fastrace::collector::{Config, Reporter};
use fastrace::prelude::{Span, SpanContext, SpanId, SpanRecord, TraceId};
use fastrace_opentelemetry::OpenTelemetryReporter;
use opentelemetry::InstrumentationScope;
use opentelemetry::trace::TracerProvider;
use opentelemetry_aws::trace::XrayIdGenerator;
use opentelemetry_aws::xray_exporter::daemon_client::XrayDaemonClient;
use opentelemetry_aws::xray_exporter::{SegmentTranslator, XrayExporter};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider};
use tracing_subscriber::prelude::*;
use tracing_subscriber::registry;

use crate::contender::{Contender, Installed, LEVEL, Spans};

pub(crate) fn all() -> Vec<Contender> {
    let contender = |name, spans, install| Contender { name, spans, install };
    vec![
        contender(
            "tracing-opentelemetry 0.34 and opentelemetry-aws 0.21, nested",
            Spans::ByHand,
            opentelemetry as fn(&str) -> io::Result<Installed>,
        ),
        contender("fastrace 0.7 with a reporter that drops", Spans::Fastrace, fastrace_dropping),
        contender("fastrace 0.7 and opentelemetry-aws 0.21", Spans::Fastrace, fastrace_sending),
    ]
}

fn opentelemetry(daemon: &str) -> io::Result<Installed> {
    let queue = BatchConfigBuilder::default().with_max_queue_size(1 << 16).build();
    let processor = BatchSpanProcessor::builder(exporter(daemon, true)?).with_batch_config(queue).build();
    let provider = SdkTracerProvider::builder()
        .with_id_generator(XrayIdGenerator::default())
        .with_sampler(Sampler::AlwaysOn)
        .with_resource(resource())
        .with_span_processor(processor)
        .build();
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("shop"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_level(false)
        .with_tracked_inactivity(false)
        .with_context_activation(false);
    registry().with(layer.and_then(LEVEL)).try_init().map_err(io::Error::other)?;
    // The layer's tracer keeps a provider alive that does not shut down when this handle goes.
    std::mem::forget(provider);
    Ok(None)
}

fn fastrace_dropping(_: &str) -> io::Result<Installed> {
    fastrace::set_reporter(Nowhere, Config::default());
    Ok(None)
}

fn fastrace_sending(daemon: &str) -> io::Result<Installed> {
    let scope = InstrumentationScope::builder("shop").build();
    let reporter = OpenTelemetryReporter::new(exporter(daemon, false)?, Cow::Owned(resource()), scope);
    fastrace::set_reporter(reporter, Config::default());
    Ok(None)
}

/// Attributes become annotations: as metadata they would be written without the namespace that X-Ray asks for.
fn exporter(daemon: &str, nested: bool) -> io::Result<XrayExporter<XrayDaemonClient>> {
    let daemon: SocketAddr = daemon.parse().map_err(io::Error::other)?;
    let translator = SegmentTranslator::new().index_all_attrs();
    let translator = if nested { translator.always_nest_subsegments() } else { translator };
    Ok(XrayExporter::new(XrayDaemonClient::new(daemon)?).with_translator(translator))
}

fn resource() -> Resource {
    Resource::builder_empty().with_service_name("shop").build()
}

/// A root span of fastrace, whose trace id begins with the time, as X-Ray wants it.
pub(crate) fn root(name: &'static str) -> Span {
    let random = SpanContext::random().trace_id.0 & (u128::MAX >> 32);
    #[expect(clippy::disallowed_methods, reason = "trace ids begin with the time")]
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    Span::root(name, SpanContext::new(TraceId(u128::from(seconds) << 96 | random), SpanId(0)))
}

struct Nowhere;

impl Reporter for Nowhere {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        drop(std::hint::black_box(spans));
    }
}
