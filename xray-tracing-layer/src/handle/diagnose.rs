//! The search for reasons why a trace may be missing. Cold code.
//!
//! The subscriber is asked about a callsite of this file's own, of which no span is ever opened.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tracing::level_filters::STATIC_MAX_LEVEL;
use tracing_core::dispatcher::WeakDispatch;
use tracing_core::metadata::{Kind, LevelFilter};
use tracing_core::{Callsite, Interest, Level, Metadata};
use xray_sdk::sampling::Sampler;

use crate::handle::diagnostic::{Diagnostic, NotSampledBy};
use crate::lifecycle::core::Core;
use crate::state::record::{Phase, Role, SpanRecord};
use crate::state::stats::Stats;

/// Collects all diagnostics that hold at present: first the causes, then the effects.
pub(crate) fn diagnose(core: &Core) -> Vec<Diagnostic> {
    let mut found: Vec<_> = core.install.notices.all().into_iter().map(Diagnostic::Config).collect();
    if !core.config.enabled {
        found.push(Diagnostic::SwitchedOff { variable: core.config.switched_off_by });
        return found;
    }
    if core.config.lambda_elsewhere {
        found.push(Diagnostic::LambdaElsewhere);
    }
    let parent = core.install.process;
    if parent != std::process::id() {
        found.push(Diagnostic::Forked { parent });
    }
    found.extend(core.output.emitter.problem().map(Diagnostic::Emitter));
    found.extend(core.hooks.sampler.problem().map(Diagnostic::Sampling));
    let stats = core.output.counters.snapshot(core.output.emitter.stats());
    found.extend(not_sampled(core, &stats));
    if stats.over_capacity > 0 {
        let max = core.spans.table.capacity();
        found.push(Diagnostic::TooManyOpen { spans: stats.over_capacity, max });
    }
    found.extend(open_for_long(core));
    if stats.context_missing > 0 {
        found.push(Diagnostic::ContextMissing(stats.context_missing));
    }
    found.extend(static_level(STATIC_MAX_LEVEL));
    // One that is gone has nothing to say.
    match core.install.dispatch.get().filter(|dispatch| dispatch.upgrade().is_some()) {
        Some(dispatch) => ask_subscriber(core, dispatch, &mut found),
        None => found.extend(not_installed(core, &stats)),
    }
    found
}

/// Returns a diagnostic if no subscriber that is in use can have the layer, and none has had it for any span.
fn not_installed(core: &Core, stats: &Stats) -> Option<Diagnostic> {
    let has_seen = stats.closed + stats.unsampled + stats.left_out + stats.over_capacity > 0;
    let (layered, dropped) = (core.install.layered.load(Relaxed), core.install.dropped.load(Relaxed));
    (!has_seen && (dropped || !layered)).then_some(Diagnostic::NotInstalled)
}

/// Returns a diagnostic for each who decided against traces.
fn not_sampled(core: &Core, stats: &Stats) -> impl Iterator<Item = Diagnostic> + use<> {
    let of = stats.unsampled + stats.sampled + stats.left_out_roots;
    let by_others = stats.unsampled_by_caller + stats.unsampled_by_program + stats.tail_full;
    let max = core.hooks.tail.as_ref().map_or(0, |tail| tail.rule.max_open_traces());
    let by_caller = if core.spans.host.is_lambda() { NotSampledBy::Lambda } else { NotSampledBy::Caller };
    [
        (stats.unsampled.saturating_sub(by_others), NotSampledBy::Sampler { name: core.hooks.sampler_name }),
        (stats.unsampled_by_caller, by_caller),
        (stats.tail_full, NotSampledBy::TailFull { max }),
        (stats.unsampled_by_program, NotSampledBy::Program),
        (stats.left_out_roots, NotSampledBy::LeftOut),
    ]
    .into_iter()
    .filter(|(traces, _)| *traces > 0)
    .map(move |(traces, by)| Diagnostic::NotSampled { traces, of, by })
}

/// Returns a diagnostic if the program was compiled without spans at `INFO`.
fn static_level(max: LevelFilter) -> Option<Diagnostic> {
    (max < Level::INFO).then_some(Diagnostic::StaticLevel(max))
}

