//! The placement of a local root: a pure function of the facts at the time when the root opens.
//!
//! A root may be left out by a rule while the spans inside stay. Its record is never sent. Each span directly inside
//! becomes a root, with the trace, the parent and the decision of the caller's header, unless it has its own.

use xray_sdk::{SamplingDecision, TraceHeader, TraceId};

use crate::fields::field_target::HeaderField;
use crate::state::record::{Decision, Role, SpanRecord};

/// The place of a local root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placement {
    /// A part of the segment that Lambda sends for the function.
    InPlatformSegment(Role),
    /// A call to another service outside of any segment: `context_missing` decides.
    Orphan,
    /// A segment. Without a decision, the sampler decides.
    Segment { sampled: Option<bool> },
}

impl Placement {
    /// Returns the placement.
    ///
    /// The user's decision (`forced`) overrides the header's, and the header's overrides the sampler's. In
    /// Lambda the platform decides; the user can only leave a span out.
    pub(crate) fn of(
        header: Option<&TraceHeader>,
        forced: Option<bool>,
        in_platform_segment: bool,
        is_platform_root: bool,
        is_orphan: bool,
    ) -> Self {
        if in_platform_segment {
            let role = role_in_platform_segment(header, is_platform_root);
            let is_left_out = forced == Some(false) && role.is_recorded();
            return Self::InPlatformSegment(if is_left_out { Role::Unsampled } else { role });
        }
        if is_orphan {
            return Self::Orphan;
        }
        let decided = match header.map_or(SamplingDecision::Unknown, TraceHeader::sampled) {
            SamplingDecision::Sampled => Some(true),
            SamplingDecision::NotSampled => Some(false),
            SamplingDecision::Requested | SamplingDecision::Unknown => None,
        };
        Self::Segment { sampled: forced.or(decided) }
    }
}

/// Returns the role of a root in the platform's segment.
pub(crate) fn role_in_platform_segment(header: Option<&TraceHeader>, is_platform_root: bool) -> Role {
    let Some(header) = header else { return Role::Undecided { has_trace: false } };
    match (header.sampled(), header.parent()) {
        (SamplingDecision::Sampled, Some(_)) if is_platform_root => Role::PlatformRoot,
        (SamplingDecision::Sampled, Some(_)) => Role::Independent,
        (SamplingDecision::NotSampled, _) => Role::NotSampledByLambda,
        // Lambda does not trace this function, but other services in the trace may.
        _ => Role::Undecided { has_trace: true },
    }
}

impl SpanRecord {
    /// Makes a root a part of the segment that the platform sends.
    pub(crate) fn join_platform_segment(&mut self, header: Option<&TraceHeader>, role: Role) {
        self.parent_id = header.and_then(TraceHeader::parent);
        self.context.extras = header.and_then(TraceHeader::shared_extras);
        self.context.role = role;
        if let Some(header) = header {
            self.context.trace_id = header.root();
        }
    }

    /// Makes an empty record that of a root that is left out.
    pub(crate) fn begin_left_out(&mut self, id: u64) {
        (self.parent, self.parent_id, self.segment_id) = (None, None, 0.into());
        self.context.trace_id = TraceId::ZERO;
        self.context.role = Role::LeftOut(Decision::Open);
        self.context.root = id;
    }

    /// Sets the header and the decision by which a root is placed that takes the place of one that is left out, unless it
    /// has its own.
    #[cold]
    pub(crate) fn take_place(&self, field: &mut Option<HeaderField>, forced: &mut Option<bool>) {
        let Role::LeftOut(decision) = self.context.role else { return };
        if field.is_none() {
            *field = self
                .left_out_header(decision)
                .map(|header| HeaderField { header: Some(header), platform_root: false });
        }
        *forced = forced.or(decision.forced());
    }

    /// Sets the caller's header of a root that is left out. The program's decision stays.
    pub(crate) fn continue_left_out(&mut self, header: &TraceHeader) {
        self.context.trace_id = header.root();
        self.parent_id = header.parent();
        self.context.extras = header.shared_extras();
        if let Role::LeftOut(decision) = &mut self.context.role
            && decision.forced().is_none()
        {
            *decision = match header.sampled() {
                SamplingDecision::Sampled => Decision::Caller(true),
                SamplingDecision::NotSampled => Decision::Caller(false),
                SamplingDecision::Requested | SamplingDecision::Unknown => Decision::Open,
            };
        }
    }

    /// Returns the caller's header of a root that is left out, if it has one.
    pub(crate) fn left_out_header(&self, decision: Decision) -> Option<TraceHeader> {
        if self.context.trace_id == TraceId::ZERO {
            return None;
        }
        let header = TraceHeader::new(self.context.trace_id).with_extras(self.context.extras.clone());
        let header = match self.parent_id {
            Some(parent) => header.with_parent(parent),
            None => header,
        };
        Some(match decision {
            Decision::Caller(sampled) | Decision::Program(sampled) => {
                header.with_sampled(SamplingDecision::from(sampled))
            }
            Decision::Open => header,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Role = Role::Undecided { has_trace: false };
    const TRACE_ONLY: Role = Role::Undecided { has_trace: true };

    fn header(rest: &str) -> TraceHeader {
        format!("Root=1-5759e988-bd862e3fe1be46a994272793{rest}").parse().unwrap()
    }

    #[test]
    fn the_user_overrides_the_header_and_the_header_the_sampler() {
        let cases = [
            (None, None, None),
            (None, Some(true), Some(true)),
            (Some(";Sampled=1"), None, Some(true)),
            (Some(";Sampled=0"), None, Some(false)),
            (Some(";Sampled=0"), Some(true), Some(true)),
            (Some(";Sampled=1"), Some(false), Some(false)),
            (Some(";Sampled=?"), None, None),
            (Some(""), None, None),
        ];
        for (rest, forced, sampled) in cases {
            let header = rest.map(header);
            let placement = Placement::of(header.as_ref(), forced, false, false, false);
            assert_eq!(placement, Placement::Segment { sampled }, "{rest:?}, {forced:?}");
        }
        assert_eq!(Placement::of(None, None, false, false, true), Placement::Orphan);
    }

    #[test]
    fn in_lambda_the_platform_decides_and_the_user_may_only_leave_out() {
        let cases = [
            (None, None, false, NOTHING),
            (None, Some(true), false, NOTHING),
            (Some(""), None, false, TRACE_ONLY),
            (Some(";Sampled=1"), None, false, TRACE_ONLY),
            (Some(";Parent=53995c3f42cd8ad8;Sampled=1"), None, false, Role::Independent),
            (Some(";Parent=53995c3f42cd8ad8;Sampled=1"), None, true, Role::PlatformRoot),
            (Some(";Parent=53995c3f42cd8ad8;Sampled=1"), Some(false), false, Role::Unsampled),
            (Some(";Parent=53995c3f42cd8ad8;Sampled=0"), Some(true), false, Role::NotSampledByLambda),
        ];
        for (rest, forced, is_platform_root, role) in cases {
            let header = rest.map(header);
            let placement = Placement::of(header.as_ref(), forced, true, is_platform_root, false);
            assert_eq!(placement, Placement::InPlatformSegment(role), "{rest:?}, {forced:?}");
        }
    }
}
