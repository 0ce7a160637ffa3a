//! Headers that a served request carries for the services behind this one: W3C's `tracestate` and `baggage`.
//!
//! Stored in the extensions of the request's span in the registry: few programs get such headers, and most spans have
//! nothing to do with them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tracing::Span;
use tracing_subscriber::Registry;
use tracing_subscriber::registry::LookupSpan;

use crate::layer::find::{core_of, with_core};

/// The headers, as they came.
#[derive(Debug, Default)]
pub(crate) struct Carried {
    pub(crate) tracestate: Option<Box<str>>,
    pub(crate) baggage: Option<Box<str>>,
}

/// Stores headers in a span. Calls inside of it [find](carried) them.
pub(crate) fn carry(span: &Span, mut carried: Carried) {
    span.with_subscriber(|(id, dispatch)| {
        if core_of(id, dispatch).is_some_and(|core| core.config.headers.drops_baggage) {
            carried.baggage = None;
        }
        let is_empty = carried.tracestate.is_none() && carried.baggage.is_none();
        let Some(span) = dispatch.downcast_ref::<Registry>().and_then(|registry| registry.span(id)) else {
            return;
        };
        if !is_empty {
            span.extensions_mut().replace(Arc::new(carried));
            ANY.store(true, Relaxed);
        }
    });
}

/// Returns the headers of the nearest span that has some, from a span outwards.
pub(crate) fn carried(span: &Span) -> Option<Arc<Carried>> {
    if !ANY.load(Relaxed) {
        return None;
    }
    span.with_subscriber(|(id, dispatch)| {
        let span = dispatch.downcast_ref::<Registry>()?.span(id)?;
        span.scope().find_map(|span| span.extensions().get::<Arc<Carried>>().cloned())
    })?
}

/// Counts a header that is not passed on.
pub(crate) fn count_dropped(span: &Span) {
    with_core(span, |core, _| core.output.counters.headers_dropped.one());
}

/// Set if any span of the process ever had such headers.
static ANY: AtomicBool = AtomicBool::new(false);
