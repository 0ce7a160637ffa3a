//! Expressions as conditions over the store's tables.
//!
//! [`condition`] is checked on a row `t` of `traces`. `!` is moved down to single tests, so that conditions that hold
//! stay in a form that indexes serve; a test that is NULL counts as false, inverted or not.

use super::super::ast::{Expr, NodeSelector, Predicate, Subject, Value};
use super::super::keyword::Column;
use super::super::keyword::{CauseLevel, Operator};
use super::super::keyword::{Kind, Scope};
use super::compare;
use super::fragment::{Fragment, exists};
use super::pattern;

/// The condition of an expression over a row of its scope: `t`, `s`, `e` or `c`.
pub(in crate::query) fn condition(expr: &Expr, scope: Scope) -> Fragment {
    polar(expr, true, &|predicate| test(predicate, scope))
}

/// The condition of an expression, or of its opposite, whose tests `test` writes.
pub(super) fn polar(expr: &Expr, holds: bool, test: &dyn Fn(&Predicate) -> Fragment) -> Fragment {
    let each = |operands: &[Expr], word| {
        Fragment::join(operands.iter().map(|operand| polar(operand, holds, test)), word, "1")
    };
    match expr {
        Expr::And(operands) => each(operands, if holds { " AND " } else { " OR " }),
        Expr::Or(operands) => each(operands, if holds { " OR " } else { " AND " }),
        Expr::Not(operand) => polar(operand, !holds, test),
        Expr::Test(predicate) if holds => test(predicate),
        Expr::Test(predicate) => test(predicate).inverted(),
    }
}

pub(super) fn test(predicate: &Predicate, scope: Scope) -> Fragment {
    match predicate {
        Predicate::RootCauseJson(patterns) => Fragment::join(
            patterns
                .iter()
                .map(|pattern| exists("trace_causes tc", "tc.trace = t.key", pattern::condition(pattern))),
            " AND ",
            "0",
        ),
        Predicate::Set(_) | Predicate::Compare(..) => match rows(predicate, scope) {
            Some(Rows { from, join, only }) => exists(&from, join, only),
            None => scalar(predicate, scope),
        },
        Predicate::Service(..) | Predicate::Edge(..) | Predicate::RootCause(..) => {
            match rows(predicate, scope) {
                Some(Rows { from, join, only }) => exists(&from, join, only),
                // Each of the three has rows.
                None => Fragment::new("0"),
            }
        }
    }
}

/// Rows of another table, one of which has to satisfy `only`. `join` ties them to the scope's row.
pub(in crate::query) struct Rows {
    pub(in crate::query) from: String,
    pub(in crate::query) join: &'static str,
    pub(in crate::query) only: Fragment,
}

/// The rows that a test looks at, unless it looks at a column of the scope's own row.
pub(in crate::query) fn rows(predicate: &Predicate, scope: Scope) -> Option<Rows> {
    let braces = |inner: &Option<Box<Expr>>, scope| {
        inner.as_ref().map_or_else(|| Fragment::new("1"), |inner| condition(inner, scope))
    };
    match predicate {
        Predicate::Service(node, inner) => {
            let mut only = Fragment::default();
            let is_client = node.kind.as_deref() == Some(CLIENT);
            if is_client {
                // A client has no segment: those that it called stand for it.
                only.push("e.trace = s.trace AND e.callee = s.segment AND s.node = (SELECT target FROM edges g WHERE g.id = e.edge) AND ");
                only.append(over(node, &NodeSelector::default())).push(" AND ");
            } else if !node.is_any() {
                only.push("s.node IN (").append(node_ids(node)).push(") AND ");
            }
            only.append(braces(inner, Scope::Service));
            let from = if is_client { "segments s, calls e" } else { "segments s" };
            let join = if node.is_any() { OF_TRACE[0] } else { "s.trace = t.key" };
            Some(Rows { from: from.to_owned(), join, only })
        }
        Predicate::Edge(from, to, inner) => {
            let mut only = Fragment::default();
            if !(from.is_any() && to.is_any()) {
                only.append(over(from, to)).push(" AND ");
            }
            only.append(braces(inner, Scope::Edge));
            let join = if from.is_any() && to.is_any() { OF_TRACE[1] } else { "e.trace = t.key" };
            Some(Rows { from: "calls e".to_owned(), join, only })
        }
        Predicate::RootCause(kind, level, inner) => {
            let table = match level {
                CauseLevel::Service => "cause_services",
                CauseLevel::Entity => "cause_entities",
                CauseLevel::Exception => "cause_exceptions",
            };
            let mut only = Fragment::new("p.id = tc.path AND c.path = p.id AND p.kind = ");
            only.bind(*kind as i64).push(" AND ").append(condition(inner, Scope::Cause(*kind, *level)));
            let from = format!("trace_causes tc, cause_paths p, {table} c");
            Some(Rows { from, join: "tc.trace = t.key", only })
        }
        Predicate::RootCauseJson(_) => None,
        Predicate::Set(subject) | Predicate::Compare(subject, ..) => {
            match (subject, column(subject, scope)) {
                (Subject::Annotation(key), _) => {
                    let mut only = Fragment::new("a.key = (SELECT id FROM annotation_keys WHERE key = ");
                    only.bind(key.clone()).push(") AND ").append(annotation(predicate));
                    let join = if scope == Scope::Service {
                        "a.trace = s.trace AND a.segment = s.segment"
                    } else {
                        "a.trace = t.key"
                    };
                    Some(Rows { from: "annotations a".to_owned(), join, only })
                }
                (_, Column::Rows { from, join, only, value }) => {
                    let mut fragment = Fragment::new(only);
                    fragment.append(value_test(predicate, value));
                    Some(Rows { from: from.to_owned(), join, only: fragment })
                }
                _ => None,
            }
        }
    }
}

