//! Plan of a search: conditions to check on a trace, and indexes that list the traces for which one holds.
//!
//! A condition is always complete; a list of keys is a shortcut that may be missing, and may name a trace twice.
//! Conditions that shapes decide are one condition together.

use super::super::filter::keyword::{Column, Field, Scope};
use super::super::filter::{Expr, Fragment, Operator, Predicate, Subject, sql};
use super::range::{RangeKind, Sample, Search};
use crate::model::{Time, TraceKey};

/// One of the conditions that must all hold.
pub(in crate::query) struct Conjunct {
    /// Checked on a row `t` of `traces`.
    pub(in crate::query) check: Fragment,
    /// Selects the keys of the traces for which the condition holds.
    pub(in crate::query) keys: Option<Keys>,
    /// The test that must not hold, where an index lists the traces for which it does in order of their keys.
    pub(in crate::query) unless: Option<Predicate>,
}

impl Conjunct {
    fn new(check: Fragment, keys: Option<Keys>) -> Self {
        Self { check, keys, unless: None }
    }
}

/// A query for keys.
#[derive(Clone)]
pub(in crate::query) struct Keys {
    pub(in crate::query) cost: Cost,
    pub(in crate::query) query: Fragment,
}

/// Cost of listing the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::query) enum Cost {
    /// An index leads to the traces.
    Seek,
    /// A whole index is read.
    Scan,
}

/// The keys that a search is about: `low` belongs to it, `high` does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::query) struct Bounds {
    pub(in crate::query) low: i64,
    pub(in crate::query) high: i64,
}

impl Bounds {
    pub(in crate::query) fn of(search: &Search) -> Self {
        let (low, high) = match search.range.kind {
            RangeKind::TraceId => {
                (TraceKey::lowest_from(search.range.start).0, TraceKey::lowest_from(search.range.end).0)
            }
            // The time in a trace's key is not the time asked for.
            RangeKind::Event | RangeKind::Service => (0, i64::MAX),
        };
        Self { low, high: search.before.map_or(high, |before| high.min(before.0)) }
    }

    /// The condition that a column of keys lies within.
    fn hold(self, column: &str) -> Fragment {
        let mut fragment = Fragment::new(column);
        fragment.push(" >= ").bind(self.low).push(" AND ").push(column).push(" < ").bind(self.high);
        fragment
    }
}

/// The conditions of a search. `longest` is the longest duration of a trace in the store, in microseconds.
pub(in crate::query) fn conjuncts(search: &Search, bounds: Bounds, longest: i64) -> Vec<Conjunct> {
    let mut conjuncts = Vec::new();
    conjuncts.extend(in_range(search, bounds, longest));
    if let Sample::FixedRate(share) = search.sample {
        conjuncts.push(Conjunct::new(sampled(share), None));
    }
    if let Some(group) = search.group {
        let mut check =
            Fragment::new("EXISTS (SELECT 1 FROM trace_groups r WHERE r.trace = t.key AND r.grp = ");
        check.bind(group).push(")");
        let mut query = Fragment::new("SELECT r.trace FROM trace_groups r WHERE r.grp = ");
        query.bind(group).push(" AND ").append(bounds.hold("r.trace"));
        conjuncts.push(Conjunct::new(check, Some(Keys { cost: Cost::Seek, query })));
    }
    if let Some(expr) = search.filter.expr() {
        conjuncts.extend(expr.conjuncts().iter().filter_map(|operand| bound(operand, bounds)));
        let rest = expr.conjuncts().iter().filter(|operand| !sql::is_shaped(operand, Scope::Trace));
        conjuncts.extend(rest.map(|operand| Conjunct {
            check: sql::condition(operand, Scope::Trace),
            // What follows for the shape lists fewer rows than the node or the edge has.
            keys: keys(operand, bounds).filter(|_| implied(operand).is_none()),
            unless: unless(operand).cloned(),
        }));
    }
    conjuncts
}

/// The part of a filter that shapes decide, and what follows from the rest for the shape.
pub(in crate::query) fn shaped(expr: &Expr) -> Option<Expr> {
    let shaped = |operand: &Expr| {
        if sql::is_shaped(operand, Scope::Trace) { Some(operand.clone()) } else { implied(operand) }
    };
    expr.conjuncts().iter().filter_map(shaped).reduce(Expr::and)
}

/// The condition on the shape that follows from a test on a segment or a call.
fn implied(expr: &Expr) -> Option<Expr> {
    match expr {
        Expr::Test(predicate) => sql::implied(predicate),
        _ => None,
    }
}

/// The condition that a trace has one of these shapes. `shapes` is a JSON list of their numbers.
pub(in crate::query) fn has_shape(shapes: &str, bounds: Bounds) -> Conjunct {
    let mut check = Fragment::new("t.shape IN (SELECT value FROM json_each(");
    check.bind(shapes.to_owned()).push("))");
    let mut query = Fragment::new("SELECT t.key FROM json_each(");
    query.bind(shapes.to_owned()).push(") j CROSS JOIN traces t ON t.shape = j.value WHERE ");
    query.append(bounds.hold("t.key"));
    Conjunct::new(check, Some(Keys { cost: Cost::Seek, query }))
}

