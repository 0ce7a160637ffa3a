//! The way from a [`tracing::Span`] to the layer that has its record.
//!
//! `Dispatch::downcast_ref` finds a layer by its type, but not a layer below a reloadable one, and not the
//! second of its kind. Such a layer stores a [`HiddenCore`] in the extensions of its spans, which is the next
//! place to look.

use std::iter::{once, once_with};
use std::ops::Deref;
use std::sync::Arc;

use tracing::Span;
use tracing_core::Dispatch;
use tracing_core::span::Id;
use tracing_subscriber::Registry;
use tracing_subscriber::registry::LookupSpan;

use crate::fields::redacted_body::RedactedBody;
use crate::fields::scratch::with_body;
use crate::layer::xray_layer::{HiddenCore, XrayLayer};
use crate::lifecycle::core::Core;

/// A layer's core, found from a span.
pub(crate) enum FoundCore<'a> {
    Visible(&'a Arc<Core>),
    Hidden(Arc<Core>),
}

impl FoundCore<'_> {
    /// Returns the core, to be kept for longer.
    pub(crate) fn shared(&self) -> Arc<Core> {
        match self {
            Self::Visible(core) => Arc::clone(core),
            Self::Hidden(core) => Arc::clone(core),
        }
    }
}

impl Deref for FoundCore<'_> {
    type Target = Core;

    fn deref(&self) -> &Core {
        match self {
            Self::Visible(core) => core,
            Self::Hidden(core) => core,
        }
    }
}

/// Returns the layer that has the span, if there is one.
pub(crate) fn core_of<'a>(id: &Id, dispatch: &'a Dispatch) -> Option<FoundCore<'a>> {
    if let Some(layer) = dispatch.downcast_ref::<XrayLayer>() {
        return Some(FoundCore::Visible(&layer.core));
    }
    let span = dispatch.downcast_ref::<Registry>()?.span(id)?;
    span.scope().find_map(|span| {
        let extensions = span.extensions();
        extensions.get::<HiddenCore>().map(|hidden| FoundCore::Hidden(Arc::clone(&hidden.0)))
    })
}

/// Returns the span and its ancestors, from the inside out. The registry is only asked for ancestors.
pub(crate) fn scope<'a>(id: &Id, dispatch: &'a Dispatch) -> impl Iterator<Item = u64> + use<'a> {
    let own = id.clone();
    let span = once_with(move || dispatch.downcast_ref::<Registry>()?.span(&own)).flatten();
    once(id.into_u64()).chain(span.flat_map(|span| span.scope().skip(1)).map(|span| span.id().into_u64()))
}

/// Calls `act` with the layer that has the span, if there is one.
pub(crate) fn with_core(span: &Span, act: impl FnOnce(&Core, u64)) {
    span.with_subscriber(|(id, dispatch)| {
        if let Some(core) = core_of(id, dispatch) {
            act(&core, id.into_u64());
        }
    });
}

/// Adds to the span's record. `put` writes into a scratch body before the record is locked, because it may
/// run user code.
pub(crate) fn update(span: &Span, put: impl FnOnce(&mut RedactedBody<'_>)) {
    with_core(span, |core, id| {
        if core.spans.table.with(id, |record| record.keeps_fields()) == Some(true) {
            with_body(|body| {
                put(&mut RedactedBody::new(body, &core.config.rules));
                core.spans.table.with(id, |record| record.body.absorb(body));
            });
        }
    });
}

/// Emits a top subsegment as complete: its work is over, although its span may be held by a task.
#[cfg(feature = "lambda")]
pub(crate) fn emit_early(span: &Span) {
    with_core(span, Core::emit_early);
}

/// Emits what the function has recorded so far: finished subsegments, and open ones as in progress.
#[cfg(feature = "lambda")]
pub(crate) fn emit_unfinished(span: &Span) {
    with_core(span, |core, _| {
        if let Some(function) = core.spans.host.lambda() {
            core.before_freeze(function);
        }
    });
}

/// Drops a span whose work is over. If something else holds the span, a task in the background for instance, the
/// span's document is emitted now.
#[cfg(feature = "tower-server")]
pub(crate) fn end(span: Span) {
    let held = span.with_subscriber(|(id, dispatch)| (id.clone(), dispatch.clone()));
    drop(span);
    let Some((id, dispatch)) = held else { return };
    // A span that nothing held is closed by now, and has no record.
    if let Some(core) = core_of(&id, &dispatch) {
        core.emit_ended(id.into_u64());
    }
}

/// Counts an invalid trace header, in the layer that has the span.
#[cfg(feature = "tower-server")]
pub(crate) fn count_bad_header(span: &Span) {
    with_core(span, |core, _| core.output.counters.bad_headers.one());
}

/// Counts a panic of a closure of the user's, in the layer that has the span.
#[cfg(feature = "tower-server")]
#[cold]
pub(crate) fn count_caught_panic(span: &Span) {
    with_core(span, |core, _| core.output.counters.caught_panics.one());
}

/// Returns whether the layer that has the span keeps queries of URLs.
#[cfg(any(feature = "tower-server", feature = "tower-client", feature = "reqwest-middleware"))]
pub(crate) fn keeps_query(span: &Span) -> bool {
    let mut keeps = false;
    with_core(span, |core, _| keeps = core.config.rules.keep_query);
    keeps
}
