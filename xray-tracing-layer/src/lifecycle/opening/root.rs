//! The beginning of a root: below the segment that Lambda sends, in a header's trace, or in a new one.

use tracing_core::span::Id;
use xray_sdk::{SegmentId, TraceHeader, TraceId};

use crate::lifecycle::core::Core;
use crate::state::clock::Ticks;
use crate::state::record::{LambdaState, Role, SpanId, SpanRecord};

impl Core {
    /// Makes a subsegment directly below the platform's segment the root of what is recorded here.
    pub(crate) fn begin_top(&self, record: &mut SpanRecord, id: &Id, now: Ticks) {
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

    /// Makes a root a segment, in the header's trace or in a new one. Without a decision, the sampler
    /// decides.
    pub(crate) fn join(&self, record: &mut SpanRecord, header: Option<&TraceHeader>, sampled: Option<bool>) {
        record.context.trace_id = header.map_or(TraceId::ZERO, TraceHeader::root);
        record.parent_id = header.and_then(TraceHeader::parent);
        record.context.extras = header.and_then(TraceHeader::shared_extras);
        record.verdict = None;
        record.context.role = match sampled {
            Some(true) => Role::Segment,
            Some(false) => Role::Unsampled,
            None => {
                let verdict = self.sample(record);
                let role = if verdict.is_sampled() {
                    Role::Segment
                } else if verdict.is_left_open() {
                    Role::Undecided { has_trace: true }
                } else {
                    Role::Unsampled
                };
                record.verdict = Some(verdict);
                role
            }
        };
        match record.context.role {
            Role::Segment => record.draw_trace_id(),
            Role::Unsampled if self.config.zero_ids && header.is_none() => {
                record.segment_id = SegmentId::from(0);
            }
            _ => {}
        }
    }
}
