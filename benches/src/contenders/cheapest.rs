//! The rivals in the settings that cost them least, for all that measures them: this package's tables, and the service's.
//!
//! Data that tracing-opentelemetry adds by default, and for which X-Ray has no place, is turned off.

use std::borrow::Cow;
use std::hint::black_box;
use std::io;
use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use fastrace::collector::Reporter;
use fastrace::prelude::{Span, SpanContext, SpanId, SpanRecord, TraceId};
use fastrace_opentelemetry::OpenTelemetryReporter;
use opentelemetry::InstrumentationScope;
use opentelemetry::trace::TracerProvider;
use opentelemetry_aws::trace::XrayIdGenerator;
use opentelemetry_aws::xray_exporter::daemon_client::XrayDaemonClient;
use opentelemetry_aws::xray_exporter::{SegmentTranslator, XrayExporter};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider, SpanExporter,
};
use tracing::Subscriber;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::registry::LookupSpan;

/// The X-Ray exporter. Attributes become annotations: as metadata they would be written flat, without the
/// namespace that X-Ray's schema asks for, and all that has a field would count as refused.
///
/// # Errors
/// If it has no socket.
pub fn exporter(daemon: SocketAddr, nested: bool) -> io::Result<XrayExporter<XrayDaemonClient>> {
    let translator = SegmentTranslator::new().index_all_attrs();
    let translator = if nested { translator.always_nest_subsegments() } else { translator };
    Ok(XrayExporter::new(XrayDaemonClient::new(daemon)?).with_translator(translator))
}

/// A provider of tracers behind a batch processor, with a queue of so many spans or of the default length.
pub fn provider(
    exporter: impl SpanExporter + 'static,
    sampled: bool,
    queue: Option<usize>,
) -> SdkTracerProvider {
    let mut config = BatchConfigBuilder::default();
    if let Some(spans) = queue {
        config = config.with_max_queue_size(spans);
    }
    let processor = BatchSpanProcessor::builder(exporter).with_batch_config(config.build()).build();
    SdkTracerProvider::builder()
        .with_id_generator(XrayIdGenerator::default())
        .with_sampler(if sampled { Sampler::AlwaysOn } else { Sampler::AlwaysOff })
        .with_resource(resource())
        .with_span_processor(processor)
        .build()
}

/// The bridge from `tracing`, without a filter.
#[must_use]
pub fn layer<S>(provider: &SdkTracerProvider) -> OpenTelemetryLayer<S, SdkTracer>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("shop"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_level(false)
        .with_tracked_inactivity(false)
        .with_context_activation(false)
}

/// fastrace's way to the X-Ray exporter.
///
/// # Errors
/// If it has no socket.
pub fn fastrace_reporter(daemon: SocketAddr) -> io::Result<impl Reporter> {
    let scope = InstrumentationScope::builder("shop").build();
    Ok(OpenTelemetryReporter::new(exporter(daemon, false)?, Cow::Owned(resource()), scope))
}

/// A root span of fastrace, whose trace id begins with the time, as X-Ray wants it.
pub fn fastrace_root(name: &'static str) -> Span {
    let random = SpanContext::random().trace_id.0 & (u128::MAX >> 32);
    #[expect(clippy::disallowed_methods, reason = "trace ids begin with the time")]
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    Span::root(name, SpanContext::new(TraceId(u128::from(seconds) << 96 | random), SpanId(0)))
}

/// A reporter of fastrace that drops what it gets.
#[derive(Clone, Copy, Debug)]
pub struct Nowhere;

impl Reporter for Nowhere {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        drop(black_box(spans));
    }
}

fn resource() -> Resource {
    Resource::builder_empty().with_service_name("shop").build()
}
