//! Scopes of expressions: a trace, a segment, a call, an element of a root cause.

use crate::model::CauseKind;

/// The element of a root cause that an expression is tested on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is its own name")]
pub enum CauseLevel {
    Service,
    Entity,
    Exception,
}

/// Scope of an expression, or of a part of it in braces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// A whole trace.
    Trace,
    /// One segment, inside `service() { }`.
    Service,
    /// One call, inside `edge() { }`.
    Edge,
    /// An element of a root cause, inside `rootcause.KIND.LEVEL { }`.
    Cause(CauseKind, CauseLevel),
}

impl Scope {
    /// The scope as errors and the reference name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "the top level",
            Self::Service => "service() { }",
            Self::Edge => "edge() { }",
            Self::Cause(CauseKind::ResponseTime, CauseLevel::Service) => "rootcause.responsetime.service { }",
            Self::Cause(CauseKind::ResponseTime, CauseLevel::Entity) => "rootcause.responsetime.entity { }",
            Self::Cause(_, CauseLevel::Service) => "rootcause.*.service { }",
            Self::Cause(_, CauseLevel::Entity) => "rootcause.*.entity { }",
            Self::Cause(_, CauseLevel::Exception) => "rootcause.*.exception { }",
        }
    }
}

/// A set of scopes in a row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is its own name")]
pub enum Within {
    Trace,
    Service,
    Edge,
    CauseServices,
    CauseEntities,
    CauseExceptions,
    ResponseTimeServices,
    ResponseTimeEntities,
}

impl Within {
    /// Every set, in the order of the reference.
    pub const ALL: [Self; 8] = [
        Self::Trace,
        Self::Service,
        Self::Edge,
        Self::CauseServices,
        Self::CauseEntities,
        Self::CauseExceptions,
        Self::ResponseTimeServices,
        Self::ResponseTimeEntities,
    ];

    /// Reports whether the set holds a scope.
    #[must_use]
    pub fn covers(self, scope: Scope) -> bool {
        match self {
            Self::Trace => scope == Scope::Trace,
            Self::Service => scope == Scope::Service,
            Self::Edge => scope == Scope::Edge,
            Self::CauseServices => matches!(scope, Scope::Cause(_, CauseLevel::Service)),
            Self::CauseEntities => matches!(scope, Scope::Cause(_, CauseLevel::Entity)),
            Self::CauseExceptions => matches!(scope, Scope::Cause(_, CauseLevel::Exception)),
            Self::ResponseTimeServices => scope == Scope::Cause(CauseKind::ResponseTime, CauseLevel::Service),
            Self::ResponseTimeEntities => scope == Scope::Cause(CauseKind::ResponseTime, CauseLevel::Entity),
        }
    }

    /// A scope of the set.
    #[must_use]
    pub fn example(self) -> Scope {
        match self {
            Self::Trace => Scope::Trace,
            Self::Service => Scope::Service,
            Self::Edge => Scope::Edge,
            Self::CauseServices => Scope::Cause(CauseKind::Fault, CauseLevel::Service),
            Self::CauseEntities => Scope::Cause(CauseKind::Fault, CauseLevel::Entity),
            Self::CauseExceptions => Scope::Cause(CauseKind::Fault, CauseLevel::Exception),
            Self::ResponseTimeServices => Scope::Cause(CauseKind::ResponseTime, CauseLevel::Service),
            Self::ResponseTimeEntities => Scope::Cause(CauseKind::ResponseTime, CauseLevel::Entity),
        }
    }
}
