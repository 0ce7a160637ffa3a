//! Opening a span: its role, and its trace.
//!
//! ```text
//!  parent in the table?  ──yes──► recorded ► subsegment, platform root ► independent, else no record
//!        │no: the nearest ancestor in the table
//!        ▼none
//!  a local root          ──► Placement: the user's decision overrides the header's,
//!                            the header's overrides the sampler's
//! ```

use std::sync::atomic::Ordering::Relaxed;

use tracing_core::Subscriber;
use tracing_core::span::{Attributes, Id};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;
use xray_sdk::document::Namespace;
use xray_sdk::id::internal::stir_ids;
use xray_sdk::sampling::Sampler;
use xray_sdk::{SamplingDecision, SegmentId, TraceId};

use crate::fields::callsite::CallsiteInfo;
use crate::fields::database::language::language_of;
use crate::fields::field_target::HeaderField;
use crate::fields::visitor::{FieldVisitor, PlainVisitor, RootVisitor, is_call_by_kind};
use crate::lifecycle::core::Core;
use crate::settings::config::ContextMissing;
use crate::settings::reentrancy::is_recording_suppressed;
use crate::state::clock::Ticks;
use crate::state::placement::Placement;
use crate::state::pool;
use crate::state::process::host::LambdaFunction;
use crate::state::record::{LambdaState, Role, SpanId, SpanRecord, TraceContext};
use crate::state::table::Inserted;

