//! The table of keywords: the one place where the language is defined. Its rows stand in `table`.
//!
//! [`KEYWORDS`] drives the parser, its hints, the completion, the SQL compiler and the reference page. A keyword is
//! accepted in a scope if its row has a [`Place`] for that scope, and nowhere else.

use super::ast::{CauseLevel, Operator, Subject};
use super::table::Column;
pub use super::table::{Field, KEYWORDS};
use crate::model::CauseKind;

/// A row of the table.
#[derive(Debug)]
pub struct Keyword {
    /// The canonical spelling. Keywords are matched without regard to case.
    pub name: &'static str,
    /// The handle that expressions hold.
    pub field: Field,
    /// The type of the value, which decides the operators.
    pub kind: Kind,
    /// An example of its use.
    pub form: &'static str,
    /// Where the keyword is accepted, and what it reads there.
    pub places: &'static [Place],
    /// One line for a list of suggestions.
    pub hint: &'static str,
    /// The meaning in full, for the reference page.
    pub doc: &'static str,
}

/// The type of a keyword's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// `true` or `false`. The keyword alone means `true`.
    Flag,
    /// A number. The keyword alone means that the value is set.
    Number,
    /// A string. The keyword alone means that the value is set.
    Text,
    /// A string that is only compared as a whole.
    Exact,
    /// Any value under a key: `annotation.KEY` or `annotation[KEY]`.
    Annotation,
    /// `service(NODE) { EXPR }`.
    Service,
    /// `edge(FROM, TO) { EXPR }`.
    Edge,
    /// `rootcause.KIND.LEVEL { EXPR }`.
    Cause(CauseKind, CauseLevel),
    /// `rootcause.json = #[...]`.
    CauseJson,
}

impl Kind {
    /// The operators that the kind takes.
    #[must_use]
    pub fn operators(self) -> &'static [Operator] {
        use Operator::{
            BeginsWith, Contains, EndsWith, Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual,
        };
        match self {
            Self::Flag | Self::Exact => &[Equal, NotEqual],
            Self::Number => &[Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual],
            Self::Text => &[Equal, NotEqual, Contains, BeginsWith, EndsWith],
            Self::Annotation => {
                &[Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual, Contains, BeginsWith, EndsWith]
            }
            Self::CauseJson => &[Equal],
            Self::Service | Self::Edge | Self::Cause(..) => &[],
        }
    }

    /// The type's name in errors and on the reference page.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Flag => "boolean",
            Self::Number => "number",
            Self::Text | Self::Exact => "string",
            Self::Annotation => "boolean, number or string",
            Self::Service | Self::Edge | Self::Cause(..) => "expression in braces",
            Self::CauseJson => "JSON",
        }
    }
}

/// Where an expression, or a part of it in braces, is evaluated.
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

/// A scope that accepts a keyword.
#[derive(Debug)]
pub struct Place {
    /// The scopes meant.
    pub within: Within,
    /// Whether X-Ray's guide documents the keyword here. Otherwise the meaning is chosen, not known.
    pub documented: bool,
    /// What the SQL compiler reads.
    pub(super) column: Column,
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

impl Field {
    /// The row of the table.
    #[must_use]
    pub fn keyword(self) -> &'static Keyword {
        // A test holds the order of the table against the order of the variants.
        &KEYWORDS[self as usize]
    }
}

impl Keyword {
    /// Finds a keyword by its spelling, in any case.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        KEYWORDS.iter().find(|keyword| keyword.name.eq_ignore_ascii_case(name))
    }

    /// The place that covers a scope, if the keyword is accepted there.
    #[must_use]
    pub fn place(&self, scope: Scope) -> Option<&'static Place> {
        self.places.iter().find(|place| place.within.covers(scope))
    }

    /// Keywords that are accepted in a scope, in the order of the table.
    pub fn within(scope: Scope) -> impl Iterator<Item = &'static Self> {
        KEYWORDS.iter().filter(move |keyword| keyword.place(scope).is_some())
    }
}

impl Subject {
    /// The type of the subject's value.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Field(field) => field.keyword().kind,
            Self::Annotation(_) => Kind::Annotation,
        }
    }
}
