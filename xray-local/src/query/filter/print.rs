//! Expressions written back, in one canonical form.
//!
//! `parse(&expr.to_string())` gives an equal tree. The console's buttons and the terminal's commands build expressions
//! as trees and show what is printed here, so that users learn the language from it.

use std::fmt::{self, Display, Formatter, Write as _};

use super::ast::{Expr, NodeSelector, Predicate, Subject, Value};
use super::keyword::CauseLevel;
use crate::model::CauseKind;

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(operands) => {
                join(f, operands, " AND ", |operand| matches!(operand, Self::Or(_) | Self::And(_)))
            }
            Self::Or(operands) => join(f, operands, " OR ", |operand| matches!(operand, Self::Or(_))),
            Self::Not(operand) => match &**operand {
                Self::And(_) | Self::Or(_) => write!(f, "!({operand})"),
                Self::Not(_) | Self::Test(_) => write!(f, "!{operand}"),
            },
            Self::Test(predicate) => predicate.fmt(f),
        }
    }
}

fn join(
    f: &mut Formatter<'_>,
    operands: &[Expr],
    word: &str,
    in_parentheses: fn(&Expr) -> bool,
) -> fmt::Result {
    for (index, operand) in operands.iter().enumerate() {
        if index > 0 {
            f.write_str(word)?;
        }
        if in_parentheses(operand) {
            write!(f, "({operand})")?;
        } else {
            operand.fmt(f)?;
        }
    }
    Ok(())
}

impl Display for Predicate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(subject) => subject.fmt(f),
            Self::Compare(subject, operator, value) => write!(f, "{subject} {} {value}", operator.as_str()),
            Self::Service(node, inner) => {
                f.write_str("service(")?;
                if !node.is_any() {
                    node.fmt(f)?;
                }
                f.write_str(")")?;
                braces(f, inner.as_deref())
            }
            Self::Edge(from, to, inner) => {
                write!(f, "edge({from}, {to})")?;
                braces(f, inner.as_deref())
            }
            Self::RootCause(kind, level, inner) => {
                write!(f, "rootcause.{}.{}", cause_word(*kind), level.as_str())?;
                braces(f, Some(inner))
            }
            Self::RootCauseJson(patterns) => {
                f.write_str("rootcause.json = #[")?;
                for (index, pattern) in patterns.iter().enumerate() {
                    if index > 0 {
                        f.write_str(",")?;
                    }
                    write!(f, "{}", pattern.to_json())?;
                }
                f.write_str("]")
            }
        }
    }
}

fn braces(f: &mut Formatter<'_>, inner: Option<&Expr>) -> fmt::Result {
    match inner {
        Some(inner) => write!(f, " {{ {inner} }}"),
        None => Ok(()),
    }
}

impl Display for Subject {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(field) => f.write_str(field.keyword().name),
            Self::Annotation(key) if is_plain_key(key) => write!(f, "annotation.{key}"),
            Self::Annotation(key) if key.contains([']', '"', '\\']) || key.trim() != key => {
                f.write_str("annotation[")?;
                quoted(f, key)?;
                f.write_str("]")
            }
            Self::Annotation(key) => write!(f, "annotation[{key}]"),
        }
    }
}

/// Reports whether a key can stand behind `annotation.`, without brackets.
pub(super) fn is_plain_key(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_')
}

impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(flag) => flag.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::String(string) => quoted(f, string),
        }
    }
}

impl Display for NodeSelector {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let (Some(name), None, None) = (&self.name, &self.kind, &self.account) {
            return quoted(f, name);
        }
        if self.is_any() {
            return f.write_str("\"\"");
        }
        let parts = [("name", &self.name), ("type", &self.kind), ("account.id", &self.account)];
        let mut separator = "id(";
        for (key, value) in parts {
            if let Some(value) = value {
                write!(f, "{separator}{key}: ")?;
                quoted(f, value)?;
                separator = ", ";
            }
        }
        f.write_str(")")
    }
}

fn quoted(f: &mut Formatter<'_>, string: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in string.chars() {
        if matches!(c, '"' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(c)?;
    }
    f.write_char('"')
}

/// The kind as it is written in an expression.
fn cause_word(kind: CauseKind) -> &'static str {
    match kind {
        CauseKind::Fault => "fault",
        CauseKind::Error => "error",
        CauseKind::ResponseTime => "responsetime",
    }
}

impl CauseLevel {
    /// The level as it is written in an expression.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Entity => "entity",
            Self::Exception => "exception",
        }
    }
}