impl Core {
    #[inline(never)]
    pub(crate) fn open<S>(&self, attrs: &Attributes<'_>, id: &Id, ctx: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        if !self.config.enabled || is_recording_suppressed() {
            return;
        }
        let (callsite_id, callsite) = self.spans.callsites.of(attrs.metadata());
        if callsite.dropped.is_some_and(|dropped| self.is_left_out(dropped, id, ctx)) {
            return;
        }
        let mut record = pool::take();
        record.callsite = callsite_id;
        // Spans around a platform root are ignored: the runtime opens one for each of its workers.
        let is_root = callsite.platform_root || !self.inherit(&mut record, attrs, id, ctx);
        if !is_root && !record.context.role.is_recorded() && !callsite.has_decision {
            return pool::give_back(record);
        }
        let (now, nanos) = self.spans.clock.read();
        if is_root {
            // A copy of the process that opens a root draws other ids from here on.
            stir_ids(nanos);
        }
        record.segment_id = SegmentId::random();
        record.start = now;
        let user = if is_root {
            self.begin_root(&mut record, callsite, attrs, id)
        } else {
            self.begin_part(&mut record, callsite, attrs, id)
        };
        self.spans.host.on_open(&mut record, id.into_u64());
        if record.context.role == Role::Independent {
            self.begin_top(&mut record, id, now);
        }
        let (root, due) = (record.context.root, self.is_in_progress_due(&record.context, now));
        self.insert(id.into_u64(), record);
        if let Some(user) = user {
            self.set_user(root, 1, &user);
        }
        if due {
            self.emit_in_progress(root);
        }
    }

    /// Records the fields of a span inside another. Returns the end user that they name, who belongs to the
    /// segment.
    #[inline]
    fn begin_part(
        &self,
        record: &mut SpanRecord,
        callsite: &CallsiteInfo,
        attrs: &Attributes<'_>,
        id: &Id,
    ) -> Option<String> {
        if let Some(mut visitor) = PlainVisitor::of(callsite, &self.config.rules, &mut record.body) {
            attrs.record(&mut visitor);
            return None;
        }
        self.begin_any_part(record, callsite, attrs, id)
    }

    #[inline(never)]
    fn begin_any_part(
        &self,
        record: &mut SpanRecord,
        callsite: &CallsiteInfo,
        attrs: &Attributes<'_>,
        id: &Id,
    ) -> Option<String> {
        let mut visitor = FieldVisitor::for_new(callsite, &self.config.rules, &mut record.body, false);
        visitor.target.language = language_of(callsite, |fields| attrs.record(fields));
        attrs.record(&mut visitor);
        let forced = callsite.forced().or_else(|| visitor.target.forced.take());
        let user = visitor.target.user.take();
        if let Some(sampled) = forced {
            record.force(sampled, id.into_u64(), self.spans.host.is_lambda());
        }
        user
    }

    /// Records the fields of a local root, and places it.
    ///
    /// Most roots are not sampled, and then their fields are not encoded. If the sampler does not look at
    /// fields, the decisive ones are recorded first and the others after the decision.
    #[inline(never)]
    fn begin_root(
        &self,
        record: &mut SpanRecord,
        callsite: &CallsiteInfo,
        attrs: &Attributes<'_>,
        id: &Id,
    ) -> Option<String> {
        let is_segment = !self.spans.host.is_lambda();
        let decides_first = is_segment && !self.hooks.sampler.looks_at_request();
        if decides_first
            && let Some(is_call) =
                is_call_by_kind(callsite, &self.config.rules, |fields| attrs.record(fields))
        {
            if is_call {
                record.body.set_namespace(Namespace::Remote);
            }
            self.place_new_root(record, id);
            self.record_rest(record, callsite, attrs);
            return None;
        }
        self.begin_any_root(record, callsite, attrs, id, decides_first)
    }

    #[inline(never)]
    fn begin_any_root(
        &self,
        record: &mut SpanRecord,
        callsite: &CallsiteInfo,
        attrs: &Attributes<'_>,
        id: &Id,
        decides_first: bool,
    ) -> Option<String> {
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
        self.place_root(record, id, header, forced);
        if decides_first {
            self.record_rest(record, callsite, attrs);
        }
        user
    }

    /// Records the fields of a root that don't decide, or copies them.
    #[inline]
    fn record_rest(&self, record: &mut SpanRecord, callsite: &CallsiteInfo, attrs: &Attributes<'_>) {
        let is_written = record.context.role.is_recorded() || record.is_watched();
        let SpanRecord { body, deferred, .. } = record;
        if is_written && let Some(mut visitor) = RootVisitor::of(callsite, &self.config.rules, body) {
            return attrs.record(&mut visitor);
        }
        attrs.record(&mut if is_written {
            FieldVisitor::for_rest(callsite, &self.config.rules, body)
        } else {
            let deferred = deferred.get_or_insert_default();
            FieldVisitor::for_deferring(callsite, &self.config.rules, body, deferred)
        });
    }

    #[inline]
    pub(crate) fn insert(&self, id: u64, record: Box<SpanRecord>) {
        match self.spans.table.insert(id, record) {
            Inserted::Done => {}
            Inserted::Replaced(mut stale) => {
                self.output.counters.abandoned.one();
                self.drop_waiting(&mut stale);
                pool::give_back(stale);
            }
            Inserted::Full(record) => {
                self.output.counters.over_capacity.one();
                if let Some(verdict) = &record.verdict {
                    self.hooks.sampler.give_back(verdict);
                }
                pool::give_back(record);
                self.spans.host.on_close(id);
            }
        }
    }

    /// Inherits from the nearest ancestor in the table. Returns `false` if there is none.
    #[inline]
    fn inherit<S>(
        &self,
        record: &mut SpanRecord,
        attrs: &Attributes<'_>,
        id: &Id,
        ctx: &Context<'_, S>,
    ) -> bool
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        if attrs.is_root() {
            return false;
        }
        let direct = match attrs.parent() {
            Some(parent) => parent.into_u64(),
            None => match self.current(ctx) {
                Some(current) => current,
                None => return false,
            },
        };
        if self.inherit_from(record, direct) {
            return true;
        }
        // The parent has no record: a filter rejected it, or the table was full.
        let ancestors = ctx.span(id).into_iter().flat_map(|span| span.scope().skip(1));
        ancestors.into_iter().any(|ancestor| self.inherit_from(record, ancestor.id().into_u64()))
    }

    #[inline]
    pub(crate) fn inherit_from(&self, record: &mut SpanRecord, parent: u64) -> bool {
        match self.spans.table.inheritance(parent) {
            Some(inheritance) => {
                record.inherit(parent, inheritance);
                true
            }
            None => self.inherit_from_locked(record, parent),
        }
    }

    /// Inherits from a parent that is not recorded, or that has no child yet, or any parent in Lambda.
    #[inline(never)]
    fn inherit_from_locked(&self, record: &mut SpanRecord, parent: u64) -> bool {
        let in_lambda = self.spans.host.is_lambda();
        let found = self.spans.table.hand_down(parent, |open| {
            let TraceContext { role, extras, held_back, .. } = &open.context;
            // Lambda counts each child, and may emit a parent early. Unknown keys of a header are not words.
            if in_lambda || !role.is_recorded() || extras.is_some() || *held_back {
                self.inherit_any(record, parent, open);
                return (None, None);
            }
            open.has_children = true;
            open.draw_trace_id();
            let inheritance = Some(open.inheritance());
            (inheritance, inheritance)
        });
        if let Some(Some(inheritance)) = found {
            record.inherit(parent, inheritance);
        }
        found.is_some()
    }

    /// Inherits from an open parent of any kind.
    #[inline(never)]
    fn inherit_any(&self, record: &mut SpanRecord, parent: u64, open: &mut SpanRecord) {
        open.has_children = true;
        self.spans.host.on_child_open(open);
        open.draw_trace_id();
        let (role, parent_id) = match open.context.role {
            role if role.is_recorded() => (Role::Subsegment, Some(open.segment_id)),
            Role::PlatformRoot => (Role::Independent, open.parent_id),
            Role::NotSampledByLambda => (Role::NotSampledByLambda, open.parent_id),
            role => (role, Some(open.segment_id)),
        };
        record.context = TraceContext { role, ..open.context.clone() };
        record.parent_id = parent_id;
        // The platform's segment is elsewhere: inside this process its children are roots.
        record.parent = if role == Role::Independent { None } else { SpanId::new(parent) };
    }

    /// Places a root of which neither a header nor a decision is known, and for which the sampler decides.
    #[inline]
    fn place_new_root(&self, record: &mut SpanRecord, id: &Id) {
        let is_special = self.spans.host.is_lambda()
            || self.hooks.tail.is_some()
            || record.body.namespace().is_some()
            || !self.install.installed.load(Relaxed);
        if is_special {
            return self.place_root(record, id, None, None);
        }
        self.begin_tree(record, id);
        record.context.trace_id = TraceId::ZERO;
        self.let_sampler_decide(record, false);
    }

    /// Makes an empty record that of a local root.
    #[inline]
    fn begin_tree(&self, record: &mut SpanRecord, id: &Id) {
        (record.parent, record.parent_id) = (None, None);
        let (start, offset) = self.spans.clock.begin_tree(record.start);
        let context = &mut record.context;
        (record.start, context.root, context.root_start, context.offset) =
            (start, id.into_u64(), start, offset);
    }

    #[inline(never)]
    fn place_root(&self, record: &mut SpanRecord, id: &Id, field: Option<HeaderField>, forced: Option<bool>) {
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

    /// Makes a subsegment directly below the platform's segment the root of what is recorded here.
    fn begin_top(&self, record: &mut SpanRecord, id: &Id, now: Ticks) {
        let root = record.context.root;
        let platform_root = SpanId::new(root).filter(|_| root != id.into_u64());
        (record.context.root, record.context.root_start) = (id.into_u64(), now);
        record.lambda_state = LambdaState { platform_root, ..LambdaState::default() };
        if platform_root.is_some() {
            // Facts about the invocation go where they are visible: into the first subsegment.
            self.spans.table.with(root, |platform_root| {
                record.body.absorb(&platform_root.body);
                platform_root.body.clear();
            });
        }
    }
}
