//! Who does the jobs: the floors, ours in its variants, `fmt`, and the rivals if they are built in. Each is set
//! up for a [`Setting`], alone in the process at that time: `tracing` asks every subscriber that lives about
//! each callsite, so two at once would pay for each other.

use std::hint::black_box;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tracing::{Dispatch, Subscriber, dispatcher};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::prelude::*;
use tracing_subscriber::{Layer, Registry, fmt, registry};
use xray_sdk::daemon::DaemonAddress;
use xray_sdk::sampling::{Always, Never, Sampler, SamplingRequest, SamplingResult};
use xray_sdk::{EmitError, Emitter, Packet, QueueGuard, QueuedEmitter, UdpEmitter};
use xray_tracing_layer::{Builder, Handle, default_filter};

use crate::jobs::Job;
use crate::meter::stay_awake;

/// A contender that is set up.
pub trait World: Send + Sync {
    /// Does a job so many times on the calling thread.
    fn run(&self, job: Job, times: u32);

    /// Runs `what` with this world's subscriber, if it is one of `tracing`; whether it did.
    fn with_tracing(&self, what: &dyn Fn()) -> bool {
        let _ = what;
        false
    }

    /// Waits until all that was done is in the socket.
    fn flush(&self) {}

    /// The same, between two measurements. Answers how long the calling thread was busy with staying awake: a core that
    /// slept is slow for a while, which says nothing about what is measured.
    fn settle(&self) -> Duration {
        flush_awake(self)
    }

    /// Spans to open between two flushes. Defaults to what OpenTelemetry's batch processor takes at once, so
    /// that no batch is torn by its size.
    fn batch(&self) -> u32 {
        500
    }
}

/// What a world is set up for.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Where the daemon listens.
    pub daemon: SocketAddr,
    /// Whether traces are sampled.
    pub sampled: bool,
    /// Whether another layer that wants everything and does nothing is beside.
    pub beside: bool,
    /// Whether queues have the length that they have by default, instead of one that never overflows.
    pub short_queue: bool,
}

impl Setting {
    /// Everything is sampled, nobody is beside, no queue overflows.
    #[must_use]
    pub fn to(daemon: SocketAddr) -> Self {
        Self { daemon, sampled: true, beside: false, short_queue: false }
    }
}

/// A world, or `None` if a contender has no such setting.
pub type Built = io::Result<Option<Box<dyn World>>>;

/// One row of the tables.
#[derive(Clone, Copy)]
pub struct Contender {
    /// Short and unique.
    pub name: &'static str,
    /// Whether documents leave it.
    pub sends: bool,
    /// The largest trace that it survives, in spans.
    pub largest: u32,
    /// Sets it up; `None` if it has no such setting.
    pub build: fn(Setting) -> Built,
}

/// The floor that ratios refer to: the registry with a layer that does nothing behind our filter.
pub const FLOOR: &str = "floor: Registry + no-op layer, same filter";

/// Ours as the front page has it.
pub const OURS: &str = "ours, UDP";

/// All contenders, floors first.
#[must_use]
pub fn all() -> Vec<Contender> {
    let ours = |name, sends, build| Contender { name, sends, largest: u32::MAX, build };
    #[allow(unused_mut, reason = "rivals are optional")]
    let mut all = vec![
        ours(FLOOR, false, floor as fn(Setting) -> Built),
        ours("bare Registry + no-op layer", false, bare),
        ours(OURS, true, udp),
        ours("ours, queued", true, queued),
        ours("ours, no send", false, no_send),
        ours("ours, no send, without_filter", false, without_filter),
        ours("ours, no send, filter of ones own", false, filter_of_ones_own),
        ours("ours, UDP, without_filter", true, udp_without_filter),
        ours("ours, queued, without_filter", true, queued_without_filter),
        ours("fmt JSON to a sink", false, fmt_json),
    ];
    #[cfg(feature = "rivals")]
    all.extend(crate::rivals::all());
    all
}

/// The contender of that name.
///
/// # Errors
/// If there is none.
pub fn named(name: &str) -> io::Result<Contender> {
    all()
        .into_iter()
        .find(|one| one.name == name)
        .ok_or_else(|| io::Error::other(format!("no contender {name:?}")))
}

/// A subscriber of `tracing`, and how to flush it.
pub(crate) struct Subscribed {
    pub(crate) dispatch: Dispatch,
    pub(crate) flush: Box<dyn Fn() + Send + Sync>,
    /// Of a world with a queue that works off by itself what it has: whether nothing is left.
    works_off: Option<Box<dyn Fn() -> bool + Send + Sync>>,
    /// See [`World::batch`].
    pub(crate) batch: u32,
}

impl World for Subscribed {
    #[inline(never)]
    fn run(&self, job: Job, times: u32) {
        dispatcher::with_default(&self.dispatch, || (0..times).for_each(|_| job.with_tracing()));
    }

    fn with_tracing(&self, what: &dyn Fn()) -> bool {
        dispatcher::with_default(&self.dispatch, what);
        true
    }

    fn flush(&self) {
        (self.flush)();
    }

    fn settle(&self) -> Duration {
        match &self.works_off {
            Some(is_empty) => stay_awake(AWAKE, is_empty),
            None => flush_awake(self),
        }
    }

    fn batch(&self) -> u32 {
        self.batch
    }
}

fn flush_awake(world: &(impl World + ?Sized)) -> Duration {
    let start = Instant::now();
    world.flush();
    if start.elapsed() > SLEPT { stay_awake(AWAKE, || true) } else { Duration::ZERO }
}

/// A flush that took so long has put the thread to sleep.
const SLEPT: Duration = Duration::from_micros(100);

/// After which a core is as fast as ever.
const AWAKE: Duration = Duration::from_millis(1);

/// The registry, and beside it the layer that wants all there is, where that is asked for.
pub(crate) fn subscribe<L>(
    setting: Setting,
    layer: L,
    flush: impl Fn() + Send + Sync + 'static,
) -> Box<dyn World>
where
    L: Layer<Registry> + Send + Sync,
{
    let dispatch = dispatch_to(setting, layer);
    Box::new(Subscribed { dispatch, flush: Box::new(flush), works_off: None, batch: 500 })
}

fn dispatch_to<L>(setting: Setting, layer: L) -> Dispatch
where
    L: Layer<Registry> + Send + Sync,
{
    let subscriber = registry().with(layer);
    if setting.beside { Dispatch::new(subscriber.with(Idle)) } else { Dispatch::new(subscriber) }
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
        works_off: Some(Box::new(move || stats.stats().emitter.queued == 0)),
        batch: QUEUE_BATCH,
    })
}

/// A layer that does nothing. A registry without any layer never frees its spans, hence it is in the floor.
#[derive(Debug)]
pub(crate) struct Idle;

impl<S: Subscriber> Layer<S> for Idle {}

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

/// Spans after which the queue is left alone until it is empty: their documents fill a quarter of it.
const QUEUE_BATCH: u32 = 2_500;

fn queue_to(setting: Setting) -> io::Result<(QueuedEmitter, QueueGuard)> {
    let address: DaemonAddress = setting.daemon.to_string().parse().unwrap_or_default();
    QueuedEmitter::start(&address)
}

fn fmt_json(setting: Setting) -> Built {
    let layer = fmt::layer().json().with_span_events(FmtSpan::CLOSE).with_writer(io::sink);
    Ok(setting.sampled.then(|| subscribe(setting, layer.with_filter(LevelFilter::INFO), || ())))
}
