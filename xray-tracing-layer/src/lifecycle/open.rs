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
use xray_sdk::{SamplingDecision, SegmentId};

use crate::fields::callsite::{CallsiteId, CallsiteInfo};
use crate::fields::database::language::language_of;
use crate::fields::field_target::HeaderField;
use crate::fields::visitor::{FieldVisitor, is_call_by_kind};
use crate::lifecycle::core::Core;
use crate::settings::config::ContextMissing;
use crate::settings::reentrancy::is_recording_suppressed;
use crate::state::placement::Placement;
use crate::state::pool;
use crate::state::process::host::LambdaFunction;
use crate::state::record::{Role, SpanId, SpanRecord, TraceContext, UnsampledBy};
use crate::state::table::Inserted;

impl Core {
    #[inline(never)]
    pub(crate) fn open<S>(&self, attrs: &Attributes<'_>, id: &Id, ctx: Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        if !self.config.enabled || is_recording_suppressed() {
            return;
        }
        let callsite = self.spans.callsites.of(attrs.metadata());
        if !self.open_plain(attrs, id, callsite, &ctx) {
            self.open_otherwise(attrs, id, callsite, ctx);
        }
    }

    /// Opens a span that is not plain. Each of the many conditions of that is taken to hold because this is marked as cold,
    /// or the compiler would take the last of them for a rare case.
    #[cold]
    #[inline(never)]
    fn open_otherwise<S>(
        &self,
        attrs: &Attributes<'_>,
        id: &Id,
        callsite: (CallsiteId, &CallsiteInfo),
        ctx: Context<'_, S>,
    ) where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        self.open_any(attrs, id, callsite, &ctx);
    }

    /// Opens a span in any way.
    #[inline(never)]
    fn open_any<S>(
        &self,
        attrs: &Attributes<'_>,
        id: &Id,
        (callsite_id, callsite): (CallsiteId, &CallsiteInfo),
        ctx: &Context<'_, S>,
    ) where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        if callsite.dropped.is_some() && self.is_left_out((callsite_id, callsite), attrs, id, ctx) {
            return;
        }
        let mut record = pool::take();
        record.callsite = callsite_id;
        // Spans around a platform root are ignored: the runtime opens one for each of its workers.
        let mut is_root = callsite.platform_root || !self.inherit(&mut record, attrs, id, ctx);
        let mut takes_place = false;
        if !is_root && !record.context.role.is_recorded() {
            takes_place = matches!(record.context.role, Role::LeftOut(_));
            is_root = takes_place;
            if !is_root && !callsite.has_decision {
                return pool::give_back(record);
            }
        }
        let (now, nanos) = self.spans.clock.read();
        if is_root {
            // A copy of the process that opens a root draws other ids from here on.
            stir_ids(nanos);
        }
        record.segment_id = SegmentId::random();
        record.start = now;
        let user = if is_root {
            self.begin_root(&mut record, callsite, attrs, (id, takes_place))
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
    #[inline(never)]
    fn begin_part(
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
        place: (&Id, bool),
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
            self.place_root(record, place, None, None);
            self.record_rest(record, callsite, attrs);
            return None;
        }
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
    #[inline]
    fn record_rest(&self, record: &mut SpanRecord, callsite: &CallsiteInfo, attrs: &Attributes<'_>) {
        let is_written = record.context.role.is_recorded() || record.is_watched();
        let SpanRecord { body, deferred, .. } = record;
        attrs.record(&mut if is_written {
            FieldVisitor::for_rest(callsite, &self.config.rules, body)
        } else {
            let deferred = deferred.get_or_insert_default();
            FieldVisitor::for_deferring(callsite, &self.config.rules, body, deferred)
        });
    }

    pub(crate) fn insert(&self, id: u64, record: Box<SpanRecord>) {
        match self.spans.table.insert(id, record) {
            Inserted::Done => {}
            other => self.give_up(id, other),
        }
    }

    /// Gives up what an insertion replaced, or what had no room.
    #[cold]
    #[inline(never)]
    pub(crate) fn give_up(&self, id: u64, inserted: Inserted) {
        match inserted {
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
        let Some(direct) = self.direct_parent(attrs, ctx) else { return false };
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
        let found = self.spans.table.hand_down(parent, |parent| {
            parent.has_children = true;
            self.spans.host.on_child_open(parent);
            parent.draw_trace_id();
            let is_recorded = parent.context.role.is_recorded();
            let (role, parent_id) = match parent.context.role {
                _ if is_recorded => (Role::Subsegment, Some(parent.segment_id)),
                Role::PlatformRoot => (Role::Independent, parent.parent_id),
                role @ (Role::NotSampledByLambda | Role::LeftOut(_)) => (role, parent.parent_id),
                role => (role, Some(parent.segment_id)),
            };
            record.context = TraceContext { role, ..parent.context.clone() };
            record.parent_id = parent_id;
            // Lambda counts each child, and may emit a parent early.
            let stays = parent.hands_down_plainly() && !self.spans.host.is_lambda();
            ((), stays.then(|| parent.inheritance()))
        });
        if found.is_none() {
            return false;
        }
        let is_root = matches!(record.context.role, Role::Independent | Role::LeftOut(_));
        // The platform's segment is elsewhere: inside this process its children are roots.
        record.parent = if is_root { None } else { SpanId::new(parent) };
        true
    }

    /// Places a root: by its own header and decision, or else by those of the root whose place it takes.
    fn place_root(
        &self,
        record: &mut SpanRecord,
        (id, takes_place): (&Id, bool),
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
        record.parent = None;
        record.parent_id = None;
        record.context.root = id.into_u64();
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
        let (start, offset) = self.spans.clock.begin_tree(now);
        (record.start, record.context.root_start, record.context.offset) = (start, start, offset);
        let in_platform_segment = platform_root || lambda.is_some();
        match Placement::of(header.as_ref(), forced, in_platform_segment, platform_root, is_orphan) {
            Placement::InPlatformSegment(role) => record.join_platform_segment(header.as_ref(), role),
            Placement::Orphan if !self.takes_orphan() => {
                record.context.role = Role::Undecided { has_trace: false };
            }
            Placement::Orphan => self.join(record, None, None),
            Placement::Segment { sampled } => self.join(record, header.as_ref(), sampled),
        }
        if record.verdict.is_none() && !record.context.role.is_recorded() {
            self.note_decision(record, forced);
        }
        if self.hooks.tail.is_some() && forced.is_none() && !in_platform_segment {
            let by_caller = header.is_some_and(|header| header.sampled() == SamplingDecision::NotSampled);
            self.hold_back(record, by_caller);
        }
    }

    /// Notes who decided, other than the sampler, that a root is not recorded.
    #[cold]
    fn note_decision(&self, record: &mut SpanRecord, forced: Option<bool>) {
        let callsite = self.spans.callsites.get(record.callsite);
        record.unsampled_by = match forced {
            Some(false) if callsite.is_some_and(|known| known.forced().is_some()) => UnsampledBy::Rule,
            Some(false) => UnsampledBy::Program,
            _ => UnsampledBy::Caller,
        };
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
