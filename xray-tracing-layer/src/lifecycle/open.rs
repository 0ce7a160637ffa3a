//! A span opens: what it becomes, and in which trace.
//!
//! ```text
//!  parent in the table?  ──yes──► its role decides: recorded ► subsegment, facade ► independent, else no record
//!        │no: the nearest ancestor that is
//!        ▼none
//!  a local root:  header among its fields, or Lambda's  ──► continue that trace, as it says
//!                 none, or one that leaves it open      ──► ask the sampler
//!                 the user's own word (`xray.sampled`)  ──► goes before all of these
//! ```

use std::sync::atomic::Ordering::Relaxed;

use tracing_core::Subscriber;
use tracing_core::span::{Attributes, Id};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;
use xray_sdk::sampling::Sampler;
use xray_sdk::{SamplingDecision, SegmentId, TraceHeader, TraceId};

use crate::fields::callsite::CallsiteInfo;
use crate::fields::visitor::{FieldVisitor, HeaderField};
use crate::lifecycle::core::Core;
use crate::settings::config::ContextMissing;
use crate::settings::reentrancy::is_recording_suppressed;
use crate::state::clock::Ticks;
use crate::state::record::{self, LambdaState, Role, SpanRecord, TraceContext};
use crate::state::table::Inserted;

impl Core {
    #[inline(never)]
    pub(crate) fn open<S>(&self, attrs: &Attributes<'_>, id: &Id, ctx: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        if !self.enabled || is_recording_suppressed() {
            return;
        }
        let (callsite_id, callsite) = self.callsites.of(attrs.metadata());
        let mut record = record::take();
        record.callsite = callsite_id;
        record.segment_id = SegmentId::random();
        // Nothing that is open around a facade knows better: the runtime opens a span for each of its workers.
        let is_root = callsite.platform_root || !self.inherit(&mut record, attrs, id, ctx);
        if !is_root && !record.context.role.is_recorded() && !callsite.forces {
            return record::give_back(record);
        }
        let now = self.clock.ticks();
        record.start = now;
        let user = match is_root {
            true => self.begin_root(&mut record, callsite, attrs, id),
            false => self.begin_part(&mut record, callsite, attrs, id),
        };
        if let Some(function) = &self.lambda {
            record.lambda_state = LambdaState::default();
            if record.context.role.is_recorded() {
                function.note_open(id.into_u64());
            }
        }
        if record.context.role == Role::Independent {
            self.begin_top(&mut record, id, now);
        }
        let (root, due) = (record.context.root, self.is_due(&record.context, now));
        self.keep(id.into_u64(), record);
        if let Some(user) = user {
            self.set_user(root, 1, &user);
        }
        if due {
            self.announce(root);
        }
    }

    /// Takes the fields of a span inside of another. Answers the end user they name, who belongs to the segment.
    #[inline]
    fn begin_part(
        &self,
        record: &mut SpanRecord,
        callsite: &CallsiteInfo,
        attrs: &Attributes<'_>,
        id: &Id,
    ) -> Option<String> {
        let mut visitor = FieldVisitor::for_new(callsite, &self.rules, &mut record.body, false);
        attrs.record(&mut visitor);
        let (forced, user) = (visitor.forced.take(), visitor.user.take());
        if let Some(sampled) = forced {
            record.force(sampled, id.into_u64(), self.lambda.is_some());
        }
        user
    }

    /// The same for a local root, and finds out what becomes of it. Most are not sampled, and then nobody wants to read
    /// their fields: where the sampler does not look at them either, those that decide are taken before the others.
    #[inline(never)]
    fn begin_root(
        &self,
        record: &mut SpanRecord,
        callsite: &CallsiteInfo,
        attrs: &Attributes<'_>,
        id: &Id,
    ) -> Option<String> {
        let is_segment = self.lambda.is_none();
        let decides_first = is_segment && !self.sampler.looks_at_request();
        let mut visitor = match decides_first {
            true => FieldVisitor::for_decision(callsite, &self.rules, &mut record.body),
            false => FieldVisitor::for_new(callsite, &self.rules, &mut record.body, is_segment),
        };
        if callsite.decides || !decides_first {
            attrs.record(&mut visitor);
        }
        let (header, forced, user) = (visitor.header.take(), visitor.forced.take(), visitor.user.take());
        self.place_root(record, id, header, forced);
        if decides_first {
            let is_written = record.context.role.is_recorded() || record.is_watched();
            let SpanRecord { body, deferred, .. } = record;
            attrs.record(&mut match is_written {
                true => FieldVisitor::for_rest(callsite, &self.rules, body),
                false => {
                    FieldVisitor::for_deferring(callsite, &self.rules, body, deferred.get_or_insert_default())
                }
            });
        }
        user
    }

    #[inline]
    pub(crate) fn keep(&self, id: u64, record: Box<SpanRecord>) {
        match self.table.insert(id, record) {
            Inserted::Done => {}
            Inserted::Replaced(stale) => {
                self.counters.abandoned.one();
                record::give_back(stale);
            }
            Inserted::Full(record) => {
                self.counters.over_capacity.one();
                if let Some(verdict) = &record.verdict {
                    self.sampler.give_back(verdict);
                }
                record::give_back(record);
                if let Some(function) = &self.lambda {
                    function.note_closed(id);
                }
            }
        }
    }

    /// Takes over what the nearest recorded ancestor hands down. `false` if there is none.
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
            None => match ctx.current_span().id() {
                Some(current) => current.into_u64(),
                None => return false,
            },
        };
        if self.inherit_from(record, direct) {
            return true;
        }
        // The parent is there, but not for us: filtered out, or one too many.
        let ancestors = ctx.span(id).into_iter().flat_map(|span| span.scope().skip(1));
        ancestors.into_iter().any(|ancestor| self.inherit_from(record, ancestor.id().into_u64()))
    }

    #[inline]
    pub(crate) fn inherit_from(&self, record: &mut SpanRecord, parent: u64) -> bool {
        let found = self.table.with(parent, |parent| {
            parent.has_children = true;
            if self.lambda.is_some() {
                parent.lambda_state.open_children += 1;
            }
            parent.draw_trace_id();
            let (role, parent_id) = match parent.context.role {
                role if role.is_recorded() => (Role::Subsegment, Some(parent.segment_id)),
                Role::PlatformRoot => (Role::Independent, parent.parent_id),
                Role::NotSampledByLambda => (Role::NotSampledByLambda, parent.parent_id),
                role => (role, Some(parent.segment_id)),
            };
            record.context = TraceContext { role, ..parent.context.clone() };
            record.parent_id = parent_id;
        });
        if found.is_none() {
            return false;
        }
        let independent = record.context.role == Role::Independent;
        // What a facade stands for is elsewhere: inside this process its children are roots.
        record.parent = if independent { 0 } else { parent };
        true
    }

    fn place_root(&self, record: &mut SpanRecord, id: &Id, field: Option<HeaderField>, forced: Option<bool>) {
        let now = record.start;
        if !self.installed.load(Relaxed) {
            // Added by a reload, after the subscriber had told its layers that it is in use.
            self.install();
        }
        record.parent = 0;
        record.parent_id = None;
        record.context.root = id.into_u64();
        record.context.root_start = now;
        let platform_root = field.as_ref().is_some_and(|field| field.platform_root);
        if field.as_ref().is_some_and(|field| field.header.is_none()) {
            self.counters.bad_headers.one();
        }
        // A call to another service is a part of something. What it is a part of may be a caller's.
        let is_orphan = field.is_none() && forced.is_none() && record.body.namespace().is_some();
        let header = match (field, &self.lambda) {
            (Some(field), _) => field.header,
            (None, Some(function)) => function.header(),
            (None, None) => None,
        };
        if let Some(function) = &self.lambda {
            if header.is_some() && function.take_snapshot_restored() {
                self.restored();
                record.segment_id = SegmentId::random();
            }
            // The process may have been frozen since the last one.
            self.clock.anchor(now);
        }
        record.context.offset = self.clock.offset(now);
        if platform_root || self.lambda.is_some() {
            Self::join_lambda(record, header.as_ref(), platform_root);
            if forced == Some(false) && record.context.role.is_recorded() {
                record.context.role = Role::Unsampled;
            }
        } else if is_orphan && !self.takes_orphan() {
            record.context.role = Role::Undecided { has_trace: false };
        } else {
            self.join(record, header.as_ref(), forced);
        }
    }

    /// Whether a call to another service outside of a segment becomes one.
    #[cold]
    fn takes_orphan(&self) -> bool {
        if self.context_missing != ContextMissing::Ignore {
            self.counters.context_missing.one();
        }
        self.context_missing == ContextMissing::MakeSegment
    }

    /// A subsegment directly below the function's segment is the root of what is recorded here.
    fn begin_top(&self, record: &mut SpanRecord, id: &Id, now: Ticks) {
        let platform_root = if record.context.root == id.into_u64() { 0 } else { record.context.root };
        (record.context.root, record.context.root_start) = (id.into_u64(), now);
        record.lambda_state = LambdaState { platform_root, ..LambdaState::default() };
        if platform_root != 0 {
            // What the runtime says of the invocation goes where it is seen: into the first subsegment.
            self.table.with(platform_root, |platform_root| {
                record.body.absorb(&platform_root.body);
                platform_root.body.clear();
            });
        }
    }

    /// Makes a root a segment, in the header's trace or in a new one.
    fn join(&self, record: &mut SpanRecord, header: Option<&TraceHeader>, forced: Option<bool>) {
        record.context.trace_id = header.map_or(TraceId::ZERO, TraceHeader::root);
        record.parent_id = header.and_then(TraceHeader::parent);
        record.context.extras = header.and_then(TraceHeader::shared_extras);
        record.verdict = None;
        record.context.role = match (forced, header.map_or(SamplingDecision::Unknown, TraceHeader::sampled)) {
            (Some(true), _) | (None, SamplingDecision::Sampled) => Role::Segment,
            (Some(false), _) | (None, SamplingDecision::NotSampled) => Role::Unsampled,
            (None, SamplingDecision::Requested | SamplingDecision::Unknown) => {
                let verdict = self.sample(record);
                let role = match verdict.is_sampled() {
                    true => Role::Segment,
                    false if verdict.is_left_open() => Role::Undecided { has_trace: true },
                    false => Role::Unsampled,
                };
                record.verdict = Some(verdict);
                role
            }
        };
        match record.context.role {
            Role::Segment => record.draw_trace_id(),
            Role::Unsampled if self.zero_ids && header.is_none() => record.segment_id = SegmentId::from(0),
            _ => {}
        }
    }

    /// In Lambda the function's segment is the platform's: spans are parts of it, if it is recorded.
    pub(crate) fn join_lambda(record: &mut SpanRecord, header: Option<&TraceHeader>, platform_root: bool) {
        let parent = header.and_then(TraceHeader::parent);
        record.parent_id = parent;
        record.context.extras = header.and_then(TraceHeader::shared_extras);
        record.context.role = match header {
            None => Role::Undecided { has_trace: false },
            Some(header) => {
                record.context.trace_id = header.root();
                match (header.sampled(), parent) {
                    (SamplingDecision::Sampled, Some(_)) if platform_root => Role::PlatformRoot,
                    (SamplingDecision::Sampled, Some(_)) => Role::Independent,
                    (SamplingDecision::NotSampled, _) => Role::NotSampledByLambda,
                    // Lambda does not trace this function, but others in the trace may go on.
                    _ => Role::Undecided { has_trace: true },
                }
            }
        };
    }
}