/// Returns a diagnostic if roots have been open for long, and nothing of them was sent.
fn open_for_long(core: &Core) -> Option<Diagnostic> {
    let now = core.spans.clock.ticks();
    let mut found: Option<(usize, u64, &str)> = None;
    core.spans.table.for_each(|record: &mut SpanRecord| {
        let age = now.saturating_sub(record.start);
        let is_unsent = matches!(record.context.role, Role::Segment | Role::Independent)
            && record.is_local_root()
            && record.phase == Phase::Open;
        if !is_unsent || age < LONG {
            return;
        }
        let name = core.spans.callsites.get(record.callsite).map_or("unknown", |callsite| callsite.title);
        let (roots, oldest, its) = found.unwrap_or((0, 0, name));
        found = Some(if age > oldest { (roots + 1, age, name) } else { (roots + 1, oldest, its) });
    });
    let (roots, age, name) = found?;
    Some(Diagnostic::OpenForLong { roots, name: name.to_owned(), age: Duration::from_micros(age) })
}

/// The age, in microseconds, from which an open root is reported.
const LONG: u64 = 60_000_000;

fn ask_subscriber(core: &Core, dispatch: &WeakDispatch, found: &mut Vec<Diagnostic>) {
    let level = LevelFilter::current();
    if level < Level::INFO {
        let is_global = core.config.default_filter;
        found.push(if is_global { Diagnostic::GlobalLevel(level) } else { Diagnostic::FilterLevel(level) });
    } else if core.config.default_filter {
        found.extend(probe(dispatch));
    }
    let wanted = core.install.wanted.all().into_iter().filter(|metadata| !std::ptr::eq(*metadata, &PROBE));
    let hidden = hidden(wanted.collect(), dispatch);
    if let Some(first) = hidden.first() {
        found.push(Diagnostic::HiddenSpans {
            callsites: hidden.len(),
            example: format!("{}::{}", first.target(), first.name()),
        });
    }
}

/// Asks the subscriber about a span at `INFO`: by its callsite, as `tracing` does once, and by the span, as
/// `tracing` does each time.
fn probe(dispatch: &WeakDispatch) -> Option<Diagnostic> {
    if !hidden(vec![&PROBE], dispatch).is_empty() {
        return Some(Diagnostic::GlobalFilter);
    }
    let dispatch = dispatch.upgrade()?;
    let interest = on_own_thread(|| dispatch.register_callsite(&PROBE));
    interest.is_some_and(|interest| interest.is_never()).then_some(Diagnostic::UninterestedLayer)
}

/// Returns those callsites that the subscriber as a whole does not enable.
fn hidden(
    callsites: Vec<&'static Metadata<'static>>,
    dispatch: &WeakDispatch,
) -> Vec<&'static Metadata<'static>> {
    let Some(dispatch) = dispatch.upgrade() else { return Vec::new() };
    let ask = || callsites.into_iter().filter(|metadata| !dispatch.enabled(metadata)).collect();
    on_own_thread(ask).unwrap_or_default()
}

/// Asks on a thread that ends right after.
///
/// A question changes the thread's state of per-layer filters, which the next span of the thread would find.
fn on_own_thread<R: Send>(ask: impl FnOnce() -> R + Send) -> Option<R> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().spawn_scoped(scope, ask).ok()?;
        thread.join().ok()
    })
}

/// A span that is never opened, to ask about.
///
/// The layer's `register_callsite` is called only if no filter before it rejects the callsite. For this one
/// it need not be.
struct Probe;

impl Callsite for Probe {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        &PROBE
    }
}

static PROBE: Metadata<'static> = tracing_core::metadata! {
    name: "probe",
    target: module_path!(),
    level: Level::INFO,
    fields: &[],
    callsite: &Probe,
    kind: Kind::SPAN
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_compiled_without_spans_at_info_is_a_diagnostic() {
        let expected = [
            (LevelFilter::OFF, true),
            (LevelFilter::ERROR, true),
            (LevelFilter::WARN, true),
            (LevelFilter::INFO, false),
            (LevelFilter::DEBUG, false),
            (LevelFilter::TRACE, false),
        ];
        for (level, reported) in expected {
            let found = static_level(level);
            assert_eq!(found, reported.then_some(Diagnostic::StaticLevel(level)));
            if let Some(found) = found {
                assert!(found.to_string().contains("cargo tree -e features -i tracing"), "{found}");
            }
        }
        assert_eq!(static_level(STATIC_MAX_LEVEL), None, "this program has all levels");
    }
}
