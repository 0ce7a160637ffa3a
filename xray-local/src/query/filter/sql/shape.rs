//! Conditions over shapes: what is the same for many traces is tested once for all of them.
//!
//! An expression is shaped if each of its tests reads only what shapes hold: flags, status, method, nodes, edges, and
//! whether a value is set. Its condition is the one over rows, on tables whose columns have the same names.

use super::super::ast::{Expr, Predicate, Subject};
use super::super::keyword::{Column, Field, Scope};
use super::condition::{self, CLIENT};
use super::fragment::{Fragment, exists};

/// Reports whether shapes decide an expression.
pub(in crate::query) fn is_shaped(expr: &Expr, scope: Scope) -> bool {
    match expr {
        Expr::And(operands) | Expr::Or(operands) => operands.iter().all(|operand| is_shaped(operand, scope)),
        Expr::Not(operand) => is_shaped(operand, scope),
        Expr::Test(predicate) => is_shaped_test(predicate, scope),
    }
}

fn is_shaped_test(predicate: &Predicate, scope: Scope) -> bool {
    let within =
        |inner: &Option<Box<Expr>>, scope| inner.as_ref().is_none_or(|inner| is_shaped(inner, scope));
    match predicate {
        Predicate::Set(_) if scope == Scope::Trace && is_set(predicate).is_some() => true,
        Predicate::Set(subject) | Predicate::Compare(subject, ..) => is_in_shape(subject, scope),
        // A client is found by the segments that it called, and shapes don't hold who called which.
        Predicate::Service(node, inner) => {
            node.kind.as_deref() != Some(CLIENT) && within(inner, Scope::Service)
        }
        Predicate::Edge(_, _, inner) => within(inner, Scope::Edge),
        Predicate::RootCause(..) | Predicate::RootCauseJson(_) => false,
    }
}

fn is_in_shape(subject: &Subject, scope: Scope) -> bool {
    match condition::column(subject, scope) {
        Column::Shape(_) => true,
        Column::Interned { table, .. } => table == "nodes",
        _ => false,
    }
}

/// Selects the numbers of the shapes for which a shaped expression holds.
pub(in crate::query) fn shapes(expr: &Expr) -> Fragment {
    let mut query = Fragment::new("SELECT t.id FROM shapes t WHERE ");
    std::mem::take(query.append(condition::polar(expr, true, &test)))
}

/// A test on a row `t` of `shapes`.
fn test(predicate: &Predicate) -> Fragment {
    let (table, join) = match predicate {
        Predicate::Service(..) => ("shape_segments s", "s.shape = t.id"),
        Predicate::Edge(..) => ("shape_calls e", "e.shape = t.id"),
        _ => return is_set(predicate).unwrap_or_else(|| condition::test(predicate, Scope::Trace)),
    };
    condition::rows(predicate, Scope::Trace)
        .map_or_else(|| Fragment::new("0"), |rows| exists(table, join, rows.only))
}

/// The condition that any segment has a value.
fn is_set(predicate: &Predicate) -> Option<Fragment> {
    match predicate {
        Predicate::Set(Subject::Field(Field::User)) => Some(Fragment::new("t.user")),
        Predicate::Set(Subject::Field(Field::AvailabilityZone)) => Some(Fragment::new("t.zone")),
        Predicate::Set(Subject::Field(Field::InstanceId)) => Some(Fragment::new("t.instance")),
        Predicate::Set(Subject::Field(Field::ResourceArn)) => Some(Fragment::new("t.resource")),
        Predicate::Set(Subject::Annotation(key)) => {
            let mut only = Fragment::new("k.key = (SELECT id FROM annotation_keys WHERE key = ");
            only.bind(key.clone()).push(")");
            Some(exists("shape_keys k", "k.shape = t.id", only))
        }
        _ => None,
    }
}

/// The shaped expression that follows from a test on a segment or a call, if it says more than the node or the edge.
pub(in crate::query) fn implied(predicate: &Predicate) -> Option<Expr> {
    let shaped = |inner: &Expr, scope| {
        let operands = inner.conjuncts().iter().filter(|operand| is_shaped(operand, scope)).cloned();
        operands.reduce(Expr::and).map(Box::new)
    };
    let implied = match predicate {
        Predicate::Service(node, Some(inner)) => {
            Predicate::Service(node.clone(), Some(shaped(inner, Scope::Service)?))
        }
        Predicate::Edge(from, to, Some(inner)) => {
            Predicate::Edge(from.clone(), to.clone(), Some(shaped(inner, Scope::Edge)?))
        }
        _ => return None,
    };
    Some(implied).filter(|implied| is_shaped_test(implied, Scope::Trace)).map(Expr::Test)
}
