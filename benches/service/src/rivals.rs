//! The rivals, each with the settings that cost it least: those of `xray_bench::contenders::cheapest`.

use std::io;

use fastrace::collector::Config;
use tracing_subscriber::prelude::*;
use tracing_subscriber::registry;
use xray_bench::contenders::cheapest::{Nowhere, exporter, fastrace_reporter, layer, provider};

pub(crate) use xray_bench::contenders::cheapest::fastrace_root as root;

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
    let exporter = exporter(daemon.parse().map_err(io::Error::other)?, true)?;
    let provider = provider(exporter, true, Some(1 << 16));
    let layer = layer(&provider);
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
    let reporter = fastrace_reporter(daemon.parse().map_err(io::Error::other)?)?;
    fastrace::set_reporter(reporter, Config::default());
    Ok(None)
}
