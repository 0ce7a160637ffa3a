//! The contenders of the service: how each tracer is installed, by name.

use std::io;

use tracing::Subscriber;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::prelude::*;
use tracing_subscriber::{Layer, registry};
use xray_sdk::QueueGuard;
use xray_sdk::sampling::Always;
use xray_tracing_layer::{Builder, default_filter};

/// A tracer in its settings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contender {
    /// As the table and the command line have it.
    pub(crate) name: &'static str,
    /// Whose words the service uses for its spans.
    pub(crate) spans: Spans,
    /// Installs it in this process; datagrams go to that address.
    pub(crate) install: fn(daemon: &str) -> io::Result<Installed>,
}

/// Who makes a request's five spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spans {
    /// `tracing`'s macros, written by hand; with no subscriber they do next to nothing.
    ByHand,
    /// The layer's integrations for axum and reqwest, and the events of sqlx.
    Integrations,
    /// fastrace's own functions.
    #[cfg(feature = "rivals")]
    Fastrace,
}

/// What lives as long as the service.
pub(crate) type Installed = Option<QueueGuard>;

/// The service without a tracer, to which the others are compared.
pub(crate) const NONE: &str = "no tracer";

/// The service without a tracer, and with this layer in its settings; [`NONE`] first.
pub(crate) fn ours() -> Vec<Contender> {
    use Spans::{ByHand, Integrations};
    let contender = |name, spans, install| Contender { name, spans, install };
    vec![
        contender(NONE, ByHand, (|_| Ok(None)) as fn(&str) -> io::Result<Installed>),
        contender("the registry with an idle layer behind the same filter", ByHand, idle),
        contender("this layer, default sampler", ByHand, |daemon| direct(builder(daemon))),
        contender("this layer, all", ByHand, |daemon| direct(builder(daemon).sampler(Always))),
        contender("this layer, all, `queued`", ByHand, queued),
        contender("the integrations without a tracer", Integrations, |_| Ok(None)),
        contender("the same with the integrations", Integrations, queued),
    ]
}

/// What spans cost before any tracer looks at them.
fn idle(_: &str) -> io::Result<Installed> {
    struct Idle;
    impl<S: Subscriber> Layer<S> for Idle {}
    registry().with(Idle.with_filter(default_filter())).try_init().map_err(io::Error::other)?;
    Ok(None)
}

fn builder(daemon: &str) -> Builder {
    xray_tracing_layer::builder()
        .service_name("shop")
        .daemon_address(daemon)
        .database("sqlite", "orders@memory")
}

fn direct(builder: Builder) -> io::Result<Installed> {
    let layer = builder.build().map_err(io::Error::other)?;
    registry().with(layer).try_init().map_err(io::Error::other)?;
    Ok(None)
}

fn queued(daemon: &str) -> io::Result<Installed> {
    let (builder, guard) = builder(daemon).sampler(Always).queued().map_err(io::Error::other)?;
    direct(builder)?;
    Ok(Some(guard))
}

/// The spans of the service alone, not those of the crates that it is made of: for tracers that take all there is.
#[cfg_attr(not(feature = "rivals"), expect(dead_code, reason = "the layer has a filter of its own"))]
pub(crate) const LEVEL: LevelFilter = LevelFilter::INFO;
