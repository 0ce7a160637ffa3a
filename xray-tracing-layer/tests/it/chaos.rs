//! The law for programs that do everything at once: several threads open, enter, fill, share and close the same spans, while
//! settings, samplers, rules, closures and emitters leave out, fail and panic.
//!
//! What each program does follows from a seed. Its spans may end up anywhere, so only what holds always is checked: each
//! document is valid and within its bound, no span is in two documents, and closed spans are sent or counted as lost.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::Value;
use tracing::{Span, error, info, info_span};
use xray_sdk::sampling::{Always, KeepSlowAndFailed, Never, Ratio, Sampler, SamplingRequest, SamplingResult};
use xray_sdk::{EmitError, Emitter, Packet, TraceHeader};
use xray_tracing_layer::{Builder, DropRule, Handle, XraySpanExt, current_trace_header};

use crate::forest::{Failure, Like, child_of, like, random};
use crate::support::{Memory, MemoryRig, assert_law, span_count};

/// A program: what its threads do, and the layer's settings.
#[derive(Clone, Debug)]
struct Chaos {
    seed: u64,
    threads: usize,
    steps: usize,
    likes: Vec<Like>,
    settings: Settings,
}

#[derive(Clone, Copy, Debug)]
struct Settings {
    /// The sampler: all, none, some, slow and failed of none, of some, or one that panics.
    sampler: u8,
    max_open_spans: u32,
    stream_after: u32,
    /// Of so many documents, the emitter refuses one; 0 for none.
    refuse: u64,
    /// Of so many spans, the closure leaves one out, and panics at another; 0 for no closure.
    on_close: u64,
    /// Of so many values, the hook panics at one and replaces another; 0 for no hook.
    redact: u64,
    drop_rules: u8,
    breadcrumbs: bool,
    annotate_all: bool,
}

/// Panics without a message on standard error.
fn fail() -> ! {
    std::panic::resume_unwind(Box::new("on purpose"))
}

/// Returns whether a count is one in so many. None is one in 0.
fn one_in(count: &AtomicU64, many: u64, nth: u64) -> bool {
    many > 0 && count.load(Relaxed) % many == nth % many
}

struct Moody(Memory, AtomicU64, u64);

impl Emitter for Moody {
    fn emit(&self, packet: &Packet) -> Result<(), EmitError> {
        self.1.fetch_add(1, Relaxed);
        if one_in(&self.1, self.2, 0) { Err(EmitError::Unavailable) } else { self.0.emit(packet) }
    }
}

struct PanickingSampler(AtomicU64);

impl Sampler for PanickingSampler {
    fn sample(&self, _: &SamplingRequest<'_>) -> SamplingResult {
        match self.0.fetch_add(1, Relaxed) % 3 {
            0 => fail(),
            1 => SamplingResult::sampled().with_observation(),
            _ => SamplingResult::dropped().with_observation(),
        }
    }
}

impl Settings {
    /// Returns whether no span is lost or left out that others are in, but by decisions of the program, before there are
    /// others.
    fn keeps_all(self) -> bool {
        self.refuse == 0 && self.on_close == 0 && self.max_open_spans > 1_000
    }

    fn apply(self, builder: Builder) -> Builder {
        let slow = |inside: Ratio| KeepSlowAndFailed::new(inside).slower_than(Duration::from_micros(200));
        let builder = match self.sampler {
            0 => builder.sampler(Always),
            1 => builder.sampler(Never),
            2 => builder.sampler(Ratio::new(0.5)),
            3 => builder.sampler(slow(Ratio::new(0.0)).max_open_traces(4)),
            4 => builder.sampler(slow(Ratio::new(0.5)).max_held_bytes(20_000)),
            _ => builder.sampler(PanickingSampler(AtomicU64::new(0))),
        };
        let builder = builder.stream_after(self.stream_after).max_open_spans(self.max_open_spans);
        let builder = if self.breadcrumbs { builder.breadcrumbs() } else { builder };
        let builder = if self.annotate_all { builder.annotate_all() } else { builder };
        let builder = match self.drop_rules {
            1 => builder.drop_span("plain").drop_span(DropRule::matching(|metadata| {
                if metadata.name() == "db" { fail() } else { metadata.name() == "twice" }
            })),
            2 => builder.drop_span(DropRule::from("named").with_children()),
            _ => builder,
        };
        let builder = match self.on_close {
            0 => builder,
            many => {
                let count = AtomicU64::new(0);
                builder.on_close(move |span| {
                    count.fetch_add(1, Relaxed);
                    span.annotate("closed", span.duration().as_micros() as u64);
                    if one_in(&count, many, 0) {
                        span.drop_span();
                    } else if one_in(&count, many, 1) {
                        span.drop_with_children();
                    } else if one_in(&count, many, 2) {
                        span.rename("renamed");
                        fail();
                    }
                    span.remove_field("i");
                    span.set_status(404);
                })
            }
        };
        match self.redact {
            0 => builder,
            many => {
                let count = AtomicU64::new(0);
                builder.redact(move |_, value| {
                    count.fetch_add(1, Relaxed);
                    if one_in(&count, many, 0) {
                        fail()
                    }
                    if one_in(&count, many, 1) { value.repeat(3).into() } else { value.into() }
                })
            }
        }
    }
}

