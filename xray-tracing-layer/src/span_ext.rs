//! What can be done to a span that `tracing` has no words for, and the trace header that it stands for.

use std::error::Error;
use std::sync::Arc;

use serde_core::Serialize;
use tracing::Span;
use tracing_core::Dispatch;
use tracing_core::span::Id;
use tracing_subscriber::Registry;
use tracing_subscriber::registry::LookupSpan;
use xray_sdk::document::internal::Stack;
use xray_sdk::document::{AnnotationValue, Links};
use xray_sdk::sampling::{Sampler, SamplingResult};
use xray_sdk::{SamplingDecision, SegmentId, TraceHeader};

use crate::fields::redacted_body::{MESSAGE, RedactedBody};
use crate::fields::visitor::FieldVisitor;
use crate::layer::xray_layer::{HiddenCore, XrayLayer};
use crate::lifecycle::core::{Core, with_body};
use crate::state::record::{self, Kind, Role, SpanRecord};
use crate::state::stats::Counter;

/// X-Ray's part of a [`tracing::Span`].
///
/// Every method does nothing on a span that the layer does not record: one that is filtered out, not
/// sampled, disabled, or of a subscriber without the layer.
pub trait XraySpanExt {
    /// Continues the trace that a caller's header names. For a local root, before the span has children; later
    /// it is refused, and counted in [`Stats::late_headers`](crate::Stats::late_headers).
    ///
    /// The header's decision replaces that of the sampler, which gets back what it had given. A header at
    /// creation, as the field `xray.trace_header`, saves asking it in the first place.
    fn set_trace_header(&self, header: &TraceHeader);

    /// Keeps this span whatever the sampler and the caller say, or does not keep it. Before the span has children;
    /// later it is refused, and counted in [`Stats::late_decisions`](crate::Stats::late_decisions).
    ///
    /// Of a root, it decides for the trace, and the sampler gets back what it had given. Inside a recorded trace,
    /// `false` leaves the span out with everything inside it, and inside a trace that isn't recorded, `true` makes
    /// it a segment of its own that begins now: nothing is known of what was before. The field `xray.sampled` at
    /// creation does the same from the span's beginning, with its fields.
    ///
    /// In Lambda, `true` does nothing: what the platform does not record can't be kept.
    fn force_sampling(&self, sampled: bool);

    /// What to send to a service that is called from within this span: the trace, this span as the parent, and
    /// whether it is sampled. Of a span that is not recorded itself, its nearest recorded ancestor's.
    ///
    /// Unlike the other methods, it also answers for traces that are not sampled: they go on, with `Sampled=0`.
    fn trace_header(&self) -> Option<TraceHeader>;

