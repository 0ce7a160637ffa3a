//! The floors, ours in its variants, and `fmt`.

use std::hint::black_box;
use std::io;
use std::time::Duration;

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::{Layer, Registry};
use xray_sdk::daemon::DaemonAddress;
use xray_sdk::sampling::{Always, Never, Sampler, SamplingRequest, SamplingResult};
use xray_sdk::{EmitError, Emitter, Packet, QueueGuard, QueuedEmitter, UdpEmitter};
use xray_tracing_layer::{Builder, Handle, default_filter};

use super::subscribed::{Idle, Subscribed, dispatch_to, subscribe};
use crate::harness::receiver::Reading;
use crate::workload::contender::{Built, Contender, Setting, World};

/// The floor that ratios refer to: the registry with a layer that does nothing behind our filter.
pub const FLOOR: &str = "floor: Registry + no-op layer, same filter";

/// The registry alone, without a filter.
pub const BARE: &str = "bare Registry + no-op layer";

/// Ours as the front page has it.
pub const OURS: &str = "ours, UDP";

/// Floors first, then ours, then `fmt`.
pub(super) fn all() -> Vec<Contender> {
    let receiver = Reading::Single;
    let ours = |name, sends, build| Contender { name, sends, largest: u32::MAX, receiver, build };
    vec![
        ours(FLOOR, false, floor as fn(Setting) -> Built),
        ours(BARE, false, bare),
        ours(OURS, true, udp),
        ours("ours, queued", true, queued),
        Contender {
            receiver: Reading::Runs,
            ..ours("ours, queued, to xray-daemon's receiver", true, queued)
        },
        ours("ours, no send", false, no_send),
        ours("ours, no send, without_filter", false, without_filter),
        ours("ours, no send, filter of ones own", false, filter_of_ones_own),
        ours("ours, UDP, without_filter", true, udp_without_filter),
        ours("ours, queued, without_filter", true, queued_without_filter),
        ours("fmt JSON to a sink", false, fmt_json),
    ]
}

/// Takes packets and forgets them.
struct Nowhere;

impl Emitter for Nowhere {
    fn emit(&self, packet: &Packet) -> Result<(), EmitError> {
        black_box(packet.as_bytes());
        Ok(())
    }
}

/// One of the two, chosen when the world is built.
struct Fixed(bool);

impl Sampler for Fixed {
    fn sample(&self, request: &SamplingRequest<'_>) -> SamplingResult {
        if self.0 { Always.sample(request) } else { Never.sample(request) }
    }

    fn looks_at_request(&self) -> bool {
        false
    }
}

fn floor(setting: Setting) -> Built {
    Ok(Some(subscribe(setting, Idle.with_filter(default_filter()), || ())))
}

fn bare(setting: Setting) -> Built {
    Ok(Some(subscribe(setting, Idle, || ())))
}

fn builder(setting: Setting) -> Builder {
    xray_tracing_layer::builder().service_name("shop").sampler(Fixed(setting.sampled))
}

fn to_udp(setting: Setting) -> UdpEmitter {
    let address: DaemonAddress = setting.daemon.to_string().parse().unwrap_or_default();
    UdpEmitter::new(&address)
}

fn flushing(handle: Handle) -> impl Fn() + Send + Sync {
    move || {
        handle.flush(Duration::from_secs(10));
    }
}

macro_rules! ours {
    ($($name:ident($setting:ident) = $builder:expr;)*) => {$(
        fn $name($setting: Setting) -> Built {
            let (layer, handle) = $builder.build_with_handle().map_err(io::Error::other)?;
            Ok(Some(subscribe($setting, layer, flushing(handle))))
        }
    )*};
}

ours! {
    udp(setting) = builder(setting).emitter(to_udp(setting));
    no_send(setting) = builder(setting).emitter(Nowhere);
    without_filter(setting) = builder(setting).emitter(Nowhere).without_filter();
    filter_of_ones_own(setting) = builder(setting).emitter(Nowhere).filter(default_filter());
    udp_without_filter(setting) = builder(setting).emitter(to_udp(setting)).without_filter();
}

fn queued(setting: Setting) -> Built {
    let (emitter, guard) = queue_to(setting)?;
    let (layer, handle) = builder(setting).emitter(emitter).build_with_handle().map_err(io::Error::other)?;
    Ok(Some(subscribe_queued(setting, layer, handle, guard)))
}

fn queued_without_filter(setting: Setting) -> Built {
    let (emitter, guard) = queue_to(setting)?;
    let built = builder(setting).emitter(emitter).without_filter().build_with_handle();
    let (layer, handle) = built.map_err(io::Error::other)?;
    Ok(Some(subscribe_queued(setting, layer, handle, guard)))
}

/// A world with a queue, whose thread lives as long as the world.
fn subscribe_queued<L>(setting: Setting, layer: L, handle: Handle, guard: QueueGuard) -> Box<dyn World>
where
    L: Layer<Registry> + Send + Sync,
{
    let stats = handle.clone();
    let flush = flushing(handle);
    Box::new(Subscribed {
        dispatch: dispatch_to(setting, layer),
        flush: Box::new(move || {
            let _ = &guard;
            flush();
        }),
        keeps_up: Box::new(move || stats.stats().emitter.queued < MOST_QUEUED),
    })
}

/// Documents, of which the largest that the jobs make fill less than half of a queue.
const MOST_QUEUED: u64 = 150;

fn queue_to(setting: Setting) -> io::Result<(QueuedEmitter, QueueGuard)> {
    let address: DaemonAddress = setting.daemon.to_string().parse().unwrap_or_default();
    QueuedEmitter::start(&address)
}

fn fmt_json(setting: Setting) -> Built {
    let layer = fmt::layer().json().with_span_events(FmtSpan::CLOSE).with_writer(io::sink);
    Ok(setting.sampled.then(|| subscribe(setting, layer.with_filter(LevelFilter::INFO), || ())))
}
