//! Tokens that the grammar accepts at a position: errors report them, the completion offers them.

use super::super::ast::Subject;
use super::super::keyword::Operator;
use super::super::keyword::{Kind, Scope};

/// Something the grammar accepts at a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Expected {
    /// A keyword of a scope, `!` or `(`.
    Condition(Scope),
    /// `AND` or `OR`.
    Combination,
    Symbol(&'static str),
    /// One of the operators that this subject takes.
    OperatorOf(Subject),
    /// A value to compare this subject with.
    ValueOf(Subject, Operator),
    AnnotationKey,
    /// A node's name, or `id(`.
    Node,
    NodeName,
    NodeType,
    NodeAccount,
    /// `name:`, `type:` or `account.id:`.
    IdPart,
    RootCauses,
    End,
}

impl Expected {
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Condition(_) => "a condition".to_owned(),
            Self::Combination => "AND or OR".to_owned(),
            Self::Symbol(symbol) => format!("\"{symbol}\""),
            Self::OperatorOf(_) => "an operator".to_owned(),
            Self::ValueOf(subject, operator) => match (subject.kind(), operator) {
                (Kind::Flag, _) => "true or false".to_owned(),
                (Kind::Number, _) => "a number".to_owned(),
                (Kind::Annotation, Operator::Equal | Operator::NotEqual) => {
                    "a string in double quotes, a number, true or false".to_owned()
                }
                (
                    Kind::Annotation,
                    Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual,
                ) => "a number".to_owned(),
                _ => "a string in double quotes".to_owned(),
            },
            Self::AnnotationKey => "an annotation key".to_owned(),
            Self::Node => "a name in double quotes or id(...)".to_owned(),
            Self::NodeName | Self::NodeType | Self::NodeAccount => "a string in double quotes".to_owned(),
            Self::IdPart => "name, type or account.id".to_owned(),
            Self::RootCauses => "#[{...}]".to_owned(),
            Self::End => "the end".to_owned(),
        }
    }
}
