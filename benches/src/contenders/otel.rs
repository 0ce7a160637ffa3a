//! tracing-opentelemetry, with opentelemetry-aws's exporter behind it or with one that drops. What the layer adds
//! by default and X-Ray has no place for is turned off, and what is below `INFO` is kept from it.

use std::io;
use std::net::SocketAddr;

use opentelemetry::trace::TracerProvider;
use opentelemetry_aws::trace::XrayIdGenerator;
use opentelemetry_aws::xray_exporter::daemon_client::XrayDaemonClient;
use opentelemetry_aws::xray_exporter::{SegmentTranslator, XrayExporter};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider, SpanData, SpanExporter,
};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;

use crate::contenders::subscribed::subscribe;
use crate::workload::contender::{Built, Setting, World};

pub(super) fn no_op(setting: Setting) -> Built {
    Ok(Some(build(setting, Nowhere)))
}

pub(super) fn flat(setting: Setting) -> Built {
    Ok(Some(build(setting, exporter(setting.daemon, false)?)))
}

pub(super) fn nested(setting: Setting) -> Built {
    Ok(Some(build(setting, exporter(setting.daemon, true)?)))
}

/// The X-Ray exporter. Attributes become annotations: as metadata they would be written flat, without the
/// namespace that X-Ray's schema asks for, and all that has a field would count as refused.
pub(super) fn exporter(daemon: SocketAddr, nested: bool) -> io::Result<XrayExporter<XrayDaemonClient>> {
    let translator = SegmentTranslator::new().index_all_attrs();
    let translator = if nested { translator.always_nest_subsegments() } else { translator };
    Ok(XrayExporter::new(XrayDaemonClient::new(daemon)?).with_translator(translator))
}

pub(super) fn resource() -> Resource {
    Resource::builder_empty().with_service_name("shop").build()
}

fn build(setting: Setting, exporter: impl SpanExporter + 'static) -> Box<dyn World> {
    let mut config = BatchConfigBuilder::default();
    if !setting.short_queue {
        config = config.with_max_queue_size(1 << 20);
    }
    let processor = BatchSpanProcessor::builder(exporter).with_batch_config(config.build()).build();
    let provider = SdkTracerProvider::builder()
        .with_id_generator(XrayIdGenerator::default())
        .with_sampler(if setting.sampled { Sampler::AlwaysOn } else { Sampler::AlwaysOff })
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
    let flush = move || {
        let _ = provider.force_flush();
    };
    if setting.beside {
        subscribe(setting, layer.with_filter(LevelFilter::INFO), flush)
    } else {
        // A filter for all layers costs next to nothing.
        subscribe(setting, layer.and_then(LevelFilter::INFO), flush)
    }
}

#[derive(Debug)]
struct Nowhere;

impl SpanExporter for Nowhere {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        drop(std::hint::black_box(batch));
        Ok(())
    }
}
