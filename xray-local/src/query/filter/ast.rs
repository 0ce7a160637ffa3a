//! A filter expression as a tree.
//!
//! The parser builds it, the SQL compiler and the printer read it. Trees are canonical: [`Expr::and`] and [`Expr::or`]
//! flatten their operands, so that a printed tree parses to an equal tree. No column and no spelling of a keyword
//! belongs here.

use super::keyword::{CauseLevel, Field, Kind, Operator};
use super::root_cause::CausePattern;
use crate::model::CauseKind;

/// A condition over one trace, or over one element of it inside braces.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Expr {
    /// Every operand holds. Two operands or more.
    And(Vec<Self>),
    /// At least one operand holds. Two operands or more.
    Or(Vec<Self>),
    /// The operand does not hold.
    Not(Box<Self>),
    /// A single test.
    Test(Predicate),
}

/// A test without `AND`, `OR` or `!` at its top.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Predicate {
    /// A keyword alone: a flag that is true, or a value that is set.
    Set(Subject),
    /// A keyword, an operator and a value.
    Compare(Subject, Operator, Value),
    /// `service(NODE) { EXPR }`: one segment of the node satisfies the whole expression.
    Service(NodeSelector, Option<Box<Expr>>),
    /// `edge(FROM, TO) { EXPR }`: one call over the connection satisfies the whole expression.
    Edge(NodeSelector, NodeSelector, Option<Box<Expr>>),
    /// `rootcause.KIND.LEVEL { EXPR }`: one element of a root cause satisfies the whole expression.
    RootCause(CauseKind, CauseLevel, Box<Expr>),
    /// `rootcause.json = #[...]`: each pattern matches a root cause of the trace.
    RootCauseJson(Vec<CausePattern>),
}

/// Subject of a comparison.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Subject {
    /// A keyword with a fixed name.
    Field(Field),
    /// The annotation with this key.
    Annotation(String),
}

/// The value on the right of an operator.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// A finite number.
    Number(f64),
    /// A string, without quotation marks and escapes.
    String(String),
}

/// The nodes of the service map that `service(...)` and `edge(...)` mean. An absent part matches every node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct NodeSelector {
    /// The node's name, compared exactly.
    pub name: Option<String>,
    /// The node's type, such as `AWS::Lambda::Function`. An empty string means a node without a type.
    pub kind: Option<String>,
    /// The account that the node runs in.
    pub account: Option<String>,
}

impl NodeSelector {
    /// Selects every node of this name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { name: Some(name.to_owned()), ..Self::default() }
    }

    /// Reports whether every node is meant.
    #[must_use]
    pub fn is_any(&self) -> bool {
        *self == Self::default()
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

impl Expr {
    /// Joins two expressions so that both must hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let mut operands = match self {
            Self::And(operands) => operands,
            single => vec![single],
        };
        match other {
            Self::And(more) => operands.extend(more),
            single => operands.push(single),
        }
        Self::And(operands)
    }

    /// Joins two expressions so that one must hold.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let mut operands = match self {
            Self::Or(operands) => operands,
            single => vec![single],
        };
        match other {
            Self::Or(more) => operands.extend(more),
            single => operands.push(single),
        }
        Self::Or(operands)
    }

    /// Inverts an expression.
    #[must_use]
    pub fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }

    /// The operands of the outermost `AND`, or the expression alone.
    #[must_use]
    pub fn conjuncts(&self) -> &[Self] {
        match self {
            Self::And(operands) => operands,
            single => std::slice::from_ref(single),
        }
    }
}