    /// Adds a value that X-Ray indexes, under a key of letters, digits, `_` and `.` (others are mended).
    fn annotate<'a>(&self, key: &str, value: impl Into<AnnotationValue<'a>>);

    /// Adds any value that serializes, which X-Ray keeps and does not index. An empty namespace is `default`.
    fn add_metadata(&self, namespace: &str, key: &str, value: &(impl Serialize + ?Sized));

    /// The same as [`add_metadata`](Self::add_metadata). [`Span`] has a method `metadata` of its own that goes
    /// before this one, so it must be called as `XraySpanExt::metadata(&span, ..)`.
    fn metadata(&self, namespace: &str, key: &str, value: &(impl Serialize + ?Sized)) {
        self.add_metadata(namespace, key, value);
    }

    /// Names the end user, on the segment that the span is part of.
    fn set_user(&self, user: &str);

    /// Links the (sub)segments of other traces that the span's work goes back to: the senders of a batch.
    fn set_links(&self, links: &Links);

    /// Adds an error with its chain of sources, one exception each; the span counts as failed.
    fn record_error(&self, err: &(dyn Error + 'static));

    /// Sets the HTTP status; `error`, `throttle` and `fault` follow from it.
    fn set_http_status(&self, status: u16);
}

impl XraySpanExt for Span {
    fn set_trace_header(&self, header: &TraceHeader) {
        with_core(self, |core, id| core.set_trace_header(id, header));
    }

    fn force_sampling(&self, sampled: bool) {
        self.with_subscriber(|(id, dispatch)| {
            let Some(core) = core_of(id, dispatch) else { return };
            core.with(|core| {
                if core.force(id.into_u64(), sampled).is_none() && sampled {
                    core.record_after_all(id, dispatch);
                }
            });
        });
    }

    fn trace_header(&self) -> Option<TraceHeader> {
        self.with_subscriber(|(id, dispatch)| {
            let core = core_of(id, dispatch)?;
            let header_of = |id: u64| core.with(|core| core.table.with(id, SpanRecord::trace_header));
            if let Some(header) = header_of(id.into_u64()) {
                return header;
            }
            // Not recorded itself: a filter let it pass by.
            let span = dispatch.downcast_ref::<Registry>()?.span(id)?;
            span.scope().skip(1).find_map(|ancestor| header_of(ancestor.id().into_u64()))?
        })?
    }

    fn annotate<'a>(&self, key: &str, value: impl Into<AnnotationValue<'a>>) {
        let value = value.into();
        update(self, |body| body.annotate(key, &value));
    }

    fn add_metadata(&self, namespace: &str, key: &str, value: &(impl Serialize + ?Sized)) {
        update(self, |body| body.metadata(namespace, key, value));
    }

    fn set_user(&self, user: &str) {
        with_core(self, |core, id| {
            let root = core.table.with(id, |record| record.context.root);
            if let Some(root) = root {
                core.set_user(root, 0, &core.rules.redacted("user.id", user));
            }
        });
    }

    fn set_links(&self, links: &Links) {
        update(self, |body| links.put(body));
    }

    fn record_error(&self, err: &(dyn Error + 'static)) {
        update(self, |body| {
            body.add_error(MESSAGE, err, Stack::none());
        });
    }

    fn set_http_status(&self, status: u16) {
        update(self, |body| body.set_status(status));
    }
}

/// The header of [`Span::current`]: what to send to a service that is called from here.
#[must_use]
pub fn current_trace_header() -> Option<TraceHeader> {
    Span::current().trace_header()
}

/// Collects what `put` says before the record is locked: it may run the user's code.
pub(crate) fn update(span: &Span, put: impl FnOnce(&mut RedactedBody<'_>)) {
    with_core(span, |core, id| {
        if core.table.with(id, |record| record.keeps_fields()) == Some(true) {
            with_body(|body| {
                put(&mut RedactedBody::new(body, &core.rules));
                core.table.with(id, |record| record.body.absorb(body));
            });
        }
    });
}

/// A top subsegment is over, whoever still holds its span.
#[cfg(feature = "lambda")]
pub(crate) fn emit_early(span: &Span) {
    with_core(span, Core::emit_early);
}

/// Shows the layer that knows the span, if there is one.
pub(crate) fn with_core(span: &Span, act: impl FnOnce(&Core, u64)) {
    span.with_subscriber(|(id, dispatch)| {
        if let Some(core) = core_of(id, dispatch) {
            core.with(|core| act(core, id.into_u64()));
        }
    });
}

/// Whether the layer that knows the span keeps the queries of URLs.
#[cfg(any(feature = "tower-server", feature = "tower-client", feature = "reqwest-middleware"))]
pub(crate) fn keeps_query(span: &Span) -> bool {
    let mut keeps = false;
    with_core(span, |core, _| keeps = core.rules.keep_query);
    keeps
}

pub(crate) enum Found<'a> {
    Visible(&'a Arc<Core>),
    Hidden(Arc<Core>),
}

impl Found<'_> {
    /// The core itself, for whoever needs it for longer.
    #[cfg(feature = "aws-sdk")]
    pub(crate) fn shared(&self) -> Arc<Core> {
        match self {
            Self::Visible(core) => Arc::clone(core),
            Self::Hidden(core) => Arc::clone(core),
        }
    }

    fn with<R>(&self, look: impl FnOnce(&Core) -> R) -> R {
        match self {
            Self::Visible(core) => look(core),
            Self::Hidden(core) => look(core),
        }
    }
}

pub(crate) fn core_of<'a>(id: &Id, dispatch: &'a Dispatch) -> Option<Found<'a>> {
    if let Some(layer) = dispatch.downcast_ref::<XrayLayer>() {
        return Some(Found::Visible(&layer.core));
    }
    let span = dispatch.downcast_ref::<Registry>()?.span(id)?;
    span.scope().find_map(|span| {
        let extensions = span.extensions();
        extensions.get::<HiddenCore>().map(|hidden| Found::Hidden(Arc::clone(&hidden.0)))
    })
}

impl Core {
    pub(crate) fn set_trace_header(&self, id: u64, header: &TraceHeader) {
        let taken_back = self.table.change(id, |record| {
            if record.parent != 0
                || record.has_children
                || record.emitted_early
                || record.context.role == Role::PlatformRoot
            {
                return Err(());
            }
            if self.lambda.is_some() {
                Self::join_lambda(record, Some(header), false);
                return Ok(None);
            }
            record.context.trace_id = header.root();
            record.parent_id = header.parent();
            record.context.extras = header.shared_extras();
            record.context.role = match header.sampled() {
                SamplingDecision::Sampled => Role::Segment,
                SamplingDecision::NotSampled => Role::Unsampled,
                // The sampler was asked already.
                _ => return Ok(None),
            };
            Ok(record.verdict.take())
        });
        if let Some(taken_back) = taken_back {
            self.settle(taken_back, &self.counters.late_headers);
            self.write_deferred(id);
        }
    }

