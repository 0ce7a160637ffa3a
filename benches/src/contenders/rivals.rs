//! The rivals, each with the settings that cost it least, doing the same jobs. Their interfaces end here: to
//! the tables they are contenders like the others.
//!
//! One is missing: xray-tracing 0.0.1 builds on nightly compilers only (`#![feature(is_some_and)]`).

use super::{fastrace, otel, xray_lite};
use crate::harness::receiver::Reading;
use crate::workload::contender::Contender;

pub(super) fn all() -> Vec<Contender> {
    let receiver = Reading::Single;
    let rival = |name, sends, build| Contender { name, sends, largest: u32::MAX, receiver, build };
    vec![
        rival("tracing-opentelemetry 0.34, no-op exporter", false, otel::no_op),
        rival("opentelemetry-aws 0.21, a document per span", true, otel::flat),
        // Its list of precursor ids grows with the square of a root's children, up to a panic.
        Contender { largest: 60, ..rival("opentelemetry-aws 0.21, nested", true, otel::nested) },
        rival("fastrace 0.7, drops everything", false, fastrace::dropping),
        rival("fastrace 0.7 → opentelemetry-aws", true, fastrace::through_otel),
        rival("xray-lite 0.0.9", true, xray_lite::sending),
    ]
}
