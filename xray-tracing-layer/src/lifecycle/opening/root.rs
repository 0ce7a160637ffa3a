//! Opening a local root: its fields, and its place in a trace.
//!
//! ```text
//!  what decides comes first, and no hook looks  ──yes──► decided on the way through the fields
//!                                                 no  ──► decisive fields ► placed ► the other fields
//! ```
//! Most roots are not sampled, and then their fields are not encoded. A sampler that looks at fields needs all of them before
//! it decides.

use std::sync::atomic::Ordering::Relaxed;

use tracing_core::span::{Attributes, Id};
use xray_sdk::sampling::Sampler;
use xray_sdk::{SamplingDecision, SegmentId, TraceId};

use crate::fields::callsite::CallsiteInfo;
use crate::fields::database::language::language_of;
use crate::fields::field_target::HeaderField;
use crate::fields::visitor::{FieldVisitor, is_call_by_kind};
use crate::lifecycle::core::Core;
use crate::lifecycle::opening::root_fields::RootFields;
use crate::settings::config::ContextMissing;
use crate::state::placement::Placement;
use crate::state::process::host::LambdaFunction;
use crate::state::record::{Role, SpanRecord, UnsampledBy};

impl Core {
    /// Records the fields of a local root, and places it. `takes_place` says whether it takes the place of a root that was left
    /// out. Returns the end user that the fields name, if it is not in the record.
    #[inline(never)]
    pub(crate) fn begin_root(
        &self,
        record: &mut SpanRecord,
        callsite: &CallsiteInfo,
        attrs: &Attributes<'_>,
        (id, takes_place): (&Id, bool),
    ) -> Option<String> {
        let id = id.into_u64();
        if !takes_place && self.is_usual_root(callsite) {
            self.begin_usual_root(record, callsite, attrs, id);
            return None;
        }
        self.begin_any_root(record, callsite, attrs, (id, takes_place))
    }

    /// Returns whether a root is one whose fields that decide come first, and at whose fields no hook looks.
    #[inline]
    pub(super) fn is_usual_root(&self, callsite: &CallsiteInfo) -> bool {
        callsite.decides_early && self.config.rules.redact.is_none() && self.decides_first()
    }

    /// Returns whether a root is decided about before its fields are encoded.
    #[inline(never)]
    fn decides_first(&self) -> bool {
        !self.spans.host.is_lambda() && !self.hooks.sampler.looks_at_request()
    }

    /// Records the fields of a [usual root](Self::is_usual_root), and places it.
    #[inline(never)]
    pub(super) fn begin_usual_root(
        &self,
        record: &mut SpanRecord,
        callsite: &CallsiteInfo,
        attrs: &Attributes<'_>,
        id: u64,
    ) {
        let Some(keys) = callsite.ways.as_deref() else { return };
        let mut fields = RootFields::new(self, callsite, keys, record, id);
        if let Some(index) = callsite.late_kind {
            fields.note_kind(is_call_by_kind(index, |fields| attrs.record(fields)));
        }
        attrs.record(&mut fields);
        fields.decide();
    }

    #[inline(never)]
    fn begin_any_root(
        &self,
        record: &mut SpanRecord,
        callsite: &CallsiteInfo,
        attrs: &Attributes<'_>,
        place: (u64, bool),
    ) -> Option<String> {
        let decides_first = self.decides_first();
        let is_segment = !self.spans.host.is_lambda();
        let mut visitor = if decides_first {
            FieldVisitor::for_decision(callsite, &self.config.rules, &mut record.body)
        } else {
            FieldVisitor::for_new(callsite, &self.config.rules, &mut record.body, is_segment)
        };
        if callsite.has_decisive_fields || !decides_first {
            visitor.target.language = language_of(callsite, |fields| attrs.record(fields));
            attrs.record(&mut visitor);
        }
        let (header, forced, user) =
            (visitor.target.header.take(), visitor.target.forced.take(), visitor.target.user.take());
        let forced = callsite.forced().or(forced);
        self.place_root(record, place, header, forced);
        if decides_first {
            self.record_rest(record, callsite, attrs);
        }
        user
    }

