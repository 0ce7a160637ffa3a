//! Every public name that programs rely on, used as they use it. `.ci/run outside` builds and runs this as a crate of
//! its own, outside of the workspace: what only compiles in here shows there.

use std::time::Duration;

use tracing_subscriber::{EnvFilter, Registry, fmt, prelude::*};
use xray_sdk::document::{AnnotationValue, Segment, Subsegment};
use xray_sdk::local::{Collector, Waterfall};
use xray_sdk::sampling::{Always, DefaultRule, Never, Sampler};
use xray_sdk::{EmitError, Emitter, Packet, SamplingDecision, SegmentId, TraceHeader, TraceId, UdpEmitter};
use xray_tracing_layer::{
    Builder, DefaultFilter, Handle, Stats, XraySpanExt, builder, current_trace_header, default_filter, layer,
};

struct Mine;

impl Emitter for Mine {
    fn emit(&self, _: &Packet) -> Result<(), EmitError> {
        Ok(())
    }
}

fn is_sampler(_: &impl Sampler) {}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    is_sampler(&Always);
    is_sampler(&Never);
    is_sampler(&DefaultRule::default());
    let filter: DefaultFilter = default_filter();
    drop(layer::<Registry>());
    drop(builder().emitter(Mine).annotate_all().without_filter().build::<Registry>()?);
    drop(builder().filter(filter).redact(|_, value| value.into()).build::<Registry>()?);

    let collector = Collector::start()?;
    let settings: Builder = builder()
        .service_name("outside")
        .daemon_address(&collector.daemon_address())
        .sampler(Always)
        .annotate(["order"])
        .stream_after(100);
    let (layer, handle) = settings.build_with_handle()?;
    let logs = fmt::layer().with_filter(EnvFilter::from_default_env());
    tracing_subscriber::registry().with(layer).with(logs).init();

    let header: TraceHeader = "Root=1-66f1a2b3-0123456789abcdef01234567;Sampled=1".parse()?;
    let span = tracing::info_span!("work", order = 7);
    span.set_trace_header(&header);
    span.annotate("text", "v");
    span.annotate("owned", String::from("v"));
    span.annotate("flag", true);
    span.annotate("number", 1.5);
    span.annotate("value", AnnotationValue::from(-1_i64));
    span.add_metadata("cart", "items", &[1, 2]);
    XraySpanExt::add_metadata(&span, "cart", "note", "plain");
    span.set_user("u-17");
    span.set_http_status(200);
    span.record_error(&std::fmt::Error);
    let onward = span.in_scope(current_trace_header).ok_or("a header")?;
    assert_eq!((onward.root(), onward.sampled()), (header.root(), SamplingDecision::Sampled));
    assert_eq!(span.trace_header(), Some(onward));
    drop(span);

    let handle: Handle = handle.clone();
    let stats: Stats = handle.stats();
    assert_eq!((stats.closed, stats.emitted), (1, 1));
    assert!(handle.flush(Duration::from_secs(1)) && handle.diagnostics().is_empty());

    let (trace_id, id) = (TraceId::new(), SegmentId::from(7));
    assert_eq!((trace_id.to_string().parse(), id.to_string().parse()), (Ok(trace_id), Ok(id)));
    let mut segment = Segment::begin("by hand", trace_id);
    segment.attach(Subsegment::begin("part"));
    segment.emit(&UdpEmitter::new(&collector.daemon_address().parse()?))?;

    assert!(collector.wait_for_documents(2, Duration::from_secs(5)));
    let received = collector.received();
    assert!(received.problems().is_empty(), "{:?}", received.problems());
    for trace in received.traces() {
        println!("{}", Waterfall::for_stdout(&trace));
    }
    Ok(())
}
