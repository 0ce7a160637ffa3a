//! A whole filter expression as a caller holds one.

use std::fmt;
use std::str::FromStr;

use super::ast::Expr;
use super::error::FilterError;
use super::parser::Parser;

/// A parsed filter expression. The default is no filter, which matches every trace.
///
/// ```
/// use xray_local::query::filter::Filter;
///
/// let filter: Filter = "ok !partial duration <3".parse()?;
/// assert_eq!(filter.to_string(), "ok AND !partial AND duration < 3");
/// assert!("unknown = 1".parse::<Filter>().is_err());
/// # Ok::<(), xray_local::query::filter::FilterError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    expr: Option<Expr>,
    warnings: Vec<String>,
}

impl Filter {
    /// Parses an expression. Blanks alone are no filter.
    ///
    /// # Errors
    ///
    /// Reports the first part that is not understood, with its position, what is accepted there, and a hint.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let mut parser = Parser::new(text);
        let expr = parser.expression()?;
        Ok(Self { expr: Some(expr), warnings: parser.warnings })
    }

    /// The tree, unless there is no filter.
    #[must_use]
    pub fn expr(&self) -> Option<&Expr> {
        self.expr.as_ref()
    }

    /// Returns what was accepted though X-Ray may refuse it, such as a string without quotation marks.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Narrows this filter by an expression.
    #[must_use]
    pub fn and(self, other: Expr) -> Self {
        let expr = match self.expr {
            Some(expr) => expr.and(other),
            None => other,
        };
        Self { expr: Some(expr), warnings: self.warnings }
    }
}

impl From<Expr> for Filter {
    fn from(expr: Expr) -> Self {
        Self { expr: Some(expr), warnings: Vec::new() }
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        Self::parse(text)
    }
}

/// Writes the canonical form. No filter is the empty string.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expr.as_ref().map_or(Ok(()), |expr| expr.fmt(f))
    }
}
