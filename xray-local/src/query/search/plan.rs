//! Plan of a search: conditions to check on a trace, and indexes that list the traces for which one holds.
//!
//! A condition is always complete; a list of keys is a shortcut that may be missing, and may name a trace twice.

use super::super::filter::keyword::Scope;
use super::super::filter::keyword::{Field, Kind};
use super::super::filter::{Expr, Fragment, Operator, Predicate, Subject, Value, sql};
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
        conjuncts.extend(expr.conjuncts().iter().map(|operand| Conjunct {
            check: sql::condition(operand, Scope::Trace),
            keys: keys(operand, bounds),
            unless: unless(operand).cloned(),
        }));
    }
    conjuncts
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
        check.push(" AND EXISTS (SELECT 1 FROM segments s WHERE s.trace = t.key AND s.end_us >= ");
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
        Expr::Test(predicate) => keys_of(predicate, bounds),
        Expr::Not(_) => None,
    }
}

/// The test in `!TEST`, if each part of its index is a range of keys, and it is not on a trace's own row.
fn unless(expr: &Expr) -> Option<&Predicate> {
    let Expr::Not(inner) = expr else { return None };
    let Expr::Test(predicate) = &**inner else { return None };
    let is_listed = ends_in_keys(predicate) && sql::rows(predicate, Scope::Trace).is_some();
    Some(predicate).filter(|_| is_listed)
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
                query.push(&rows.from).push(index(predicate, &rows.from));
            }
            query.push(" WHERE ").append(rows.only);
            query.push(" AND ").append(bounds.hold(&format!("{plus}{column}")));
        }
        None => {
            query = Fragment::new("SELECT t.key FROM traces t WHERE ");
            query.append(sql::condition(&Expr::Test(predicate.clone()), Scope::Trace));
            query.push(" AND ").append(bounds.hold(&format!("{plus}t.key")));
        }
    }
    Some(Keys { cost, query })
}

/// Query that counts the traces for which a test holds.
pub(in crate::query) enum Count {
    /// A query for the number.
    Query(Fragment),
    /// A query for the ids of nodes (0) or edges (1); [`count_of_id`] makes the query for the number of each.
    Ids(Fragment, usize),
}

/// Counts the traces for which a test in [`Conjunct::unless`] holds, in one walk over an index in order of keys.
pub(in crate::query) fn count_of(predicate: &Predicate, bounds: Bounds) -> Option<Count> {
    match predicate {
        Predicate::Service(node, None) if node.kind.as_deref() != Some("client") => {
            Some(Count::Ids(sql::node_ids(node), 0))
        }
        Predicate::Edge(from, to, None) => Some(Count::Ids(sql::edge_ids(from, to), 1)),
        Predicate::Service(..) | Predicate::Edge(..) => None,
        _ => {
            let mut query = keys_of(predicate, bounds)?.query;
            let (column, rest) = query.sql.strip_prefix("SELECT ")?.split_once(' ')?;
            query.sql = format!("SELECT count(DISTINCT {column}) {rest}");
            Some(Count::Query(query))
        }
    }
}

/// Counts the traces with a node (0) or an edge (1).
pub(in crate::query) fn count_of_id(table: usize, id: i64, bounds: Bounds) -> Fragment {
    const TABLES: [(&str, &str); 2] =
        [("s.trace", "segments s WHERE s.node = "), ("e.trace", "calls e WHERE e.edge = ")];
    let (column, from) = TABLES[table];
    let mut query = Fragment::new(&format!("SELECT count(DISTINCT {column}) FROM {from}"));
    std::mem::take(query.bind(id).push(" AND ").append(bounds.hold(column)))
}

