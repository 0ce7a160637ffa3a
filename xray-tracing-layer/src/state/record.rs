//! What the layer knows of one open span. Records are recycled with the memory they hold, so that a span in
//! steady state allocates nothing.

use std::num::NonZeroU64;

use xray_sdk::document::internal::{Body, Children};
use xray_sdk::header::Extras;
use xray_sdk::sampling::SamplingResult;
use xray_sdk::{SegmentId, TraceId};

use crate::fields::callsite::CallsiteId;
use crate::fields::deferred::DeferredFields;
use crate::state::clock::Ticks;

/// The registry's id of a span. No id is 0.
pub(crate) type SpanId = NonZeroU64;

/// The state of an open span.
#[derive(Debug)]
pub(crate) struct SpanRecord {
    pub(crate) context: TraceContext,
    pub(crate) segment_id: SegmentId,
    /// The span that this one is part of; `None` for a local root.
    pub(crate) parent: Option<SpanId>,
    /// X-Ray's id of the same, or of the caller's (sub)segment.
    pub(crate) parent_id: Option<SegmentId>,
    pub(crate) callsite: CallsiteId,
    pub(crate) start: Ticks,
    /// Of a local root: when it was last exited.
    pub(crate) exited: Option<NonZeroU64>,
    /// Of a local root: whether its document was announced as in progress.
    pub(crate) in_progress_sent: bool,
    /// Whether a span was opened inside.
    pub(crate) has_children: bool,
    /// Whether its document was sent while the span stayed open. What is here came later.
    pub(crate) emitted_early: bool,
    /// Means something in Lambda only.
    pub(crate) lambda_state: LambdaState,
    /// Of a local root: what the sampler said, unless a header decided.
    pub(crate) verdict: Option<SamplingResult>,
    pub(crate) body: Body,
    /// Of a root that is not recorded: the fields that it was opened with. Stays with the record for the next.
    pub(crate) deferred: Option<Box<DeferredFields>>,
    pub(crate) children: Children,
}

/// What keeps a span open when it is over.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LambdaState {
    /// Of a local root: the span that represents the function's segment.
    pub(crate) platform_root: Option<SpanId>,
    /// Spans inside that have not closed.
    pub(crate) open_children: u32,
    /// Whether another task holds the span, too.
    pub(crate) shared: bool,
}

/// What a span hands down to the spans inside it.
#[derive(Clone, Debug)]
pub(crate) struct TraceContext {
    pub(crate) role: Role,
    /// Zeros while nobody wants to know; see [`SpanRecord::draw_trace_id`].
    pub(crate) trace_id: TraceId,
    /// The registry's id of the local root.
    pub(crate) root: u64,
    pub(crate) root_start: Ticks,
    /// What makes ticks microseconds since the epoch, in this tree.
    pub(crate) offset: u64,
    /// What a trace header carried beside the known keys.
    pub(crate) extras: Option<Extras>,
}

/// What a span is to X-Ray.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A local root: a segment of its own.
    Segment,
    /// Part of a recorded span.
    Subsegment,
    /// A local root that is part of a segment which somebody else sends: Lambda.
    Independent,
    /// Stands for that segment. Never sent.
    PlatformRoot,
    /// Not recorded; its trace header says `Sampled=0`.
    Unsampled,
    /// Not recorded, since Lambda decided so; its trace header is the invocation's, with no id of ours.
    NotSampledByLambda,
    /// Not recorded, and no decision known: a header that named a trace only, or none at all, in Lambda.
    Undecided {
        /// Whether there is a trace to name.
        has_trace: bool,
    },
}

impl Role {
    pub(crate) const fn is_recorded(self) -> bool {
        matches!(self, Self::Segment | Self::Subsegment | Self::Independent)
    }
}

