//! Log correlation: the trace id on each line that `tracing_subscriber::fmt` writes within a recorded span.
//!
//! ```
//! use tracing_subscriber::{fmt, prelude::*};
//! use xray_tracing_layer::fmt::with_trace_id;
//!
//! tracing_subscriber::registry()
//!     .with(xray_tracing_layer::layer())
//!     .with(fmt::layer().json().map_event_format(with_trace_id))
//!     .init();
//! ```
//!
//! | format | the id's place |
//! |---|---|
//! | JSON | a member of the outermost object: `{"xray_trace_id":"1-5759e988-bd862e3fe1be46a994272793",…` |
//! | any other | at the beginning of the line: `xray_trace_id=1-5759e988-bd862e3fe1be46a994272793 ` |
//!
//! The key in JSON is that of AWS Lambda Powertools in other languages, so that one query finds the lines of
//! all functions. CloudWatch finds ids in plain lines as well.
//!
//! Lines outside of a recorded trace are unchanged, because X-Ray could not show the trace.

use std::fmt::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tracing_core::{Event, Subscriber};
use tracing_subscriber::Registry;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::{LookupSpan, SpanRef};
use xray_sdk::TraceId;

use crate::layer::registered::registered;

/// Adds the trace id to the lines of a format. For [`Layer::map_event_format`], as the last of its settings:
///
/// ```
/// # use tracing_subscriber::Registry;
/// let layer = tracing_subscriber::fmt::layer()
///     .compact()
///     .with_target(false)
///     .map_event_format(xray_tracing_layer::fmt::with_trace_id);
/// # let _: &dyn tracing_subscriber::Layer<Registry> = &layer;
/// ```
///
/// The order of the layers and their filters do not matter.
///
/// [`Layer::map_event_format`]: tracing_subscriber::fmt::Layer::map_event_format
pub fn with_trace_id<E>(format: E) -> WithTraceId<E> {
    WithTraceId { format, is_text: AtomicBool::new(false) }
}

/// A format of log lines with the trace id. Made by [`with_trace_id`].
#[derive(Debug)]
pub struct WithTraceId<E> {
    format: E,
    /// Set if the format once wrote a line that was not JSON.
    is_text: AtomicBool,
}

impl<S, N, E> FormatEvent<S, N> for WithTraceId<E>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'writer> FormatFields<'writer> + 'static,
    E: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let Some(id) = trace_id(ctx, event) else { return self.format.format_event(ctx, writer, event) };
        let id = id.encode();
        let id = std::str::from_utf8(&id).unwrap_or_default();
        if !self.is_text.load(Relaxed) {
            let mut splice = Splice { line: &mut writer, id, seen: Seen::Nothing };
            let result = self.format.format_event(ctx, Writer::new(&mut splice), event);
            if splice.seen != Seen::Text {
                return result;
            }
            self.is_text.store(true, Relaxed);
        }
        // Written straight to the line: only its own writer knows whether colors are wanted.
        write!(writer, "{KEY}={id} ")?;
        self.format.format_event(ctx, writer, event)
    }
}

const KEY: &str = "xray_trace_id";

/// Inserts the id as the first member of a JSON object. Anything else is rejected with an error.
struct Splice<'a, 'w> {
    line: &'a mut Writer<'w>,
    id: &'a str,
    seen: Seen,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Nothing,
    /// A brace, with which any line may begin.
    Brace,
    /// The beginning of an object.
    Json,
    Text,
}

impl Write for Splice<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        if self.seen == Seen::Nothing && !rest.is_empty() {
            let inner = rest.strip_prefix('{');
            self.seen = if inner.is_some() { Seen::Brace } else { Seen::Text };
            rest = inner.unwrap_or(rest);
        }
        if self.seen == Seen::Brace && !rest.is_empty() {
            self.seen = if rest.starts_with(['"', '}']) { Seen::Json } else { Seen::Text };
            if self.seen == Seen::Json {
                let comma = if rest.starts_with('"') { "," } else { "" };
                write!(self.line, "{{\"{KEY}\":\"{}\"{comma}", self.id)?;
            }
        }
        match self.seen {
            Seen::Json => self.line.write_str(rest),
            Seen::Text => Err(fmt::Error),
            Seen::Nothing | Seen::Brace => Ok(()),
        }
    }
}

/// Returns the trace of the nearest span with a record, if it is recorded.
fn trace_id<S, N>(ctx: &FmtContext<'_, S, N>, event: &Event<'_>) -> Option<TraceId>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    let current = ctx.current_span();
    let id = match event.parent() {
        None if event.is_contextual() => current.id(),
        parent => parent,
    }?;
    let here = ctx.span(id).and_then(|span| storage::<_, N>(&span));
    registered().into_iter().find_map(|layer| {
        let Some(dispatch) = layer.dispatch() else {
            // A layer that was added by a reload has no dispatch, and stores itself in its spans.
            let around = || ctx.span_scope(id).into_iter().flatten();
            let is_its = around().any(|span: SpanRef<'_, S>| layer.is_left_in(&span));
            return if is_its { layer.trace_id(around().map(|span| span.id())) } else { None };
        };
        let dispatch = dispatch.upgrade()?;
        // Another subscriber may use the same ids. Such a subscriber is distinguished by its current span and, in a span
        // that both know, by the address of the formatted fields.
        let span = dispatch.downcast_ref::<Registry>().and_then(|registry| registry.span(id));
        let there = dispatch.current_span();
        let same = there.id() == current.id()
            && there.metadata() == current.metadata()
            && (here.is_none() || here == span.as_ref().and_then(storage::<_, N>));
        // Includes spans that are hidden from the log.
        let around = span.into_iter().flat_map(|span| span.scope()).map(|span| span.id());
        if same { layer.trace_id(std::iter::once(id.clone()).chain(around)) } else { None }
    })
}

/// Returns the address of a span's formatted fields.
fn storage<'a, R, N>(span: &SpanRef<'a, R>) -> Option<usize>
where
    R: LookupSpan<'a>,
    N: 'static,
{
    span.extensions().get::<FormattedFields<N>>().map(|fields| std::ptr::from_ref(fields).addr())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_object_gets_a_member() {
        for (chunks, becomes) in [
            (&["{", "\"a\":1}\n"][..], Some("{\"xray_trace_id\":\"ID\",\"a\":1}\n")),
            (&["", "{\"a\":", "{}}"], Some("{\"xray_trace_id\":\"ID\",\"a\":{}}")),
            (&["{", "", "}", "\n"], Some("{\"xray_trace_id\":\"ID\"}\n")),
            (&["{order} shipped"], None),
            (&["{", " \"a\":1}"], None),
            (&["12:00:00 {\"a\":1}"], None),
        ] {
            let mut line = String::new();
            let mut writer = Writer::new(&mut line);
            let mut splice = Splice { line: &mut writer, id: "ID", seen: Seen::Nothing };
            let result = chunks.iter().try_for_each(|chunk| splice.write_str(chunk));
            let seen = splice.seen;
            assert_eq!(
                (result.is_ok(), seen == Seen::Json),
                (becomes.is_some(), becomes.is_some()),
                "{chunks:?}"
            );
            assert_eq!(line, becomes.unwrap_or_default());
        }
    }
}
