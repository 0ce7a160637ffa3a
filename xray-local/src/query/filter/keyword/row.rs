//! A row of the table of keywords.
//!
//! A keyword is accepted in a scope if its row has a [`Place`] for that scope, and nowhere else.

use super::column::Column;
use super::field::Field;
use super::operator::Operator;
use super::scope::{CauseLevel, Within};
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
    /// Scopes that accept the keyword, and what it reads there.
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

/// A scope that accepts a keyword.
#[derive(Debug)]
pub struct Place {
    /// The scopes meant.
    pub within: Within,
    /// True if X-Ray's guide documents the keyword here. Otherwise the meaning is chosen, not known.
    pub documented: bool,
    /// Column that the SQL compiler reads.
    pub(in super::super) column: Column,
}

impl Place {
    /// X-Ray's guide documents the keyword here.
    pub(super) const fn documented(within: Within, column: Column) -> Self {
        Self { within, documented: true, column }
    }

    /// The keyword's meaning here is chosen, not known.
    pub(super) const fn chosen(within: Within, column: Column) -> Self {
        Self { within, documented: false, column }
    }
}
