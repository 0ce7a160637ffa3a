//! The callbacks. Each calls the [`Core`], and returns at once for spans without a record.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Dispatch, Event, Interest, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::lifecycle::core::Core;
use crate::state::thread::thread_state::ThreadState;
use crate::state::unsampled::UnsampledScopes;

/// The layer that turns spans into X-Ray documents, without a filter. Made by
/// [`Builder::without_filter`](crate::Builder::without_filter).
///
/// The type is the same for every subscriber, so that `Dispatch::downcast_ref` finds it.
#[derive(Debug)]
pub struct XrayLayer {
    pub(crate) core: Arc<Core>,
}

impl XrayLayer {
    /// Notes that the layer's filter rejects a new span.
    #[inline]
    pub(crate) fn note_rejected(&self, id: &Id) {
        self.note_forwarded();
        self.core.note_rejected(id.into_u64());
    }

    /// Counts a callback about a new span or an event.
    #[inline]
    fn note_forwarded(&self) {
        if UnsampledScopes::is_due(count_forwarded()) {
            self.core.spans.unsampled.renew();
        }
    }

    /// Opens a span when something is due, or unknown, or when it may override the unsampled root that it is in.
    #[cold]
    #[inline(never)]
    fn on_any_new_span<S>(&self, attrs: &Attributes<'_>, id: &Id, ctx: Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        if ThreadState::with(|thread| thread.forwarded.get()).is_some_and(UnsampledScopes::is_due) {
            self.core.spans.unsampled.renew();
        }
        if !self.core.install.visible.load(Relaxed) {
            self.store_core(id, &ctx);
        }
        if !self.core.opens_unsampled(attrs, id) {
            self.core.open(attrs, id, ctx);
        }
    }

    #[cold]
    fn store_core<S>(&self, id: &Id, ctx: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        if let Some(span) = ctx.span(id) {
            span.extensions_mut().replace(HiddenCore(Arc::clone(&self.core)));
        }
    }
}

impl<S> Layer<S> for XrayLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        let found = dispatch.downcast_ref::<Self>().is_some_and(|found| Arc::ptr_eq(&found.core, &self.core));
        self.core.install.visible.store(found, Relaxed);
        let _ = self.core.install.dispatch.set(dispatch.downgrade());
        self.core.install();
    }

    fn on_layer(&mut self, _: &mut S) {
        self.core.install.layered.store(true, Relaxed);
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        // All that a layer hears of the subscriber into which a reload puts it.
        self.core.install.layered.store(true, Relaxed);
        self.core.install.wanted.note(metadata);
        self.core.spans.unsampled.note(metadata);
        Interest::always()
    }

    // Each call is the last, so that nothing is kept for afterwards.
    #[inline]
    fn on_new_span(&self, attrs: &Attributes<'_>, id: &Id, ctx: Context<'_, S>) {
        if UnsampledScopes::is_due(count_forwarded())
            || !self.core.install.visible.load(Relaxed)
            || !self.core.knows_its_spans()
        {
            return self.on_any_new_span(attrs, id, ctx);
        }
        if !self.core.is_known_as_unsampled() {
            return self.core.open(attrs, id, ctx);
        }
        if !self.core.opens_plainly_unsampled(attrs) {
            return self.on_any_new_span(attrs, id, ctx);
        }
        self.core.note_unsampled_child(id);
    }

    #[inline]
    fn on_record(&self, id: &Id, values: &Record<'_>, _ctx: Context<'_, S>) {
        self.core.record(id, values);
    }

    #[inline]
    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        self.note_forwarded();
        self.core.event(event, &ctx);
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, _ctx: Context<'_, S>) {
        self.core.follows(id, follows);
    }

    #[inline]
    fn on_enter(&self, id: &Id, _ctx: Context<'_, S>) {
        self.core.enter(id.into_u64());
    }

    #[inline]
    fn on_exit(&self, id: &Id, ctx: Context<'_, S>) {
        self.core.exit(id, ctx);
    }

    #[inline]
    fn on_close(&self, id: Id, ctx: Context<'_, S>) {
        self.core.close(&id, &ctx);
    }
}

/// Counts a callback that was forwarded. Returns the thread's count.
#[inline]
fn count_forwarded() -> u32 {
    let count = ThreadState::with(|thread| {
        let count = thread.forwarded.get().wrapping_add(1);
        thread.forwarded.set(count);
        count
    });
    count.unwrap_or_default()
}

/// Returns whether `forward` reaches the inner layer's callback for a span or an event.
#[inline]
pub(crate) fn was_forwarded(forward: impl FnOnce()) -> bool {
    // What is nested in the callback is counted as well, but there is nothing nested in one that was not forwarded.
    let before = ThreadState::with(|thread| thread.forwarded.get());
    forward();
    before.is_none_or(|before| ThreadState::with(|thread| thread.forwarded.get()) != Some(before))
}

/// Stops background work. Handles may live on, and keep the counters.
impl Drop for XrayLayer {
    fn drop(&mut self) {
        self.core.uninstall();
    }
}

/// The core of a layer that cannot be found by its type, stored in the extensions of each of its spans.
pub(crate) struct HiddenCore(pub(crate) Arc<Core>);
