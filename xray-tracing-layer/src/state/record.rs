//! The layer's state of one open span.
//!
//! A record is locked only for the time of a copy, and no user code runs meanwhile. Records come from
//! [`pool`](crate::state::pool).

mod role;

use std::num::NonZeroU64;

use xray_sdk::document::internal::{Body, Children};
use xray_sdk::header::Extras;
use xray_sdk::sampling::SamplingResult;
use xray_sdk::{SegmentId, TraceId};

use crate::fields::callsite::CallsiteId;
use crate::fields::deferred::DeferredFields;
use crate::state::clock::Ticks;
use crate::state::tail::HeldTrace;
use crate::state::waiting::stream_batch::StreamBatch;

pub(crate) use self::role::{Decision, Fate, Kind, Role, UnsampledBy};

/// The registry's id of a span. No id is 0.
pub(crate) type SpanId = NonZeroU64;

/// The state of an open span.
///
/// In the order that it has in memory: what each span reads and writes by itself lies in the first 128 bytes, which shorter
/// instructions reach.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct SpanRecord {
    pub(crate) context: TraceContext,
    /// X-Ray's id of the parent, or of the caller's (sub)segment.
    pub(crate) parent_id: Option<SegmentId>,
    pub(crate) segment_id: SegmentId,
    /// The parent span; `None` for a local root.
    pub(crate) parent: Option<SpanId>,
    pub(crate) start: Ticks,
    /// The time when a local root was last exited.
    pub(crate) exited: Option<NonZeroU64>,
    /// The documents of children for which there was no room, until they are sent together.
    pub(crate) waiting: Option<Box<StreamBatch>>,
    pub(crate) callsite: CallsiteId,
    /// The parts of the span that were sent already.
    pub(crate) phase: Phase,
    /// Set if a span was opened inside.
    pub(crate) has_children: bool,
    /// Set if a span inside was sent on its own. Known only if there is a closure that may leave spans out.
    pub(crate) sent_below: bool,
    /// The decision of the user's closure about the span.
    pub(crate) fate: Fate,
    pub(crate) body: Body,
    pub(crate) children: Children,
    /// The time when such documents as are waiting were last sent; 0 if none were.
    pub(crate) streamed: Ticks,
    /// The sampler's result, if the sampler decided about this root.
    pub(crate) verdict: Option<SamplingResult>,
    /// The state of a root whose trace is held back.
    pub(crate) held: Option<Box<HeldTrace>>,
    /// The copied fields of an unrecorded root. The allocation stays with the record.
    pub(crate) deferred: Option<Box<DeferredFields>>,
    /// Bookkeeping for Lambda; unused elsewhere.
    pub(crate) lambda_state: LambdaState,
    /// The bytes that the buffers held when the pool last counted them.
    pub(crate) pooled: u32,
    /// The one that decided that a root is not recorded, if it is not.
    pub(crate) unsampled_by: UnsampledBy,
}

// One byte more makes it sixteen: an open child is to take less than 600 bytes with its buffers and its place.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<SpanRecord>() <= 368);

/// The progress of an open span's document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing was sent.
    Open,
    /// A document in progress was sent. Of a platform root, a document with its failure.
    InProgressSent,
    /// The document was sent as complete. The record holds what came later.
    EmittedEarly,
}

/// Bookkeeping for Lambda: why a span may stay open after its work is over.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LambdaState {
    /// The span that represents the function's segment, for a root below it.
    pub(crate) platform_root: Option<SpanId>,
    /// The number of open children.
    pub(crate) open_children: u32,
    /// Set if another task holds the span.
    pub(crate) shared: bool,
}

/// The state that child spans inherit.
#[derive(Clone, Debug)]
pub(crate) struct TraceContext {
    pub(crate) role: Role,
    /// The trace id. Zeros, X-Ray's id of no trace, until it is needed: so a header without it is written. See
    /// [`SpanRecord::draw_trace_id`].
    pub(crate) trace_id: TraceId,
    /// The registry's id of the local root.
    pub(crate) root: u64,
    pub(crate) root_start: Ticks,
    /// The offset from ticks to microseconds since the epoch, in this tree.
    pub(crate) offset: u64,
    /// Unknown keys of the trace header.
    pub(crate) extras: Option<Extras>,
    /// Set if the trace was not sampled, and is recorded until the tail decision at its end.
    pub(crate) held_back: bool,
}

