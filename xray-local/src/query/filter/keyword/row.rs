//! What a row of the table of keywords says, and how it is found.
//!
//! A keyword is accepted in a scope if its row has a [`Place`] for that scope, and nowhere else.

use super::super::ast::{CauseLevel, Operator, Subject};
use super::column::Column;
use super::scope::{Scope, Within};
use super::table::{Field, ROWS};
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

/// A scope that accepts a keyword.
#[derive(Debug)]
pub struct Place {
    /// The scopes meant.
    pub within: Within,
    /// Whether X-Ray's guide documents the keyword here. Otherwise the meaning is chosen, not known.
    pub documented: bool,
    /// What the SQL compiler reads.
    pub(in super::super) column: Column,
}

impl Field {
    /// The row of the table.
    #[must_use]
    pub fn keyword(self) -> &'static Keyword {
        // A test holds the order of the table against the order of the variants.
        let mut position = self as usize;
        for rows in ROWS {
            match rows.get(position) {
                Some(row) => return row,
                None => position -= rows.len(),
            }
        }
        &ROWS[0][0]
    }
}

impl Keyword {
    /// Every keyword, in the order of the table.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        ROWS.iter().copied().flatten()
    }

    /// Finds a keyword by its spelling, in any case.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        Self::all().find(|keyword| keyword.name.eq_ignore_ascii_case(name))
    }

    /// The place that covers a scope, if the keyword is accepted there.
    #[must_use]
    pub fn place(&self, scope: Scope) -> Option<&'static Place> {
        self.places.iter().find(|place| place.within.covers(scope))
    }

    /// Keywords that are accepted in a scope, in the order of the table.
    pub fn within(scope: Scope) -> impl Iterator<Item = &'static Self> {
        Self::all().filter(move |keyword| keyword.place(scope).is_some())
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
