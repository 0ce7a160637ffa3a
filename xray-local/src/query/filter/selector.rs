//! Entity selectors: the part of the language that time series take.
//!
//! One grammar and two checks: a selector is a single `id()`, `service()` or `edge()`, and has no annotation.

use std::fmt;

use super::ast::{Expr, NodeSelector, Predicate, Subject};
use super::error::FilterError;
use super::parser::Parser;

/// The longest selector, in characters. X-Ray's API model gives this bound.
const SELECTOR_CHARACTERS: usize = 500;

/// The node or the edge whose statistics a time series has.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Selector {
    /// Segments of a node, those that satisfy the expression.
    Service(NodeSelector, Option<Expr>),
    /// Calls over an edge, those that satisfy the expression.
    Edge(NodeSelector, NodeSelector, Option<Expr>),
}

impl Selector {
    /// Parses a selector of 1 to 500 characters.
    ///
    /// # Errors
    ///
    /// Reports the first part that is not understood, and everything that filter expressions have beyond selectors.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let length = text.chars().count();
        let error = |problem: String| FilterError::new(text, 0, text.len(), problem);
        if !(1..=SELECTOR_CHARACTERS).contains(&length) {
            return Err(error(format!(
                "the selector has {length} characters; 1 to {SELECTOR_CHARACTERS} are accepted"
            )));
        }
        let mut parser = Parser::new(text);
        if text.trim_start().get(..2).is_some_and(|start| start.eq_ignore_ascii_case("id"))
            && text.trim_start()[2..].trim_start().starts_with('(')
        {
            let node = parser.node()?;
            return parser.end().map(|()| Self::Service(node, None));
        }
        let selector = match parser.expression()? {
            Expr::Test(Predicate::Service(node, inner)) => Self::Service(node, inner.map(|inner| *inner)),
            Expr::Test(Predicate::Edge(from, to, inner)) => Self::Edge(from, to, inner.map(|inner| *inner)),
            other if has_annotation(&other) => {
                return Err(error("a selector has no annotation".to_owned()).with_hint(FORMS));
            }
            _ => {
                return Err(
                    error("a selector is a single id(), service() or edge()".to_owned()).with_hint(FORMS)
                );
            }
        };
        let (Self::Service(_, inner) | Self::Edge(_, _, inner)) = &selector;
        if inner.as_ref().is_some_and(has_annotation) {
            return Err(error("a selector has no annotation".to_owned()).with_hint(FORMS));
        }
        Ok(selector)
    }

    /// Reports whether the selector identifies one node, as forecasts need.
    #[must_use]
    pub fn is_id(&self) -> bool {
        matches!(self, Self::Service(NodeSelector { name: Some(_), .. }, _))
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = |inner: &Option<Expr>| inner.clone().map(Box::new);
        match self {
            Self::Service(node, expr) => Predicate::Service(node.clone(), inner(expr)).fmt(f),
            Self::Edge(from, to, expr) => Predicate::Edge(from.clone(), to.clone(), inner(expr)).fmt(f),
        }
    }
}

fn has_annotation(expr: &Expr) -> bool {
    match expr {
        Expr::And(operands) | Expr::Or(operands) => operands.iter().any(has_annotation),
        Expr::Not(operand) => has_annotation(operand),
        Expr::Test(Predicate::Set(subject) | Predicate::Compare(subject, ..)) => {
            matches!(subject, Subject::Annotation(_))
        }
        Expr::Test(Predicate::Service(_, inner) | Predicate::Edge(_, _, inner)) => {
            inner.as_deref().is_some_and(has_annotation)
        }
        Expr::Test(Predicate::RootCause(..) | Predicate::RootCauseJson(_)) => false,
    }
}

const FORMS: &str = "write service(id(name: \"...\", type: \"...\")) or edge(id(...), id(...))";
