//! The callbacks. Each hands over to the [`Core`], and returns at once for what the core does not know.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Dispatch, Event, Interest, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::lifecycle::core::Core;

/// Turns spans into X-Ray documents. Made by [`layer`](crate::layer) or [`builder`](crate::builder).
///
/// The type is the same for every subscriber, so that `Dispatch::downcast_ref` finds it.
#[derive(Debug)]
pub struct XrayLayer {
    pub(crate) core: Arc<Core>,
}

impl XrayLayer {
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
        self.core.visible.store(found, Relaxed);
        let _ = self.core.dispatch.set(dispatch.downgrade());
        self.core.install();
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.core.wanted.note(metadata);
        self.core.unsampled.note(metadata);
        Interest::always()
    }

    #[inline]
    fn on_new_span(&self, attrs: &Attributes<'_>, id: &Id, ctx: Context<'_, S>) {
        if !self.core.opens_unsampled(attrs) {
            self.core.open(attrs, id, &ctx);
        }
        if !self.core.visible.load(Relaxed) {
            self.store_core(id, &ctx);
        }
        note_forwarded();
    }

    #[inline]
    fn on_record(&self, id: &Id, values: &Record<'_>, _ctx: Context<'_, S>) {
        self.core.record(id, values);
    }

    #[inline]
    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        self.core.event(event, &ctx);
        note_forwarded();
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
        self.core.exit(id, &ctx);
    }

    #[inline]
    fn on_close(&self, id: Id, ctx: Context<'_, S>) {
        self.core.close(&id, &ctx);
    }
}

thread_local! {
    /// Whether a layer was told of a span or an event since somebody wanted to know.
    static FORWARDED: Cell<bool> = const { Cell::new(false) };
}

/// A layer was told, and is done: what else it was told meanwhile is over, too.
#[inline]
fn note_forwarded() {
    let _ = FORWARDED.try_with(|called| called.set(true));
}

/// Whether a layer is told of a span or an event in `pass_on`.
#[inline]
pub(crate) fn was_forwarded(pass_on: impl FnOnce()) -> bool {
    let _ = FORWARDED.try_with(|called| called.set(false));
    pass_on();
    FORWARDED.try_with(Cell::get).unwrap_or(true)
}

/// Ends what was started for the layer. Its handles, which may live on, still have its counts.
impl Drop for XrayLayer {
    fn drop(&mut self) {
        self.core.uninstall();
    }
}

/// Left in the extensions of each span by a layer that can't be found by its type: below a reloadable layer,
/// or below another of its kind.
pub(crate) struct HiddenCore(pub(crate) Arc<Core>);
