//! tracing-opentelemetry, with opentelemetry-aws's exporter behind it or with one that drops. How it is set up is in
//! [`cheapest`](super::cheapest).

use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;

use crate::contenders::cheapest::{exporter, layer, provider};
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

fn build(setting: Setting, exporter: impl SpanExporter + 'static) -> Box<dyn World> {
    let queue = if setting.short_queue { None } else { Some(1 << 20) };
    let provider = provider(exporter, setting.sampled, queue);
    let layer = layer(&provider);
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