/// Bounds a trace by a test on its segments or calls, as no part takes longer than the trace. The bound
/// is checked first, since it reads only the trace's row, and has an index of its own.
fn bound(expr: &Expr, bounds: Bounds) -> Option<Conjunct> {
    let Expr::Test(Predicate::Service(_, Some(inner)) | Predicate::Edge(_, _, Some(inner))) = expr else {
        return None;
    };
    let longer = inner.conjuncts().iter().find_map(|operand| match operand {
        Expr::Test(Predicate::Compare(
            Subject::Field(Field::ResponseTime | Field::Duration),
            operator @ (Operator::Greater | Operator::GreaterOrEqual),
            value,
        )) => Some(Predicate::Compare(Subject::Field(Field::Duration), *operator, value.clone())),
        _ => None,
    })?;
    let keys = keys_of(&longer, bounds);
    Some(Conjunct::new(sql::condition(&Expr::Test(longer), Scope::Trace), keys))
}

/// Everything that traces have to satisfy besides the expression, as one condition over `t`.
pub(in crate::query) fn surroundings(search: &Search, bounds: Bounds, longest: i64) -> Fragment {
    let without = Search { filter: super::super::filter::Filter::default(), ..search.clone() };
    let checks = conjuncts(&without, bounds, longest).into_iter().map(|conjunct| conjunct.check);
    // A range of times is narrower than one of keys, which `+` keeps SQLite from preferring.
    let column = if search.range.kind == RangeKind::TraceId { "t.key" } else { "+t.key" };
    Fragment::join(std::iter::once(bounds.hold(column)).chain(checks), " AND ", "1")
}

fn in_range(search: &Search, bounds: Bounds, longest: i64) -> Option<Conjunct> {
    if search.range.kind == RangeKind::TraceId {
        return None;
    }
    let (Time(start), Time(end)) = (search.range.start, search.range.end);
    // The first bound follows from the third, and lets an index lead to the traces.
    let mut check = Fragment::new("t.start_us >= ");
    check.bind(start.saturating_sub(longest));
    check.push(" AND t.start_us < ").bind(end).push(" AND t.end_us >= ").bind(start);
    let mut query = Fragment::new("SELECT t.key FROM traces t WHERE ");
    query.append(check.clone());
    query.push(" AND ").append(bounds.hold("+t.key"));
    if search.range.kind == RangeKind::Service {
        check
            .push(" AND EXISTS (SELECT 1 FROM segments s WHERE ")
            .push(sql::OF_TRACE[0])
            .push(" AND s.end_us >= ");
        check.bind(start).push(" AND s.end_us < ").bind(end).push(")");
    }
    Some(Conjunct::new(check, Some(Keys { cost: Cost::Seek, query })))
}

/// The low bits of a key are those of the trace id, and random.
fn sampled(share: f64) -> Fragment {
    const RANDOM: i64 = (1 << 31) - 1;
    let limit = (share.clamp(0.0, 1.0) * (RANDOM + 1) as f64).round() as i64;
    let mut fragment = Fragment::new("(t.key & ");
    fragment.bind(RANDOM).push(") < ").bind(limit);
    fragment
}

/// Lists the traces for which an expression holds, if an index can.
pub(in crate::query) fn keys(expr: &Expr, bounds: Bounds) -> Option<Keys> {
    match expr {
        Expr::And(operands) => {
            operands.iter().filter_map(|operand| keys(operand, bounds)).min_by_key(|keys| keys.cost)
        }
        Expr::Or(operands) => {
            let all: Vec<Keys> =
                operands.iter().map(|operand| keys(operand, bounds)).collect::<Option<_>>()?;
            let cost = all.iter().map(|keys| keys.cost).max()?;
            let mut query = Fragment::default();
            for (position, keys) in all.into_iter().enumerate() {
                query.push(if position > 0 { " UNION ALL " } else { "" }).append(keys.query);
            }
            Some(Keys { cost, query })
        }
        expr if sql::is_shaped(expr, Scope::Trace) => {
            let mut query = Fragment::new("SELECT t.key FROM traces t WHERE t.shape IN (");
            query.append(sql::shapes(expr)).push(") AND ").append(bounds.hold("t.key"));
            Some(Keys { cost: Cost::Seek, query })
        }
        Expr::Test(predicate) => keys_of(predicate, bounds),
        Expr::Not(inner) => keys_without(inner, bounds),
    }
}

/// Lists the traces for which a test on a column of their own row does not hold, by that column's index.
fn keys_without(expr: &Expr, bounds: Bounds) -> Option<Keys> {
    let Expr::Test(predicate @ (Predicate::Set(subject) | Predicate::Compare(subject, ..))) = expr else {
        return None;
    };
    let (cost, without) = match (sql::column(subject, Scope::Trace), predicate) {
        (
            Column::Value(column)
            | Column::Micros(column)
            | Column::Interned { id: column, .. }
            | Column::Lookup { id: column, .. },
            Predicate::Set(_),
        ) => (Cost::Seek, std::mem::take(Fragment::new(column).push(" IS NULL"))),
        (Column::Micros(_), _) => (Cost::Scan, sql::condition(&expr.clone().negated(), Scope::Trace)),
        _ => return None,
    };
    let mut query = Fragment::new("SELECT t.key FROM traces t WHERE ");
    query.append(without).push(" AND ").append(bounds.hold("+t.key"));
    Some(Keys { cost, query })
}