/// What a record is to callbacks that only want to know whether to look closer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// There is none.
    Absent,
    /// A part of something that is recorded.
    Part,
    /// A local root that is recorded, or stands for a segment that is.
    Root,
    /// Not recorded, and neither is what is inside of it.
    Unrecorded,
}

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
            },
            segment_id: SegmentId::from(0),
            parent: None,
            parent_id: None,
            callsite: CallsiteId::default(),
            start: 0,
            exited: None,
            in_progress_sent: false,
            has_children: false,
            emitted_early: false,
            lambda_state: LambdaState::default(),
            verdict: None,
            body: Body::new(),
            deferred: None,
            children: Children::new(),
        }
    }

    /// Gives the trace an id, unless it has one. That of a trace which is not sampled is drawn when a trace header is
    /// asked for, or a part of it goes to another thread: most of them end before. Without a segment id there is none.
    #[inline]
    pub(crate) fn draw_trace_id(&mut self) {
        let context = &mut self.context;
        if context.trace_id == TraceId::ZERO && self.segment_id != SegmentId::from(0) {
            context.trace_id = TraceId::at(((context.offset + self.start) / 1_000_000) as u32);
        }
    }

    /// Whether the span begins a tree of its own in this process.
    #[inline]
    pub(crate) fn is_local_root(&self) -> bool {
        self.parent.is_none()
    }

    /// Whether its fields are kept: those of a recorded span, and those of a root that a late trace header may
    /// still turn into one, or whose end the sampler wants to hear of.
    #[inline]
    pub(crate) fn keeps_fields(&self) -> bool {
        let may_be_recorded_yet = || {
            matches!(self.context.role, Role::Unsampled | Role::NotSampledByLambda | Role::Undecided { .. })
                && self.is_local_root()
                && (!self.has_children || self.is_watched())
        };
        self.context.role.is_recorded() || may_be_recorded_yet()
    }

    /// Whether the sampler wants to hear how the trace ends.
    #[inline]
    pub(crate) fn is_watched(&self) -> bool {
        self.verdict.as_ref().is_some_and(SamplingResult::is_watched)
    }

    /// Keeps the span, or does not, whatever was decided before.
    ///
    /// Inside a recorded trace, a span that is not kept is left out with all that is inside of it. Inside one that
    /// isn't recorded, a span that is kept is a segment of its own, in the same trace. In Lambda there is no segment
    /// to be made: what the platform does not record can't be kept.
    pub(crate) fn force(&mut self, sampled: bool, id: u64, in_lambda: bool) {
        let role = &mut self.context.role;
        if !sampled {
            if role.is_recorded() {
                *role = Role::Unsampled;
            }
        } else if !role.is_recorded() && !in_lambda && *role != Role::PlatformRoot {
            if *role == (Role::Undecided { has_trace: false }) || self.context.trace_id == TraceId::ZERO {
                self.context.trace_id = TraceId::new();
            }
            if self.segment_id == SegmentId::from(0) {
                self.segment_id = SegmentId::random();
            }
            if self.parent.is_some() {
                // What the trace has of this process so far is nothing that X-Ray would know.
                (self.parent, self.parent_id) = (None, None);
            }
            self.context.role = Role::Segment;
            (self.context.root, self.context.root_start) = (id, self.start);
        }
    }

    /// What callbacks need to know before they look closer.
    #[inline]
    pub(crate) fn kind(&self) -> Kind {
        let role = self.context.role;
        if !role.is_recorded() && role != Role::PlatformRoot {
            Kind::Unrecorded
        } else if self.is_local_root() {
            Kind::Root
        } else {
            Kind::Part
        }
    }

    /// When it was last exited, or opened if it never was.
    #[inline]
    pub(crate) fn last_exit(&self) -> Ticks {
        self.exited.map_or(self.start, NonZeroU64::get)
    }

    /// Whether it is part of a segment.
    pub(crate) fn is_part(&self) -> bool {
        matches!(self.context.role, Role::Independent | Role::Subsegment)
    }

    /// Of a departed record: whether anything came after the departure that has to be told.
    pub(crate) fn has_late_part(&self) -> bool {
        self.has_children || !self.body.is_empty()
    }

    /// Bytes that its buffers hold, in use or not.
    pub(crate) fn capacity(&self) -> usize {
        let deferred = self.deferred.as_ref().map_or(0, |deferred| deferred.capacity());
        self.body.capacity() + deferred + self.children.capacity()
    }

    pub(crate) fn reset(&mut self) {
        self.body.clear();
        if let Some(deferred) = &mut self.deferred {
            deferred.clear();
        }
        self.children.clear();
        self.context.extras = None;
        self.verdict = None;
        (self.exited, self.in_progress_sent, self.has_children, self.emitted_early) =
            (None, false, false, false);
    }
}
