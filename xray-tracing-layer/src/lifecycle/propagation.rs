//! Trace headers in and out, and decisions that come after a span has opened.
//!
//! A root is placed when it opens. A later header or decision replaces that placement until the span has
//! children. After that it is refused and counted. Called by `span_ext` and `update`.

use tracing_core::Dispatch;
use tracing_core::span::Id;
use tracing_subscriber::Registry;
use tracing_subscriber::registry::LookupSpan;
use xray_sdk::sampling::{Sampler, SamplingResult};
use xray_sdk::{SamplingDecision, SegmentId, TraceHeader};

use crate::fields::scratch::with_body;
use crate::fields::visitor::FieldVisitor;
use crate::lifecycle::core::Core;
use crate::state::placement::role_in_platform_segment;
use crate::state::pool;
use crate::state::record::{Kind, Role, SpanRecord, UnsampledBy};
use crate::state::stats::Counter;

impl Core {
    pub(crate) fn set_trace_header(&self, id: u64, header: &TraceHeader) {
        let taken_back = self.spans.table.change(id, |record| {
            if record.parent.is_some()
                || record.has_children
                || record.is_emitted_early()
                || record.context.role == Role::PlatformRoot
                // The span's own header: no span is its own parent.
                || header.parent() == Some(record.segment_id)
            {
                return Err(());
            }
            if self.spans.host.is_lambda() {
                record.join_platform_segment(Some(header), role_in_platform_segment(Some(header), false));
                return Ok(None);
            }
            if matches!(record.context.role, Role::LeftOut(_)) {
                record.continue_left_out(header);
                return Ok(None);
            }
            record.context.trace_id = header.root();
            record.parent_id = header.parent();
            record.context.extras = header.shared_extras();
            record.unsampled_by = UnsampledBy::Caller;
            record.context.role = match header.sampled() {
                SamplingDecision::Sampled => Role::Segment,
                SamplingDecision::NotSampled => Role::Unsampled,
                // The sampler has decided already.
                _ => {
                    record.unsampled_by = UnsampledBy::Sampler;
                    return Ok(None);
                }
            };
            record.release();
            self.hold_back(record, true);
            Ok(record.verdict.take())
        });
        if let Some(taken_back) = taken_back {
            self.settle(taken_back, &self.output.counters.late_headers);
            self.write_deferred(id);
        }
    }

    /// Encodes a span's deferred fields, if it is recorded now. Deferred fields come before those recorded since.
    fn write_deferred(&self, id: u64) {
        let deferred = self.spans.table.with(id, |record| {
            let deferred = record
                .deferred
                .take_if(|deferred| record.context.role.is_recorded() && !deferred.is_empty())?;
            Some((deferred, record.callsite))
        });
        let Some((deferred, callsite)) = deferred.flatten() else { return };
        let Some(callsite) = self.spans.callsites.get(callsite) else { return };
        with_body(|body| {
            FieldVisitor::new(callsite, &self.config.rules, body, true).replay(&deferred);
            self.spans.table.with(id, |record| {
                body.absorb(&record.body);
                std::mem::swap(&mut record.body, body);
            });
        });
    }

    /// Applies the user's decision. Returns `None` if the span has no record.
    pub(crate) fn force(&self, id: u64, sampled: bool) -> Option<()> {
        let taken_back = self.spans.table.change(id, |record| {
            let is_left_out =
                || self.spans.callsites.get(record.callsite).is_some_and(|known| known.forced().is_some());
            if record.has_children || record.context.role == Role::PlatformRoot || (sampled && is_left_out())
            {
                return Err(());
            }
            record.force(sampled, id, self.spans.host.is_lambda());
            Ok(record.verdict.take())
        });
        let taken_back = taken_back?;
        if !sampled && taken_back.is_ok() {
            self.spans.host.on_close(id);
        }
        self.settle(taken_back, &self.output.counters.late_decisions);
        self.write_deferred(id);
        Some(())
    }

    /// Records a span inside an unrecorded one, from now on.
    #[cold]
    pub(crate) fn record_after_all(&self, id: &Id, dispatch: &Dispatch) {
        let Some(span) = dispatch.downcast_ref::<Registry>().and_then(|registry| registry.span(id)) else {
            return;
        };
        // The layer does not get the close of a span that its filter rejected.
        let Some(callsite) = self.spans.callsites.known(span.metadata()) else { return };
        if self.spans.callsites.get(callsite).is_some_and(|known| known.forced().is_some()) {
            return self.output.counters.late_decisions.one();
        }
        let ancestors = span.scope().skip(1).map(|ancestor| ancestor.id().into_u64());
        let ancestor = self.spans.table.nearest(ancestors, |id, record| (id, record.kind()));
        let Some((ancestor, Kind::Unrecorded)) = ancestor else { return };
        let mut record = pool::take();
        if self.inherit_from(&mut record, ancestor) {
            (record.callsite, record.segment_id, record.start) =
                (callsite, SegmentId::random(), self.spans.clock.ticks());
            record.force(true, id.into_u64(), self.spans.host.is_lambda());
        }
        if !record.context.role.is_recorded() {
            return pool::give_back(record);
        }
        match self.spans.table.insert_absent(id.into_u64(), record) {
            Ok(inserted) => {
                self.give_up(id.into_u64(), inserted);
                self.spans.unsampled.renew();
            }
            // Another thread has made one meanwhile, which may have children.
            Err(record) => pool::give_back(record),
        }
    }

    /// Completes a late decision: returns to the sampler what the replaced result had taken, or counts that
    /// the decision came too late.
    fn settle(&self, taken_back: Result<Option<SamplingResult>, ()>, late: &Counter) {
        match taken_back {
            Ok(verdict) => {
                self.spans.unsampled.renew();
                if let Some(verdict) = verdict {
                    self.hooks.sampler.give_back(&verdict);
                }
            }
            Err(()) => late.one(),
        }
    }
}

impl SpanRecord {
    /// Returns the header to send to a service that is called from within the span.
    ///
    /// From then on the span counts as one with children: its trace has an id, and the late part of a span
    /// that was emitted early is sent.
    pub(crate) fn prepare_trace_header(&mut self) -> Option<TraceHeader> {
        // The callee's segment is below the late part.
        self.has_children |= self.is_emitted_early();
        self.draw_trace_id();
        let header = TraceHeader::new(self.context.trace_id);
        // Our own id would name a segment that is never sent.
        let below = |header: TraceHeader| match self.parent_id {
            Some(parent) => header.with_parent(parent),
            None => header,
        };
        let header = match self.context.role {
            Role::Segment | Role::Subsegment | Role::Independent => header
                .with_parent(self.segment_id)
                .with_sampled(SamplingDecision::from(!self.context.held_back)),
            Role::PlatformRoot => below(header.with_sampled(SamplingDecision::Sampled)),
            Role::NotSampledByLambda => below(header.with_sampled(SamplingDecision::NotSampled)),
            Role::Unsampled => header.with_parent(self.segment_id).with_sampled(SamplingDecision::NotSampled),
            Role::LeftOut(decision) => return self.left_out_header(decision),
            Role::Undecided { has_trace: true } => header,
            Role::Undecided { has_trace: false } => return None,
        };
        Some(header.with_extras(self.context.extras.clone()))
    }
}