    /// Writes the fields that were only kept of a span, if it is recorded now. They come before what it was told since.
    fn write_deferred(&self, id: u64) {
        let deferred = self.table.with(id, |record| {
            let deferred = record
                .deferred
                .take_if(|deferred| record.context.role.is_recorded() && !deferred.is_empty())?;
            Some((deferred, record.callsite))
        });
        let Some((deferred, callsite)) = deferred.flatten() else { return };
        let Some(callsite) = self.callsites.get(callsite) else { return };
        with_body(|body| {
            deferred.replay(callsite, &mut FieldVisitor::new(callsite, &self.rules, body, true));
            self.table.with(id, |record| {
                body.absorb(&record.body);
                std::mem::swap(&mut record.body, body);
            });
        });
    }

    /// `None` if there is no such record.
    pub(crate) fn force(&self, id: u64, sampled: bool) -> Option<()> {
        let taken_back = self.table.change(id, |record| {
            if record.has_children || record.context.role == Role::PlatformRoot {
                return Err(());
            }
            record.force(sampled, id, self.lambda.is_some());
            Ok(record.verdict.take())
        });
        let taken_back = taken_back?;
        if let (Some(function), Ok(_), false) = (&self.lambda, &taken_back, sampled) {
            function.note_closed(id);
        }
        self.settle(taken_back, &self.counters.late_decisions);
        self.write_deferred(id);
        Some(())
    }

    /// Records a span inside of one that is not recorded, from now on.
    #[cold]
    fn record_after_all(&self, id: &Id, dispatch: &Dispatch) {
        let Some(span) = dispatch.downcast_ref::<Registry>().and_then(|registry| registry.span(id)) else {
            return;
        };
        // A span that the layer's filter rejected is not closed for the layer either.
        let Some(callsite) = self.callsites.known(span.metadata()) else { return };
        let ancestor = span
            .scope()
            .skip(1)
            .map(|ancestor| ancestor.id().into_u64())
            .map(|ancestor| (ancestor, self.table.kind(ancestor)))
            .find(|(_, kind)| *kind != Kind::Absent);
        let Some((ancestor, Kind::Unrecorded)) = ancestor else { return };
        let mut record = record::take();
        if self.inherit_from(&mut record, ancestor) {
            (record.callsite, record.segment_id, record.start) =
                (callsite, SegmentId::random(), self.clock.ticks());
            record.force(true, id.into_u64(), self.lambda.is_some());
        }
        if record.context.role.is_recorded() {
            self.keep(id.into_u64(), record);
            self.unsampled.decided_late();
        } else {
            record::give_back(record);
        }
    }

    /// After a decision that replaces another: gives back what that had taken, or counts that it came too late.
    fn settle(&self, taken_back: Result<Option<SamplingResult>, ()>, late: &Counter) {
        match taken_back {
            Ok(verdict) => {
                self.unsampled.decided_late();
                if let Some(verdict) = verdict {
                    self.sampler.give_back(&verdict);
                }
            }
            Err(()) => late.one(),
        }
    }
}

impl SpanRecord {
    pub(crate) fn trace_header(&mut self) -> Option<TraceHeader> {
        // Whoever is told of the late part of a span hangs below it: it must be sent.
        self.has_children |= self.emitted_early;
        self.draw_trace_id();
        let header = TraceHeader::new(self.context.trace_id);
        let header = match self.context.role {
            Role::Segment | Role::Subsegment | Role::Independent => {
                header.with_parent(self.segment_id).with_sampled(SamplingDecision::Sampled)
            }
            Role::PlatformRoot => {
                let header = header.with_sampled(SamplingDecision::Sampled);
                match self.parent_id {
                    Some(parent) => header.with_parent(parent),
                    None => header,
                }
            }
            Role::NotSampledByLambda => {
                let header = header.with_sampled(SamplingDecision::NotSampled);
                match self.parent_id {
                    Some(parent) => header.with_parent(parent),
                    None => header,
                }
            }
            Role::Unsampled => header.with_parent(self.segment_id).with_sampled(SamplingDecision::NotSampled),
            Role::Undecided { has_trace: true } => header,
            Role::Undecided { has_trace: false } => return None,
        };
        Some(header.with_extras(self.context.extras.clone()))
    }
}
