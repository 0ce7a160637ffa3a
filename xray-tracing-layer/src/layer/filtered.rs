//! The layer with its default filter, for less than `Filtered` costs.
//!
//! `Filtered` handles every callback, and looks the span up in the registry to learn whether its filter
//! enabled it: at enter, exit, record and close. The layer has a table of its own, so these callbacks bypass
//! `Filtered` here. Callbacks about callsites, new spans and events go through it, because it passes the
//! filter's verdict to the registry.
//!
//! `Filtered` stores the filter's verdict in a thread-local until the next span or event. If none follows
//! (after `tracing::enabled!`, or across an `.await` in the arguments of `info!("{}", response.await)`), the
//! stale verdict is applied to the next span, which is lost. The default filter depends on the callsite
//! alone, so this type asks it again about what `Filtered` rejects.
//!
//! This holds for the default filter only. Another filter may depend on more and have callbacks of its own,
//! as `EnvFilter` has.
//!
//! This is the crate's only `unsafe` code. A layer with a filter has to declare that when it is stacked, or
//! the layers beside it are filtered as well. The declaration is the result of `Layer::downcast_raw`, an
//! `unsafe fn` even when it only forwards the call, as here.
#![expect(unsafe_code)]

use std::any::TypeId;

use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Dispatch, Event, Interest, LevelFilter, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Filtered;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::layer::default_filter::DefaultFilter;
use crate::layer::xray_layer::{XrayLayer, was_forwarded};

/// The layer with its default filter: the type that [`layer`](crate::layer()) returns.
///
/// ```
/// use tracing_subscriber::Registry;
/// use xray_tracing_layer::FilteredLayer;
///
/// struct Telemetry {
///     xray: FilteredLayer<Registry>,
/// }
///
/// let telemetry = Telemetry { xray: xray_tracing_layer::layer() };
/// ```
#[derive(Debug)]
pub struct FilteredLayer<S> {
    filtered: Filtered<XrayLayer, DefaultFilter, S>,
    filter: DefaultFilter,
}

impl<S: Subscriber> FilteredLayer<S> {
    pub(crate) fn new(layer: XrayLayer) -> Self
    where
        S: for<'a> LookupSpan<'a>,
    {
        let mut filter = DefaultFilter::default();
        if layer.core.spans.callsites.settings().breadcrumbs {
            filter = filter.with_breadcrumbs();
        }
        Self { filtered: layer.with_filter(filter), filter }
    }

    fn layer(&self) -> &XrayLayer {
        self.filtered.inner()
    }
}

impl<S> Layer<S> for FilteredLayer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        self.filtered.on_register_dispatch(dispatch);
    }

    fn on_layer(&mut self, subscriber: &mut S) {
        self.filtered.on_layer(subscriber);
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.filtered.register_callsite(metadata)
    }

    fn enabled(&self, metadata: &Metadata<'_>, ctx: Context<'_, S>) -> bool {
        self.filtered.enabled(metadata, ctx)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.filtered.max_level_hint()
    }

    #[inline]
    fn on_new_span(&self, attrs: &Attributes<'_>, id: &Id, ctx: Context<'_, S>) {
        if !was_forwarded(|| self.filtered.on_new_span(attrs, id, ctx.clone())) {
            if self.filter.wants(attrs.metadata()) {
                self.layer().on_new_span(attrs, id, ctx);
            } else {
                self.layer().note_rejected(id);
            }
        }
    }

    fn event_enabled(&self, event: &Event<'_>, ctx: Context<'_, S>) -> bool {
        self.filtered.event_enabled(event, ctx)
    }

    #[inline]
    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        if !was_forwarded(|| self.filtered.on_event(event, ctx.clone()))
            && self.filter.wants(event.metadata())
        {
            self.layer().on_event(event, ctx);
        }
    }

    #[inline]
    fn on_record(&self, id: &Id, values: &Record<'_>, ctx: Context<'_, S>) {
        self.layer().on_record(id, values, ctx);
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, ctx: Context<'_, S>) {
        self.layer().on_follows_from(id, follows, ctx);
    }

    #[inline]
    fn on_enter(&self, id: &Id, ctx: Context<'_, S>) {
        self.layer().on_enter(id, ctx);
    }

    #[inline]
    fn on_exit(&self, id: &Id, ctx: Context<'_, S>) {
        self.layer().on_exit(id, ctx);
    }

    #[inline]
    fn on_close(&self, id: Id, ctx: Context<'_, S>) {
        self.layer().on_close(id, ctx);
    }

    fn on_id_change(&self, old: &Id, new: &Id, ctx: Context<'_, S>) {
        self.filtered.on_id_change(old, new, ctx);
    }

    unsafe fn downcast_raw(&self, id: TypeId) -> Option<*const ()> {
        if id == TypeId::of::<Self>() {
            return Some(std::ptr::from_ref(self).cast());
        }
        // SAFETY: the call is forwarded unchanged, to a layer that lives as long as this one.
        unsafe { self.filtered.downcast_raw(id) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::{Registry, registry};
    use xray_sdk::sampling::Always;
    use xray_sdk::{EmitError, Emitter, Packet};

    use super::*;

    #[derive(Clone, Default)]
    struct Count(Arc<AtomicU32>);

    impl Emitter for Count {
        fn emit(&self, _: &Packet) -> Result<(), EmitError> {
            self.0.fetch_add(1, Relaxed);
            Ok(())
        }
    }

    impl<S: Subscriber> Layer<S> for Count {
        fn on_new_span(&self, _: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    #[test]
    fn the_filter_is_this_layers_alone_and_all_that_is_inside_is_found() {
        let (sent, beside) = (Count::default(), Count::default());
        let builder = crate::builder().emitter(sent.clone()).sampler(Always);
        let (layer, handle) = builder.build_with_handle::<Registry>().unwrap();
        let dispatch = Dispatch::new(registry().with(layer).with(beside.clone()));
        assert!(dispatch.downcast_ref::<FilteredLayer<Registry>>().is_some());
        assert!(dispatch.downcast_ref::<Filtered<XrayLayer, DefaultFilter, Registry>>().is_some());
        let found = dispatch.downcast_ref::<XrayLayer>().unwrap();
        assert!(found.core.install.visible.load(Relaxed) && found.core.config.default_filter);
        tracing::dispatcher::with_default(&dispatch, || {
            let _root = tracing::info_span!("root", order = 7).entered();
            let rejected = tracing::debug_span!("rejected", late = tracing::field::Empty).entered();
            rejected.record("late", 1);
            let child = tracing::info_span!("child").entered();
            child.follows_from(rejected.id());
        });
        assert_eq!((sent.0.load(Relaxed), beside.0.load(Relaxed)), (1, 3));
        let stats = handle.stats();
        assert_eq!((stats.closed, stats.folded, stats.emitted), (2, 1, 1));
    }
}
