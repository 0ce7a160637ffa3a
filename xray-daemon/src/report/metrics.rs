//! `/metrics`: the counters in the format of Prometheus (OpenMetrics text).
//!
//! The table below is the list that the guide explains. Values are read when they are asked for.

use std::fmt;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::aws::SignedClient;
use crate::counters::{Counters, Counts, Heartbeat, Reason};
use crate::relay::{RelayOutcome, RelayStats};
use crate::upload::Uploads;

/// The metrics of a daemon.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
}

/// The sources of the values.
#[derive(Clone)]
pub struct Sources {
    /// The documents.
    pub counters: Arc<Counters>,
    /// The relay's requests.
    pub relay: Arc<RelayStats>,
    /// Credentials, clock and the times of calls.
    pub client: SignedClient,
    /// The documents that wait.
    pub uploads: Uploads,
    /// The receiving thread.
    pub heartbeat: Arc<Heartbeat>,
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources").finish_non_exhaustive()
    }
}

impl Metrics {
    /// Metrics that read from `sources`.
    #[must_use]
    pub fn new(sources: Sources) -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let (name, help) = CALL_SECONDS;
        registry.register(name, help, sources.client.call_seconds().clone());
        registry.register_collector(Box::new(sources));
        Self { registry }
    }

    /// Returns the metrics as text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// The content type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The beginning of every name.
pub const PREFIX: &str = "xray_daemon";

const CALL_SECONDS: (&str, &str) = ("call_seconds", "Time of calls to X-Ray that got an answer");

/// One metric: its name without the prefix, its help, and how its values are read.
struct Metric {
    name: &'static str,
    help: &'static str,
    read: Read,
}