/// The test in `!TEST`, if each part of its index is a range of keys.
fn unless(expr: &Expr) -> Option<&Predicate> {
    let Expr::Not(inner) = expr else { return None };
    let Expr::Test(predicate) = &**inner else { return None };
    Some(predicate).filter(|predicate| ends_in_keys(predicate))
}

/// Lists the traces for which a test holds, if an index can.
pub(in crate::query) fn keys_of(predicate: &Predicate, bounds: Bounds) -> Option<Keys> {
    let cost = cost(predicate)?;
    // An index leads to a range of keys only behind an equality; elsewhere, `+` keeps SQLite from preferring that range.
    let plus = if ends_in_keys(predicate) { "" } else { "+" };
    let mut query;
    match sql::rows(predicate, Scope::Trace) {
        Some(rows) => {
            // `join` is "x.trace = t.key".
            let column = rows.join.split(' ').next()?;
            query = Fragment::new("SELECT ");
            query.push(column).push(" FROM ");
            if let Predicate::RootCause(..) = predicate {
                // The few paths and their parts first: the other way round, each trace would look its path up.
                let tables: Vec<&str> = rows.from.split(", ").collect();
                query.push(&[&tables[1..], &tables[..1]].concat().join(" CROSS JOIN "));
            } else {
                query.push(&rows.from);
            }
            query.push(" WHERE ").append(rows.only);
            query.push(" AND ").append(bounds.hold(&format!("{plus}{column}")));
        }
        None if let Some((id, table, value)) = looked_up(predicate) => {
            // The strings first, each of which leads to its traces.
            query = Fragment::new("SELECT t.key FROM ");
            query.push(table).push(" r CROSS JOIN traces t ON ").push(id).push(" = r.id WHERE ");
            query.append(sql::value_test(predicate, value)).push(" AND ").append(bounds.hold("t.key"));
        }
        None => {
            query = Fragment::new("SELECT t.key FROM traces t WHERE ");
            query.append(sql::condition(&Expr::Test(predicate.clone()), Scope::Trace));
            query.push(" AND ").append(bounds.hold(&format!("{plus}t.key")));
        }
    }
    Some(Keys { cost, query })
}

/// Place of a string that is looked up: its id in the trace's row, the table, the string there.
fn looked_up(predicate: &Predicate) -> Option<(&'static str, &'static str, &'static str)> {
    match predicate {
        Predicate::Compare(subject, ..) => match sql::column(subject, Scope::Trace) {
            Column::Lookup { id, table, value } => Some((id, table, value)),
            _ => None,
        },
        _ => None,
    }
}

/// Counts the traces for which a test in [`Conjunct::unless`] holds, in one walk over an index in order of keys.
pub(in crate::query) fn count_of(predicate: &Predicate, bounds: Bounds) -> Option<Fragment> {
    let mut query = keys_of(predicate, bounds)?.query;
    let (column, rest) = query.sql.strip_prefix("SELECT ")?.split_once(' ')?;
    query.sql = format!("SELECT count(DISTINCT {column}) {rest}");
    Some(query)
}

fn cost(predicate: &Predicate) -> Option<Cost> {
    match predicate {
        Predicate::RootCauseJson(_) => None,
        // Paths are few, and an index leads from them to traces.
        Predicate::RootCause(..) => Some(Cost::Seek),
        Predicate::Service(node, _) => Some(if node.is_any() { Cost::Scan } else { Cost::Seek }),
        Predicate::Edge(from, to, _) => {
            Some(if from.is_any() && to.is_any() { Cost::Scan } else { Cost::Seek })
        }
        Predicate::Compare(Subject::Annotation(_), ..) => Some(Cost::Seek),
        Predicate::Set(_) => Some(Cost::Scan),
        Predicate::Compare(Subject::Field(_), operator, _) => match operator {
            Operator::NotEqual => None,
            Operator::Contains | Operator::EndsWith => Some(Cost::Scan),
            _ => Some(Cost::Seek),
        },
    }
}

/// Reports whether the test leads to a part of an index in which the keys are in order.
fn ends_in_keys(predicate: &Predicate) -> bool {
    match predicate {
        Predicate::Compare(Subject::Field(field), Operator::Equal, _) => {
            !matches!(field, Field::ResponseTime | Field::Duration)
        }
        Predicate::Compare(Subject::Annotation(_), Operator::Equal, _) | Predicate::RootCause(..) => true,
        Predicate::Service(node, _) => !node.is_any(),
        Predicate::Edge(from, to, _) => !(from.is_any() && to.is_any()),
        _ => false,
    }
}