fn cost(predicate: &Predicate) -> Option<Cost> {
    let seeks = |expr: &Expr| expr.conjuncts().iter().any(|operand| rare_flag(operand).is_some());
    match predicate {
        Predicate::RootCauseJson(_) => None,
        // Paths are few, and an index leads from them to traces.
        Predicate::RootCause(..) => Some(Cost::Seek),
        Predicate::Service(node, inner) => {
            let is_seek = !node.is_any() || inner.as_deref().is_some_and(seeks);
            Some(if is_seek { Cost::Seek } else { Cost::Scan })
        }
        Predicate::Edge(from, to, inner) => {
            let is_seek = !from.is_any() || !to.is_any() || inner.as_deref().is_some_and(seeks);
            Some(if is_seek { Cost::Seek } else { Cost::Scan })
        }
        Predicate::Set(Subject::Annotation(_)) => Some(Cost::Seek),
        Predicate::Set(Subject::Field(field)) => match field {
            Field::Ok | Field::Inferred => None,
            Field::Error | Field::Fault | Field::Throttle | Field::Partial => Some(Cost::Seek),
            _ => Some(Cost::Scan),
        },
        Predicate::Compare(Subject::Field(field), operator, value) => match (operator, value) {
            (_, Value::Bool(flag)) if *flag == (*operator == Operator::Equal) => match field {
                Field::Ok | Field::Inferred => None,
                _ => Some(Cost::Seek),
            },
            (_, Value::Bool(_)) | (Operator::NotEqual, _) => None,
            (Operator::Contains | Operator::EndsWith, _) => Some(Cost::Scan),
            // No index begins with the method.
            _ if *field == Field::HttpMethod => None,
            _ => Some(Cost::Seek),
        },
        Predicate::Compare(Subject::Annotation(_), ..) => Some(Cost::Seek),
    }
}

/// Reports whether the test leads to a part of an index in which the keys are in order.
fn ends_in_keys(predicate: &Predicate) -> bool {
    match predicate {
        Predicate::Set(subject)
        | Predicate::Compare(subject, Operator::Equal | Operator::NotEqual, Value::Bool(_)) => {
            matches!(subject, Subject::Field(field) if field.keyword().kind == Kind::Flag)
        }
        Predicate::Compare(Subject::Field(field), Operator::Equal, _) => {
            !matches!(field, Field::ResponseTime | Field::Duration)
        }
        Predicate::Compare(Subject::Annotation(_), Operator::Equal, _) => true,
        Predicate::Service(node, inner) => inner.is_none() && !node.is_any(),
        Predicate::Edge(from, to, inner) => inner.is_none() && !(from.is_any() && to.is_any()),
        _ => false,
    }
}

fn index(predicate: &Predicate, from: &str) -> &'static str {
    let (Predicate::Service(_, Some(inner)) | Predicate::Edge(_, _, Some(inner))) = predicate else {
        return "";
    };
    flag_index(inner, from).unwrap_or_default()
}

/// The index of the segments or calls with a flag that must hold. SQLite takes the larger one, as it can't know how rare
/// a flag is.
pub(in crate::query) fn flag_index(inner: &Expr, from: &str) -> Option<&'static str> {
    match (from, inner.conjuncts().iter().find_map(rare_flag)?) {
        ("segments s", Field::Fault) => Some(" INDEXED BY segments_fault"),
        ("segments s", _) => Some(" INDEXED BY segments_error"),
        ("calls e", Field::Fault) => Some(" INDEXED BY calls_fault"),
        ("calls e", _) => Some(" INDEXED BY calls_error"),
        _ => None,
    }
}

/// A flag that must hold, and for which there is an index of its own.
fn rare_flag(expr: &Expr) -> Option<Field> {
    let field = match expr {
        Expr::Test(Predicate::Set(Subject::Field(field))) => field,
        Expr::Test(Predicate::Compare(Subject::Field(field), operator, Value::Bool(flag)))
            if *flag == (*operator == Operator::Equal) =>
        {
            field
        }
        _ => return None,
    };
    Some(*field).filter(|field| matches!(field, Field::Fault | Field::Error))
}
