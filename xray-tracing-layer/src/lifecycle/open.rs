//! Opening a span: its role, and its trace.
//!
//! ```text
//!  parent in the table?  ──yes──► recorded ► subsegment, platform root ► independent, else no record
//!        │no: the nearest ancestor in the table
//!        ▼none
//!  a local root          ──► Placement: the user's decision overrides the header's,
//!                            the header's overrides the sampler's
//! ```

use tracing_core::Subscriber;
use tracing_core::span::{Attributes, Id};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;
use xray_sdk::SegmentId;
use xray_sdk::id::internal::stir_ids;
use xray_sdk::sampling::Sampler;

use crate::fields::callsite::{CallsiteId, CallsiteInfo};
use crate::fields::database::language::language_of;
use crate::fields::visitor::FieldVisitor;
use crate::lifecycle::core::Core;
use crate::settings::reentrancy::is_recording_suppressed;
use crate::state::clock::Ticks;
use crate::state::pool;
use crate::state::record::{LambdaState, Role, SpanId, SpanRecord, TraceContext};
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
        let kind = record.kind();
        match self.spans.table.insert(id.into_u64(), record) {
            Inserted::Done => self.note_opened(id.into_u64(), kind),
            other => self.give_up(id.into_u64(), other),
        }
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

    #[inline(always)]
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
                self.abandon(&stale);
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

    /// Counts a span that will never close, and those that were folded into it.
    pub(crate) fn abandon(&self, record: &SpanRecord) {
        self.output.counters.abandoned.one();
        self.output.counters.lost_with_parent.add(record.children.spans().into());
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
        self.direct_parent(attrs, ctx)
            .is_some_and(|direct| self.inherit_from_nearest(record, direct, id, ctx))
    }

    #[inline(never)]
    fn inherit_from_nearest<S>(
        &self,
        record: &mut SpanRecord,
        direct: u64,
        id: &Id,
        ctx: &Context<'_, S>,
    ) -> bool
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        if self.inherit_from(record, direct) {
            return true;
        }
        // The parent has no record: a filter rejected it, or the table was full.
        let ancestors = ctx.span(id).into_iter().flat_map(|span| span.scope().skip(1));
        ancestors.into_iter().any(|ancestor| self.inherit_from(record, ancestor.id().into_u64()))
    }

    #[inline]
    pub(crate) fn inherit_from(&self, record: &mut SpanRecord, parent: u64) -> bool {
        match self.spans.table.inherited(parent) {
            Some(inheritance) => {
                record.inherit(parent, inheritance.read());
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

    /// Makes a subsegment directly below the platform's segment the root of what is recorded here.
    #[cold]
    #[inline(never)]
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
