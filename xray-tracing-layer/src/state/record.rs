//! What the layer knows of one open span. Records are recycled with the memory they hold, so that a span in
//! steady state allocates nothing.

use std::cell::RefCell;
use std::sync::{Mutex, PoisonError};

use xray_sdk::document::internal::{Body, Children};
use xray_sdk::header::Extras;
use xray_sdk::sampling::SamplingResult;
use xray_sdk::{SegmentId, TraceId};

use crate::fields::callsite::CallsiteId;
use crate::fields::deferred::DeferredFields;
use crate::state::clock::Ticks;

/// The state of an open span.
#[derive(Debug)]
pub(crate) struct SpanRecord {
    pub(crate) context: TraceContext,
    pub(crate) segment_id: SegmentId,
    /// The registry's id of the span that this one is part of; 0 for a local root.
    pub(crate) parent: u64,
    /// X-Ray's id of the same, or of the caller's (sub)segment.
    pub(crate) parent_id: Option<SegmentId>,
    pub(crate) callsite: CallsiteId,
    pub(crate) start: Ticks,
    /// Of a local root: when it was last left; 0 while it never was.
    pub(crate) exited: Ticks,
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
    /// Of a local root: the registry's id of the span that stands for the function's segment; 0 if none does.
    pub(crate) platform_root: u64,
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
    fn empty() -> Self {
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
            parent: 0,
            parent_id: None,
            callsite: CallsiteId::default(),
            start: 0,
            exited: 0,
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
        self.parent == 0
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
            if self.parent != 0 {
                // What the trace has of this process so far is nothing that X-Ray would know.
                (self.parent, self.parent_id) = (0, None);
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

    /// Whether it is part of a segment.
    pub(crate) fn is_part(&self) -> bool {
        matches!(self.context.role, Role::Independent | Role::Subsegment)
    }

    /// Of a departed record: whether anything came after the departure that has to be told.
    pub(crate) fn has_late_part(&self) -> bool {
        self.has_children || !self.body.is_empty()
    }

    /// Bytes that its buffers hold, in use or not.
    fn capacity(&self) -> usize {
        let deferred = self.deferred.as_ref().map_or(0, |deferred| deferred.capacity());
        self.body.capacity() + deferred + self.children.capacity()
    }

    fn reset(&mut self) {
        self.body.clear();
        if let Some(deferred) = &mut self.deferred {
            deferred.clear();
        }
        self.children.clear();
        self.context.extras = None;
        self.verdict = None;
        (self.exited, self.in_progress_sent, self.has_children, self.emitted_early) =
            (0, false, false, false);
    }
}

/// Takes a record with nothing in it from this thread's pool.
#[inline]
pub(crate) fn take() -> Box<SpanRecord> {
    let pooled = POOL.try_with(|pool| pool.try_borrow_mut().ok()?.pop()).ok().flatten();
    pooled.unwrap_or_else(refill)
}

/// Puts a record back, emptied.
#[inline]
pub(crate) fn give_back(mut record: Box<SpanRecord>) {
    record.reset();
    let mut record = Some(record);
    let _ = POOL.try_with(|pool| {
        if let Ok(mut pool) = pool.try_borrow_mut() {
            pool.push(&mut record);
        }
    });
    if let Some(record) = record {
        spill(record);
    }
}

/// The records that a thread keeps. The last one put back is the first to be taken: it is still in the cache.
struct Pool {
    #[expect(clippy::vec_box, reason = "the table takes the box as it is")]
    records: Vec<Box<SpanRecord>>,
    /// Bytes that they hold.
    bytes: usize,
}

impl Pool {
    #[inline]
    fn pop(&mut self) -> Option<Box<SpanRecord>> {
        let record = self.records.pop()?;
        self.bytes -= record.capacity();
        Some(record)
    }

    /// Takes the record, if there is room.
    #[inline]
    fn push(&mut self, record: &mut Option<Box<SpanRecord>>) {
        let bytes = self.bytes + record.as_ref().map_or(0, |record| record.capacity());
        if self.records.len() < THREAD_POOL && bytes <= THREAD_CAPACITY {
            self.records.extend(record.take());
            self.bytes = bytes;
        }
    }
}

/// A record from the pool that all threads share: spans may open on one thread and close on another, for ever.
#[cold]
fn refill() -> Box<SpanRecord> {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    shared.pop().unwrap_or_else(|| Box::new(SpanRecord::empty()))
}

#[cold]
fn spill(mut record: Box<SpanRecord>) {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if shared.len() < SHARED_POOL {
        // What lies here may lie for long; a burst must not leave its memory behind.
        if record.capacity() > SHARED_CAPACITY {
            (record.body, record.deferred, record.children) = (Body::new(), None, Children::new());
        }
        shared.push(record);
    }
}

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool { records: Vec::new(), bytes: 0 }) };
}

#[expect(clippy::vec_box, reason = "the table takes the box as it is")]
static SHARED: Mutex<Vec<Box<SpanRecord>>> = Mutex::new(Vec::new());

/// Records that a thread keeps: as many as spans are open at once in a deep request.
const THREAD_POOL: usize = 32;

/// Bytes that those may hold together: a few roots with full children, and many small spans.
const THREAD_CAPACITY: usize = 256 << 10;

/// Records that wait for any thread.
const SHARED_POOL: usize = 256;

/// Bytes that such a record may hold.
const SHARED_CAPACITY: usize = 2048;