/// The part of its state that a recorded span hands down to those inside it, as words: its id, the trace's in two, the
/// registry's id of the root, the root's start, and the offset.
pub(crate) type Inheritance = [u64; 6];

impl SpanRecord {
    pub(crate) fn empty() -> Self {
        Self {
            context: TraceContext {
                role: Role::Unsampled,
                trace_id: TraceId::ZERO,
                root: 0,
                root_start: 0,
                offset: 0,
                extras: None,
                held_back: false,
            },
            segment_id: SegmentId::from(0),
            parent: None,
            parent_id: None,
            callsite: CallsiteId::default(),
            start: 0,
            exited: None,
            phase: Phase::Open,
            has_children: false,
            sent_below: false,
            fate: Fate::Kept,
            unsampled_by: UnsampledBy::Sampler,
            lambda_state: LambdaState::default(),
            verdict: None,
            held: None,
            body: Body::new(),
            deferred: None,
            children: Children::new(),
            waiting: None,
            streamed: 0,
            pooled: 0,
        }
    }

    /// Draws the trace id, unless there is one.
    ///
    /// An unsampled trace gets its id when a trace header is requested, or when a child opens on another
    /// thread. Most unsampled traces end before that. Without a segment id there is no trace id.
    #[inline]
    pub(crate) fn draw_trace_id(&mut self) {
        let context = &mut self.context;
        if context.trace_id == TraceId::ZERO && self.segment_id != SegmentId::from(0) {
            context.trace_id = TraceId::at(((context.offset + self.start) / 1_000_000) as u32);
        }
    }

    /// Returns whether the document was sent as complete while the span is open.
    #[inline]
    pub(crate) fn is_emitted_early(&self) -> bool {
        self.phase == Phase::EmittedEarly
    }

    /// Returns whether the span is a local root.
    #[inline]
    pub(crate) fn is_local_root(&self) -> bool {
        self.parent.is_none()
    }

    /// Returns whether fields are kept: those of recorded spans, of roots that a late header may turn into recorded
    /// ones, and of roots that the sampler watches.
    #[inline]
    pub(crate) fn keeps_fields(&self) -> bool {
        self.context.role.is_recorded() || self.may_be_recorded_yet()
    }

    #[inline(never)]
    fn may_be_recorded_yet(&self) -> bool {
        self.context.role != Role::PlatformRoot
            && self.is_local_root()
            && (!self.has_children || self.is_watched())
    }

    /// Returns whether the sampler observes the end of the trace.
    #[inline]
    pub(crate) fn is_watched(&self) -> bool {
        self.verdict.as_ref().is_some_and(SamplingResult::is_watched)
    }

    /// Returns whether the fields of a new root are encoded, and not only copied.
    #[inline]
    pub(crate) fn is_written(&self) -> bool {
        self.context.role.is_recorded() || self.is_watched()
    }

    /// Applies the user's decision, which overrides any other.
    ///
    /// | span | `sampled` | result |
    /// |---|---|---|
    /// | recorded | `false` | left out, with everything inside |
    /// | not recorded | `true` | a segment of its own, in the same trace |
    /// | not recorded, in Lambda | `true` | unchanged: what the platform does not record cannot be recorded |
    /// | left out by a rule | either | decided about for the spans that take its place |
    pub(crate) fn force(&mut self, sampled: bool, id: u64, in_lambda: bool) {
        let was_held_back = self.release();
        let role = &mut self.context.role;
        if let Role::LeftOut(decision) = role {
            *decision = Decision::Program(sampled);
        } else if !sampled {
            self.unsampled_by = UnsampledBy::Program;
            if role.is_recorded() {
                *role = Role::Unsampled;
            }
        } else if (!role.is_recorded() || was_held_back) && !in_lambda && *role != Role::PlatformRoot {
            if *role == (Role::Undecided { has_trace: false }) || self.context.trace_id == TraceId::ZERO {
                self.context.trace_id = TraceId::new();
            }
            if self.segment_id == SegmentId::from(0) {
                self.segment_id = SegmentId::random();
            }
            if self.parent.is_some() {
                // X-Ray knows nothing of this process in the trace so far.
                (self.parent, self.parent_id) = (None, None);
            }
            self.context.role = Role::Segment;
            (self.context.root, self.context.root_start) = (id, self.start);
        }
    }

