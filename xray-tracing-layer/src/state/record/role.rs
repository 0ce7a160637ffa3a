//! The relation of a record to its trace, and what decided about it.
//!
//! Plain values, without a record.

/// The decision of the user's closure about a closing span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fate {
    #[default]
    Kept,
    /// Left out; spans inside belong to the parent.
    LeftOut,
    /// Left out with everything inside.
    LeftOutWithChildren,
}

/// The one that decided against recording a root.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum UnsampledBy {
    #[default]
    Sampler,
    /// A caller's header. In Lambda, the platform.
    Caller,
    /// A field or a method of the span.
    Program,
    /// A rule for spans that are left out.
    Rule,
    /// The bound on traces that wait for their tail decision.
    TailFull,
}

/// The relation of a span to its trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A recorded local root: a segment.
    Segment,
    /// Part of a recorded span.
    Subsegment,
    /// A recorded local root below the segment that Lambda sends.
    Independent,
    /// The span that represents Lambda's segment. Never sent.
    PlatformRoot,
    /// Unrecorded; its trace header has `Sampled=0`.
    Unsampled,
    /// Unrecorded by Lambda's decision; its trace header is the invocation's, without an id of ours.
    NotSampledByLambda,
    /// Unrecorded, without a decision: in Lambda, a header with a trace only, or no header.
    Undecided {
        /// Set if the trace is known.
        has_trace: bool,
    },
    /// A local root that a rule leaves out: spans inside take its place. Never sent.
    LeftOut(Decision),
}

impl Role {
    pub(crate) const fn is_recorded(self) -> bool {
        matches!(self, Self::Segment | Self::Subsegment | Self::Independent)
    }
}

/// The decision about the spans that take the place of a root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The sampler decides.
    Open,
    /// A caller's header.
    Caller(bool),
    /// A field or a method of the root.
    Program(bool),
}

impl Decision {
    /// Returns the program's decision.
    pub(crate) fn forced(self) -> Option<bool> {
        match self {
            Self::Program(sampled) => Some(sampled),
            Self::Open | Self::Caller(_) => None,
        }
    }
}

/// The kind of a record, for callbacks that need not lock it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No record.
    Absent,
    /// A part of a recorded tree.
    Part,
    /// A recorded local root, the platform root, or a root that is left out.
    Root,
    /// Unrecorded, like everything inside of it.
    Unrecorded,
}
