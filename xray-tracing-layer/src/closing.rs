//! The user's last word on a span: a closure that is called for each recorded one when it is over, before its
//! document is written. Nothing is locked meanwhile.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use serde_core::Serialize;
use tracing::dispatcher::{Dispatch, get_default, with_default};
use tracing::subscriber::NoSubscriber;
use xray_sdk::TraceId;
use xray_sdk::document::AnnotationValue;
use xray_sdk::document::internal::Body;

use crate::clock::Ticks;
use crate::core::{Core, with_body};
use crate::given::Given;
use crate::record::{Record, Role};
use crate::visit::Rules;

/// A span that is over, before its document is written. See [`Builder::on_close`](crate::Builder::on_close).
pub struct ClosingSpan<'a> {
    seen: Seen<'a>,
    given: Given<'a>,
}

/// What is known of the span.
#[derive(Clone, Copy)]
struct Seen<'a> {
    name: &'a str,
    duration: Duration,
    status: Option<u16>,
    has_failed: bool,
    is_segment: bool,
    trace_id: TraceId,
}

impl ClosingSpan<'_> {
    /// What the code calls the span; of a call that an event told of, the event's target: `sqlx::query`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.seen.name
    }

    /// How long it took, in whole microseconds.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.seen.duration
    }

    /// The HTTP status, if one is known.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.seen.status
    }

    /// Whether it went wrong, by whoever's mistake: a status of 400 and above, or anything that marks a failure.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.seen.has_failed
    }

    /// Whether it becomes a segment, and not a subsegment.
    #[must_use]
    pub fn is_segment(&self) -> bool {
        self.seen.is_segment
    }

    /// The trace that it belongs to.
    #[must_use]
    pub fn trace_id(&self) -> TraceId {
        self.seen.trace_id
    }

    /// Adds a value that X-Ray indexes, under a key of letters, digits, `_` and `.` (others are mended).
    pub fn annotate<'v>(&mut self, key: &str, value: impl Into<AnnotationValue<'v>>) {
        self.given.annotate(key, &value.into());
    }

    /// Adds any value that serializes, which X-Ray keeps and does not index. An empty namespace is `default`.
    pub fn add_metadata(&mut self, namespace: &str, key: &str, value: &(impl Serialize + ?Sized)) {
        self.given.metadata(namespace, key, value);
    }
}

impl fmt::Debug for ClosingSpan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClosingSpan").field("name", &self.seen.name).finish_non_exhaustive()
    }
}

/// The user's closure.
pub(crate) struct OnClose(pub(crate) Box<OnCloseFn>);

pub(crate) type OnCloseFn = dyn Fn(&mut ClosingSpan<'_>) + Send + Sync;

impl OnClose {
    /// What the closure does with `tracing` goes nowhere: a span that opens and closes while the registry closes
    /// another is never removed there, and keeps those around it open.
    ///
    /// A panic is the closure's own: the span is told without what the closure would have added, and whoever
    /// dropped the span, which may be a thread that panics already, does not see it.
    fn call(&self, seen: Seen<'_>, body: &mut Body, rules: &Rules) {
        let mut closing = ClosingSpan { seen, given: Given::new(body, rules) };
        let mut call = || (self.0)(&mut closing);
        let _ = catch_unwind(AssertUnwindSafe(|| {
            // While a subscriber of this thread alone is told of an event, there is none, and none can be set.
            if get_default(Dispatch::is::<NoSubscriber>) {
                call();
            } else {
                with_default(&Dispatch::none(), call);
            }
        }));
    }
}

impl Core {
    /// Shows a span that nobody else can see any more.
    #[cold]
    pub(crate) fn show_closing(&self, on_close: &OnClose, record: &mut Record, end: Ticks) {
        // What comes after a departure belongs to a span that was shown then.
        if !record.departed {
            let seen = self.seen(record, end);
            on_close.call(seen, &mut record.body, &self.rules);
        }
    }

    /// Shows a span that is about to leave although it is open.
    #[cold]
    pub(crate) fn show_departing(&self, on_close: &OnClose, id: u64) {
        let leaves = |record: &mut Record| {
            (record.is_part() && !record.departed).then(|| self.seen(record, record.exited))
        };
        let Some(seen) = self.table.with(id, leaves).flatten() else { return };
        with_body(|body| {
            on_close.call(seen, body, &self.rules);
            self.table.with(id, |record| record.body.absorb(body));
        });
    }

    fn seen(&self, record: &Record, end: Ticks) -> Seen<'_> {
        Seen {
            name: self.plans.get(record.plan).map_or("unknown", |plan| plan.title),
            duration: Duration::from_micros(end.saturating_sub(record.start)),
            status: record.body.status(),
            has_failed: record.body.has_failed(),
            is_segment: record.context.role == Role::Segment,
            trace_id: record.context.trace_id,
        }
    }
}