/// Selects the numbers of the nodes that a selector means. Clients are meant only by their type, or by no part at
/// all.
pub(in crate::query) fn node_ids(node: &NodeSelector) -> Fragment {
    let mut fragment = Fragment::new("SELECT id FROM nodes WHERE 1");
    for (column, part) in [("name", &node.name), ("type", &node.kind), ("account", &node.account)] {
        if let Some(part) = part {
            fragment.push(" AND ").push(column).push(" = ").bind(part.clone());
        }
    }
    if node.kind.is_none() {
        fragment.push(" AND type != ").bind(CLIENT.to_owned());
    }
    fragment
}

/// The condition that a call `e` goes over an edge between these nodes.
fn over(from: &NodeSelector, to: &NodeSelector) -> Fragment {
    let mut fragment = Fragment::new("e.edge IN (");
    std::mem::take(fragment.append(edge_ids(from, to)).push(")"))
}

/// Selects the numbers of the edges between these nodes.
pub(in crate::query) fn edge_ids(from: &NodeSelector, to: &NodeSelector) -> Fragment {
    let mut fragment = Fragment::new("SELECT id FROM edges WHERE 1");
    for (column, node) in [("source", from), ("target", to)] {
        if !node.is_any() {
            fragment.push(" AND ").push(column).push(" IN (").append(node_ids(node)).push(")");
        }
    }
    fragment
}

pub(in crate::query) fn column(subject: &Subject, scope: Scope) -> Column {
    match subject {
        Subject::Field(field) => field.keyword().place(scope).map_or(Column::Own, |place| place.column),
        Subject::Annotation(_) => Column::Own,
    }
}

/// A test on a column of the scope's own row.
fn scalar(predicate: &Predicate, scope: Scope) -> Fragment {
    let (Predicate::Set(subject) | Predicate::Compare(subject, ..)) = predicate else {
        return Fragment::new("0");
    };
    match column(subject, scope) {
        Column::Value(column) | Column::Shape(column) => value_test(predicate, column),
        Column::Micros(column) => match predicate {
            Predicate::Compare(_, operator, Value::Number(seconds)) => {
                compare::micros(column, *operator, *seconds)
            }
            _ => std::mem::take(Fragment::new(column).push(" IS NOT NULL")),
        },
        Column::Share(position) => match predicate {
            Predicate::Compare(_, operator, Value::Number(value)) => {
                compare::share(position, *operator, *value)
            }
            _ => compare::share(position, Operator::GreaterOrEqual, 0.0),
        },
        Column::Interned { id, table, value } => {
            let mut fragment = Fragment::new(id);
            fragment
                .push(" IN (SELECT id FROM ")
                .push(table)
                .push(" WHERE ")
                .append(value_test(predicate, value));
            std::mem::take(fragment.push(")"))
        }
        Column::Lookup { id, .. } if matches!(predicate, Predicate::Set(_)) => {
            std::mem::take(Fragment::new(id).push(" IS NOT NULL"))
        }
        Column::Lookup { id, table, value } => {
            exists(&format!("{table} r"), &format!("r.id = {id}"), value_test(predicate, value))
        }
        // Rows and annotations have rows; the parser accepts nothing else here.
        Column::Rows { .. } | Column::Own => Fragment::new("0"),
    }
}

pub(in crate::query) fn value_test(predicate: &Predicate, column: &str) -> Fragment {
    let mut fragment = Fragment::new(column);
    match predicate {
        Predicate::Compare(_, operator, Value::Bool(flag)) => {
            // A flag alone is what the partial indexes are made for.
            if *flag == (*operator == Operator::Equal) { fragment } else { fragment.inverted() }
        }
        Predicate::Compare(_, operator, Value::Number(number)) => {
            compare::numbers(column, *operator, *number)
        }
        Predicate::Compare(_, operator, Value::String(string)) => compare::strings(column, *operator, string),
        Predicate::Set(subject) if subject.kind() == Kind::Flag => fragment,
        _ => std::mem::take(fragment.push(" IS NOT NULL")),
    }
}

fn annotation(predicate: &Predicate) -> Fragment {
    match predicate {
        Predicate::Compare(_, operator, value) => compare::annotation("a.kind", "a.value", *operator, value),
        _ => Fragment::new("NOT (a.kind = 0 AND a.value = 0)"),
    }
}

/// Ties segments `s`, and calls `e`, to a row `t` of `traces`.
pub(in crate::query) const OF_TRACE: [&str; 2] = [
    "s.trace = t.key AND s.node IN (SELECT h.node FROM shape_segments h WHERE h.shape = t.shape)",
    "e.trace = t.key AND e.edge IN (SELECT h.edge FROM shape_calls h WHERE h.shape = t.shape)",
];

/// The type of the nodes that stand for callers of root segments.
pub(super) const CLIENT: &str = "client";