    /// Records the fields of a root that don't decide, or copies them.
    fn record_rest(&self, record: &mut SpanRecord, callsite: &CallsiteInfo, attrs: &Attributes<'_>) {
        let is_written = record.is_written();
        let SpanRecord { body, deferred, .. } = record;
        attrs.record(&mut if is_written {
            FieldVisitor::for_rest(callsite, &self.config.rules, body)
        } else {
            let deferred = deferred.get_or_insert_default();
            FieldVisitor::for_deferring(callsite, &self.config.rules, body, deferred)
        });
    }

    /// Places a root about which its kind alone may say something: neither a header nor a decision is among its fields.
    #[inline]
    pub(super) fn decide_by_kind(&self, record: &mut SpanRecord, id: u64) {
        let is_special = self.spans.host.is_lambda()
            || self.hooks.tail.is_some()
            || record.body.namespace().is_some()
            || !self.install.installed.load(Relaxed);
        if is_special {
            return self.place_root(record, (id, false), None, None);
        }
        self.begin_tree(record, id);
        record.context.trace_id = TraceId::ZERO;
        self.let_sampler_decide(record, false, false);
    }

    /// Makes an empty record that of a local root.
    #[inline]
    fn begin_tree(&self, record: &mut SpanRecord, id: u64) {
        (record.parent, record.parent_id) = (None, None);
        let (start, offset) = self.spans.clock.begin_tree(record.start);
        let context = &mut record.context;
        (record.start, context.root, context.root_start, context.offset) = (start, id, start, offset);
    }

    /// Places a root: by its own header and decision, or else by those of the root whose place it takes.
    #[inline(never)]
    pub(super) fn place_root(
        &self,
        record: &mut SpanRecord,
        (id, takes_place): (u64, bool),
        mut field: Option<HeaderField>,
        mut forced: Option<bool>,
    ) {
        if takes_place {
            record.take_place(&mut field, &mut forced);
        }
        let now = record.start;
        if !self.install.installed.load(Relaxed) {
            // The layer was added by a reload, so it never got the subscriber's dispatch.
            self.install();
        }
        if field.as_ref().is_some_and(|field| field.header.is_none()) {
            self.output.counters.bad_headers.one();
        }
        // A call to another service needs a segment. A trace header shows that a caller has one.
        let is_orphan = field.is_none() && forced.is_none() && record.body.namespace().is_some();
        let platform_root = field.as_ref().is_some_and(|field| field.platform_root);
        let lambda = self.spans.host.lambda();
        let header = match field {
            Some(field) => field.header,
            None => lambda.and_then(LambdaFunction::header),
        };
        if let Some(function) = lambda {
            if header.is_some() && function.take_snapshot_restored() {
                self.restored();
                record.segment_id = SegmentId::random();
            }
            // The process may have been frozen since the last invocation.
            self.spans.clock.anchor(now);
        }
        self.begin_tree(record, id);
        let in_platform_segment = platform_root || lambda.is_some();
        match Placement::of(header.as_ref(), forced, in_platform_segment, platform_root, is_orphan) {
            Placement::InPlatformSegment(role) => record.join_platform_segment(header.as_ref(), role),
            Placement::Orphan if !self.takes_orphan() => {
                record.context.role = Role::Undecided { has_trace: false };
            }
            Placement::Orphan => self.join(record, None, None),
            Placement::Segment { sampled } => self.join(record, header.as_ref(), sampled),
        }
        if !record.context.role.is_recorded() && record.verdict.is_none() {
            let callsite = self.spans.callsites.get(record.callsite);
            record.unsampled_by = match forced {
                Some(false) if callsite.is_some_and(|known| known.forced().is_some()) => UnsampledBy::Rule,
                Some(false) => UnsampledBy::Program,
                _ => UnsampledBy::Caller,
            };
        }
        if self.hooks.tail.is_some() && forced.is_none() && !in_platform_segment {
            let by_caller = header.is_some_and(|header| header.sampled() == SamplingDecision::NotSampled);
            self.hold_back(record, by_caller);
        }
    }

    /// Returns whether a call to another service outside of any segment becomes a segment.
    #[cold]
    fn takes_orphan(&self) -> bool {
        if self.config.context_missing != ContextMissing::Ignore {
            self.output.counters.context_missing.one();
        }
        self.config.context_missing == ContextMissing::MakeSegment
    }
}