    /// Ends the wait for a tail decision, because of another decision. Returns whether there was one.
    pub(crate) fn release(&mut self) -> bool {
        self.held = None;
        std::mem::take(&mut self.context.held_back)
    }

    /// Returns whether words are all that a child inherits from this one: it is recorded, and its trace is not held back.
    /// Unknown keys of a header are not words.
    #[inline]
    pub(crate) fn hands_down_plainly(&self) -> bool {
        self.context.role.is_recorded() && self.context.extras.is_none() && !self.context.held_back
    }

    /// Returns what every recorded span inside this one inherits. Outside of Lambda it stays as it is from the first
    /// child on: a later decision is refused then.
    pub(crate) fn inheritance(&self) -> Inheritance {
        let TraceContext { trace_id, root, root_start, offset, .. } = self.context;
        let trace_id = u128::from(trace_id);
        [self.segment_id.into(), (trace_id >> 64) as u64, trace_id as u64, root, root_start, offset]
    }

    /// Makes an empty record that of a subsegment of `parent`.
    #[inline]
    pub(crate) fn inherit(&mut self, parent: Option<SpanId>, inheritance: Inheritance) {
        let [segment_id, high, low, root, root_start, offset] = inheritance;
        self.parent = parent;
        self.parent_id = Some(SegmentId::from(segment_id));
        let context = &mut self.context;
        context.role = Role::Subsegment;
        context.trace_id = TraceId::from(u128::from(high) << 64 | u128::from(low));
        (context.root, context.root_start, context.offset) = (root, root_start, offset);
    }

    /// Returns the record's kind.
    #[inline]
    pub(crate) fn kind(&self) -> Kind {
        let role = self.context.role;
        if !role.is_recorded() && !matches!(role, Role::PlatformRoot | Role::LeftOut(_)) {
            Kind::Unrecorded
        } else if self.is_local_root() {
            Kind::Root
        } else {
            Kind::Part
        }
    }

    /// Returns the time when the span was last exited, or opened.
    #[inline]
    pub(crate) fn last_exit(&self) -> Ticks {
        self.exited.map_or(self.start, NonZeroU64::get)
    }

    /// Returns whether anything came after the early emission that has to be sent.
    pub(crate) fn has_late_part(&self) -> bool {
        self.has_children || !self.body.is_empty()
    }

    /// Returns the bytes that the buffers hold, in use or not.
    pub(crate) fn capacity(&self) -> usize {
        let deferred = self.deferred.as_ref().map_or(0, |deferred| deferred.capacity());
        self.body.capacity() + deferred + self.children.capacity()
    }

    /// Drops what few records have, in one place for all of it.
    #[cold]
    #[inline(never)]
    fn drop_rare(&mut self) {
        self.context.extras = None;
        (self.held, self.verdict) = (None, None);
    }

    pub(crate) fn reset(&mut self) {
        self.body.clear();
        if let Some(deferred) = &mut self.deferred {
            deferred.clear();
        }
        self.children.clear();
        debug_assert!(self.waiting.is_none(), "documents wait in spans that are open");
        self.streamed = 0;
        let has_rule = || self.verdict.as_ref().is_some_and(|verdict| verdict.rule().is_some());
        if self.context.extras.is_some() || self.held.is_some() || has_rule() {
            self.drop_rare();
        }
        self.context.held_back = false;
        // A verdict without a rule has nothing to drop.
        std::mem::forget(self.verdict.take());
        (self.exited, self.phase, self.has_children) = (None, Phase::Open, false);
        (self.sent_below, self.fate) = (false, Fate::Kept);
        self.unsampled_by = UnsampledBy::Sampler;
    }
}