fn settings() -> impl Strategy<Value = Settings> {
    let often = |common: u64| prop_oneof![2 => Just(0_u64), 1 => 1..common];
    (
        prop_oneof![3 => Just(0_u8), 4 => 0..6_u8],
        prop_oneof![4 => Just(1_u32 << 16), 1 => 0..12_u32],
        prop_oneof![4 => Just(u32::MAX), 1 => 0..9_u32],
        often(6),
        often(9),
        often(9),
        0..4_u8,
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(
            |(
                sampler,
                max_open_spans,
                stream_after,
                refuse,
                on_close,
                redact,
                drop_rules,
                breadcrumbs,
                annotate_all,
            )| {
                Settings {
                    sampler,
                    max_open_spans,
                    stream_after,
                    refuse,
                    on_close,
                    redact,
                    drop_rules,
                    breadcrumbs,
                    annotate_all,
                }
            },
        )
}

fn chaos() -> impl Strategy<Value = Chaos> {
    (any::<u64>(), 1..5_usize, 1..150_usize, prop::collection::vec(like(true), 1..8), settings())
        .prop_map(|(seed, threads, steps, likes, settings)| Chaos { seed, threads, steps, likes, settings })
}

/// Spans that the threads share.
type Slots = [Mutex<Option<Span>>];

fn slot(slots: &Slots, at: u64) -> Option<Span> {
    slots[at as usize % slots.len()].lock().unwrap_or_else(PoisonError::into_inner).clone()
}

impl Chaos {
    /// Runs the program. At its end, each of its spans is closed.
    fn run(&self, rig: &MemoryRig) {
        let slots: Vec<Mutex<Option<Span>>> = (0..12).map(|_| Mutex::new(None)).collect();
        std::thread::scope(|scope| {
            for thread in 0..self.threads {
                let slots = &slots;
                scope.spawn(move || {
                    let mut random =
                        random(self.seed ^ (thread as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
                    rig.run(|| self.act(&mut random, &rig.handle, slots, self.steps, 0));
                });
            }
        });
        rig.run(|| drop(slots));
    }

    fn act(
        &self,
        random: &mut dyn FnMut() -> u64,
        handle: &Handle,
        slots: &Slots,
        steps: usize,
        depth: usize,
    ) {
        let mut left = steps;
        while left > 0 {
            left -= 1;
            let at = random();
            let like = &self.likes[random() as usize % self.likes.len()];
            match random() % 20 {
                0..=5 => {
                    let parent = if random().is_multiple_of(4) { None } else { slot(slots, random()) };
                    let span = if random().is_multiple_of(2) {
                        like.open(parent.as_ref())
                    } else {
                        child_of(parent.as_ref(), (random() % 11) as u8, like)
                    };
                    let old = slots[at as usize % slots.len()].lock().unwrap().replace(span);
                    drop(old);
                }
                6..=8 => drop(slots[at as usize % slots.len()].lock().unwrap().take()),
                9..=11 => {
                    if let Some(span) = slot(slots, at)
                        && depth < 6
                    {
                        let inside = left.min(random() as usize % 12);
                        left -= inside;
                        let mut work = || self.act(random, handle, slots, inside, depth + 1);
                        if like.flag {
                            // Unwinds out of the span.
                            let work = std::panic::AssertUnwindSafe(|| {
                                span.in_scope(|| {
                                    work();
                                    fail()
                                })
                            });
                            assert!(std::panic::catch_unwind(work).is_err());
                        } else {
                            span.in_scope(work);
                        }
                    }
                }
                12 => drop(info_span!("in the current one", n = at).entered()),
                13 => {
                    error!(n = at, "in the current span");
                    info!(at, flag = like.flag, "a breadcrumb");
                }
                14 => {
                    if let Some(span) = slot(slots, at) {
                        like.fill(&span);
                    }
                }
                15 => {
                    if let Some(span) = slot(slots, at) {
                        span.force_sampling(like.flag);
                    }
                }
                16 => {
                    let from = slot(slots, random()).and_then(|span| span.trace_header());
                    let header = from.or_else(|| {
                        "Root=1-66f1a2b3-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled=0"
                            .parse::<TraceHeader>()
                            .ok()
                    });
                    if let (Some(span), Some(header)) = (slot(slots, at), header) {
                        span.set_trace_header(&header);
                    }
                }
                17 => {
                    if let (Some(one), Some(other)) = (slot(slots, at), slot(slots, random())) {
                        one.follows_from(&other);
                        one.record_error(&Failure(like.sources));
                    }
                }
                18 => drop(current_trace_header()),
                _ => {
                    let stats = handle.stats();
                    assert!(stats.closed >= stats.folded + stats.emitted, "{stats:?}");
                    if random().is_multiple_of(8) {
                        handle.flush(Duration::ZERO);
                    }
                }
            }
        }
    }
}

/// Collects the ids in a document, each with the trace's.
fn ids<'a>(document: &'a Value, trace: &'a str, found: &mut Vec<(&'a str, &'a str)>) {
    found.push((document["id"].as_str().unwrap(), trace));
    document["subsegments"].as_array().into_iter().flatten().for_each(|child| ids(child, trace, found));
}

proptest! {
    // `PROPTEST_CASES=20000 cargo test -p xray-tracing-layer --test it chaos` runs more.
    #![proptest_config(Config { failure_persistence: None, max_shrink_time: 20_000, ..Config::default() })]

    #[test]
    fn whatever_threads_do_at_once_each_span_is_sent_once_or_counted(chaos in chaos()) {
        let memory = Memory::default();
        let emitter = Moody(memory.clone(), AtomicU64::new(0), chaos.settings.refuse);
        let rig = MemoryRig::with(|builder| chaos.settings.apply(builder).emitter(emitter));
        chaos.run(&rig);
        prop_assume!(rig.never_closed() == 0);
        let stats = rig.handle.stats();
        assert_law(&stats);
        prop_assert_eq!(stats.held, 0);
        let documents = memory.parsed();
        prop_assert!(memory.largest() <= 64_030, "{} bytes", memory.largest());
        let refused = if chaos.settings.refuse == 0 { documents.len() as u64 } else { stats.documents };
        prop_assert_eq!(refused, stats.documents, "{:?}", stats);
        let finished: Vec<_> = documents.iter().filter(|document| document.get("end_time").is_some()).collect();
        let sent: u64 = finished.iter().map(|document| span_count(document)).sum();
        prop_assert_eq!(sent + stats.dropped + stats.lost_with_parent, stats.closed, "{:?}", stats);
        let mut found = Vec::new();
        finished.iter().for_each(|document| ids(document, document["trace_id"].as_str().unwrap(), &mut found));
        let distinct: HashSet<_> = found.iter().map(|(id, _)| id).collect();
        prop_assert_eq!(distinct.len(), found.len(), "a span is in two documents");
        if chaos.settings.keeps_all() {
            let of = |document: &&&Value| document["type"] == "subsegment";
            for part in finished.iter().filter(of) {
                let parent = (part["parent_id"].as_str().unwrap(), part["trace_id"].as_str().unwrap());
                prop_assert!(found.contains(&parent), "the parent is not in the trace: {part}");
            }
        }
        prop_assert_eq!(stats.abandoned, 0, "{:?}", stats);
    }
}

#[test]
fn a_table_without_room_counts_each_span() {
    let rig = MemoryRig::with(|builder| builder.max_open_spans(0));
    rig.run(|| (0..10).for_each(|_| info_span!("root").in_scope(|| drop(info_span!("child")))));
    let stats = rig.handle.stats();
    assert_eq!((stats.over_capacity, stats.closed), (20, 0), "{stats:?}");
}

#[cfg(feature = "queued-emitter")]
proptest! {
    #![proptest_config(Config { cases: 24, failure_persistence: None, max_shrink_time: 20_000, ..Config::default() })]

    #[test]
    fn whatever_threads_do_at_once_a_queue_delivers_what_was_passed_to_it(chaos in chaos()) {
        let collector = xray_sdk::local::Collector::start().unwrap();
        let mut guard = None;
        let rig = MemoryRig::with(|builder| {
            let address = collector.daemon_address().parse().unwrap();
            let (emitter, kept) = xray_sdk::QueuedEmitter::start(&address).unwrap();
            guard = Some(kept);
            chaos.settings.apply(builder).emitter(emitter)
        });
        chaos.run(&rig);
        prop_assume!(rig.never_closed() == 0);
        prop_assert!(rig.handle.flush(Duration::from_secs(60)));
        drop(guard);
        let stats = rig.handle.stats();
        assert_law(&stats);
        let emitter = stats.emitter;
        prop_assert_eq!((emitter.queued, emitter.sent + emitter.full), (0, stats.documents + stats.dropped), "{:?}", stats);
        let arrived = |received: &xray_sdk::local::Received| received.datagrams() as u64 >= emitter.sent;
        prop_assert!(collector.wait_for(Duration::from_secs(60), arrived), "{:?}", stats);
        let received = collector.received();
        prop_assert_eq!(received.problems(), [""; 0]);
        let finished = received.documents().iter().filter(|document| !document.is_in_progress());
        let spans: usize = finished.map(xray_sdk::local::Document::span_count).sum();
        prop_assert_eq!(spans as u64 + stats.dropped + stats.lost_with_parent, stats.closed, "{:?}", stats);
    }
}