enum Read {
    /// A count that only grows, left out if it is not known. Its name gets the suffix `_total`.
    Count(fn(&Counts) -> Option<u64>),
    /// A count that only grows, by a label.
    Labelled(&'static str, fn(&Sources, &Counts) -> Labelled),
    /// A size as of now, left out if it is not known.
    Gauge(fn(&Sources, &Counts) -> Option<f64>),
}

/// Counts by a label's value.
type Labelled = Vec<(&'static str, u64)>;

#[rustfmt::skip] // a line for each metric
static TABLE: &[Metric] = &[
    count("received", "Datagrams received, and documents adopted from the spool", |counts| Some(counts.received)),
    count("received_bytes", "Bytes of the datagrams received", |counts| Some(counts.received_bytes)),
    count("sent", "Documents that X-Ray accepted", |counts| Some(counts.sent)),
    labelled("rejected", "Documents refused: by the daemon for their header, by X-Ray for their content", "by", rejected),
    labelled("dropped", "Documents thrown away", "reason", dropped),
    count("kernel_dropped", "Datagrams that the kernel dropped before they were read", |counts| counts.kernel_drops),
    gauge("held", "Documents in memory", |_, counts| Some(counts.held as f64)),
    gauge("held_bytes", "Bytes of memory for documents in use", |_, counts| Some(counts.held_bytes as f64)),
    gauge("oldest_age_seconds", "Time that the oldest document in memory has waited; absent if none waits", oldest_age),
    gauge("spooled", "Documents on disk", |_, counts| Some(counts.spooled as f64)),
    gauge("spool_bytes", "Bytes of the disk that these take", |_, counts| Some(counts.spool_bytes as f64)),
    count("calls", "Calls of PutTraceSegments", |counts| Some(counts.calls)),
    count("retries", "Calls with documents of which an earlier call failed", |counts| Some(counts.retries)),
    gauge("in_flight", "Calls under way", |_, counts| Some(counts.in_flight as f64)),
    gauge("concurrency_limit", "Calls that may be under way at once", |_, counts| Some(counts.concurrency as f64)),
    labelled("call_errors", "Calls that failed", "class", call_errors),
    gauge("denied", "1 if X-Ray denied the last call, else 0", |_, counts| Some(f64::from(u8::from(counts.denied)))),
    gauge("last_success_age_seconds", "Time since X-Ray last accepted a document; absent before the first", success_age),
    labelled("relay_requests", "Requests to the TCP proxy", "outcome", relay_requests),
    gauge("credentials_expiry_timestamp_seconds", "When the credentials expire; absent for those that don't", expiry),
    gauge("clock_correction_seconds", "What is added to the machine's clock for signatures", clock_correction),
    gauge("uptime_seconds", "Time since the start", |sources, _| Some(sources.heartbeat.uptime().as_secs_f64())),
];

const fn count(name: &'static str, help: &'static str, read: fn(&Counts) -> Option<u64>) -> Metric {
    Metric { name, help, read: Read::Count(read) }
}

const fn labelled(
    name: &'static str,
    help: &'static str,
    label: &'static str,
    read: fn(&Sources, &Counts) -> Labelled,
) -> Metric {
    Metric { name, help, read: Read::Labelled(label, read) }
}

const fn gauge(name: &'static str, help: &'static str, read: fn(&Sources, &Counts) -> Option<f64>) -> Metric {
    Metric { name, help, read: Read::Gauge(read) }
}

fn rejected(_: &Sources, counts: &Counts) -> Labelled {
    vec![("header", counts.rejected_header), ("service", counts.rejected_by_service)]
}

fn dropped(_: &Sources, counts: &Counts) -> Labelled {
    Reason::ALL.iter().map(|reason| (reason.as_str(), counts.dropped.of(*reason))).collect()
}

fn call_errors(_: &Sources, counts: &Counts) -> Labelled {
    let errors = &counts.errors;
    vec![
        ("http_4xx", errors.http_4xx),
        ("http_5xx", errors.http_5xx),
        ("refused", errors.refused),
        ("timeout", errors.timeout),
        ("unknown_host", errors.unknown_host),
        ("other", errors.other),
    ]
}

fn relay_requests(sources: &Sources, _: &Counts) -> Labelled {
    RelayOutcome::ALL.iter().map(|outcome| (outcome.as_str(), sources.relay.of(*outcome))).collect()
}

fn oldest_age(sources: &Sources, _: &Counts) -> Option<f64> {
    Some(sources.uploads.oldest_age()?.as_secs_f64())
}

fn success_age(sources: &Sources, counts: &Counts) -> Option<f64> {
    Some(sources.heartbeat.uptime().as_secs().saturating_sub(counts.last_success?) as f64)
}

fn expiry(sources: &Sources, _: &Counts) -> Option<f64> {
    let expires = sources.client.credentials().status().expires?;
    Some(expires.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64())
}

fn clock_correction(sources: &Sources, _: &Counts) -> Option<f64> {
    Some(sources.client.clock().correction() as f64)
}

/// Returns the full name of every metric, as Prometheus shows it.
#[must_use]
pub fn names() -> Vec<String> {
    let mut names: Vec<String> = TABLE
        .iter()
        .map(|metric| match metric.read {
            Read::Gauge(_) => format!("{PREFIX}_{}", metric.name),
            Read::Count(_) | Read::Labelled(..) => format!("{PREFIX}_{}_total", metric.name),
        })
        .collect();
    names.push(format!("{PREFIX}_{}", CALL_SECONDS.0));
    names
}

impl Collector for Sources {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let counts = self.counters.snapshot();
        for Metric { name, help, read } in TABLE {
            match read {
                Read::Count(read) => {
                    if let Some(value) = read(&counts) {
                        let metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
                        ConstCounter::new(value).encode(metric)?;
                    }
                }
                Read::Labelled(label, read) => {
                    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
                    for (value, number) in read(self, &counts) {
                        let labels = [(*label, value)];
                        ConstCounter::new(number).encode(family.encode_family(&labels)?)?;
                    }
                }
                Read::Gauge(read) => {
                    if let Some(value) = read(self, &counts) {
                        let gauge = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
                        ConstGauge::new(value).encode(gauge)?;
                    }
                }
            }
        }
        Ok(())
    }
}
