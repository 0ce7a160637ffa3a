//! Common and different values of traces: URL, user, status, service and annotations, with their counts.
//!
//! Each value comes with the condition that finds its traces, so that a click narrows the filter.

use std::collections::HashMap;

use rusqlite::types::Value as SqlValue;
use rusqlite::{Connection, params_from_iter};

use super::super::filter::keyword::Field;
use super::super::filter::{Expr, Fragment, NodeSelector, Operator, Predicate, Subject, Value};
use crate::model::TraceKey;

/// Subject of a comparison.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Facet {
    /// The root segment's URL.
    Url,
    /// The root segment's method.
    Method,
    /// The root segment's status.
    Status,
    /// A user.
    User,
    /// A service, inferred ones included.
    Service,
    /// The value of an annotation.
    Annotation(String),
}

/// A value that occurs.
#[derive(Clone, Debug, PartialEq)]
pub struct Occurrence {
    /// Facet of the value.
    pub facet: Facet,
    /// The value in words.
    pub label: String,
    /// The condition that finds the traces with it.
    pub condition: Expr,
    /// Count of traces that have it.
    pub traces: u64,
}

/// Counts the values of all facets over traces; most frequent first.
pub(super) fn occurrences(connection: &Connection, keys: &[TraceKey]) -> rusqlite::Result<Vec<Occurrence>> {
    let list: Vec<String> = keys.iter().map(|key| key.0.to_string()).collect();
    let list = format!("[{}]", list.join(","));
    let mut found = Vec::new();
    for (facet, field, query) in [
        (
            Facet::Url,
            Field::HttpUrl,
            "SELECT u.url, count(*) FROM json_each(?) j JOIN traces t ON t.key = j.value JOIN urls u ON u.id = t.url
             GROUP BY 1",
        ),
        (
            Facet::Method,
            Field::HttpMethod,
            "SELECT t.method, count(*) FROM json_each(?) j JOIN traces t ON t.key = j.value
             WHERE t.method IS NOT NULL GROUP BY 1",
        ),
    ] {
        for (value, traces) in pairs::<String>(connection, query, &list)? {
            found.push(Occurrence {
                facet: facet.clone(),
                condition: equal(field, &value),
                label: value,
                traces,
            });
        }
    }
    let query = "SELECT t.status, count(*) FROM json_each(?) j JOIN traces t ON t.key = j.value
                 WHERE t.status IS NOT NULL GROUP BY 1";
    for (status, traces) in pairs::<i64>(connection, query, &list)? {
        let subject = Subject::Field(Field::HttpStatus);
        let condition =
            Expr::Test(Predicate::Compare(subject, Operator::Equal, Value::Number(status as f64)));
        found.push(Occurrence { facet: Facet::Status, label: status.to_string(), condition, traces });
    }
    let query = "SELECT r.user, count(DISTINCT r.trace) FROM json_each(?) j JOIN users r ON r.trace = j.value GROUP BY 1";
    for (user, traces) in pairs::<String>(connection, query, &list)? {
        found.push(Occurrence {
            facet: Facet::User,
            condition: equal(Field::User, &user),
            label: user,
            traces,
        });
    }
    services(connection, &list, &mut found)?;
    annotations(connection, &list, &mut found)?;
    found.sort_by(|a, b| b.traces.cmp(&a.traces).then_with(|| a.label.cmp(&b.label)));
    Ok(found)
}

fn pairs<T: rusqlite::types::FromSql>(
    connection: &Connection,
    query: &str,
    list: &str,
) -> rusqlite::Result<Vec<(T, u64)>> {
    let mut statement = connection.prepare_cached(query)?;
    statement.query_map([list], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.max(0) as u64)))?.collect()
}

fn equal(field: Field, value: &str) -> Expr {
    Expr::Test(Predicate::Compare(Subject::Field(field), Operator::Equal, Value::String(value.to_owned())))
}

fn services(connection: &Connection, list: &str, found: &mut Vec<Occurrence>) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "SELECT n.name, n.type, count(*) FROM (
             SELECT DISTINCT t.key, h.node FROM json_each(?) j CROSS JOIN traces t ON t.key = j.value
             CROSS JOIN shape_segments h ON h.shape = t.shape
         ) x JOIN nodes n ON n.id = x.node GROUP BY x.node",
    )?;
    let mut rows = statement.query([list])?;
    while let Some(row) = rows.next()? {
        let (name, kind): (String, String) = (row.get(0)?, row.get(1)?);
        let label = if kind.is_empty() { name.clone() } else { format!("{name} ({kind})") };
        found.push(Occurrence {
            facet: Facet::Service,
            label,
            condition: of_node(&name, &kind, None),
            traces: row.get::<_, i64>(2)?.max(0) as u64,
        });
    }
    Ok(())
}

/// `service(id(name: NAME, type: TYPE)) { INNER }`: what a click on a node of the map means.
#[must_use]
pub fn of_node(name: &str, kind: &str, inner: Option<Expr>) -> Expr {
    let node = NodeSelector { name: Some(name.to_owned()), kind: Some(kind.to_owned()), account: None };
    Expr::Test(Predicate::Service(node, inner.map(Box::new)))
}

/// `edge(id(...), id(...)) { INNER }`: what a click on an edge of the map means. Each end is a name and a type.
#[must_use]
pub fn of_edge(from: (&str, &str), to: (&str, &str), inner: Option<Expr>) -> Expr {
    let node = |(name, kind): (&str, &str)| NodeSelector {
        name: Some(name.to_owned()),
        kind: Some(kind.to_owned()),
        account: None,
    };
    Expr::Test(Predicate::Edge(node(from), node(to), inner.map(Box::new)))
}

/// `responsetime >= FROM AND responsetime < TO`, both in milliseconds: what a brush over a histogram means.
#[must_use]
pub fn of_times(from: i64, to: i64) -> Expr {
    let compare = |operator, milliseconds: i64| {
        let seconds = Value::Number(milliseconds as f64 / 1_000.0);
        Expr::Test(Predicate::Compare(Subject::Field(Field::ResponseTime), operator, seconds))
    };
    compare(Operator::GreaterOrEqual, from).and(compare(Operator::Less, to))
}

fn annotations(connection: &Connection, list: &str, found: &mut Vec<Occurrence>) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "SELECT k.key, a.kind, a.value, count(DISTINCT a.trace) FROM json_each(?) j
         JOIN annotations a ON a.trace = j.value JOIN annotation_keys k ON k.id = a.key GROUP BY a.key, a.kind, a.value",
    )?;
    let mut rows = statement.query([list])?;
    while let Some(row) = rows.next()? {
        let key: String = row.get(0)?;
        let value = match (row.get::<_, i64>(1)?, row.get::<_, SqlValue>(2)?) {
            (0, SqlValue::Integer(flag)) => Value::Bool(flag != 0),
            (_, SqlValue::Integer(number)) => Value::Number(number as f64),
            (_, SqlValue::Real(number)) => Value::Number(number),
            (_, SqlValue::Text(string)) => Value::String(string),
            _ => continue,
        };
        let label = match &value {
            Value::String(string) => string.clone(),
            other => other.to_string(),
        };
        let subject = Subject::Annotation(key.clone());
        found.push(Occurrence {
            facet: Facet::Annotation(key),
            label,
            condition: Expr::Test(Predicate::Compare(subject, Operator::Equal, value)),
            traces: row.get::<_, i64>(3)?.max(0) as u64,
        });
    }
    Ok(())
}

/// A value that is more frequent, or less, among the selected traces than among the rest.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The value, with its count among the selected traces.
    pub occurrence: Occurrence,
    /// Count among the rest.
    pub rest: u64,
    /// Its share of the selected traces less its share of the rest, from -1 to 1.
    pub excess: f64,
}

/// Compares the values of two sets of traces: largest difference first. Values with equal shares are left out.
pub(super) fn differences(
    connection: &Connection,
    selected: &[TraceKey],
    rest: &[TraceKey],
) -> rusqlite::Result<Vec<Difference>> {
    let mut others: HashMap<(Facet, String), Occurrence> = occurrences(connection, rest)?
        .into_iter()
        .map(|occurrence| ((occurrence.facet.clone(), occurrence.condition.to_string()), occurrence))
        .collect();
    let share = |count: u64, of: usize| if of == 0 { 0.0 } else { count as f64 / of as f64 };
    let mut differences: Vec<Difference> = Vec::new();
    for occurrence in occurrences(connection, selected)? {
        let other = others.remove(&(occurrence.facet.clone(), occurrence.condition.to_string()));
        let rest_count = other.map_or(0, |other| other.traces);
        let excess = share(occurrence.traces, selected.len()) - share(rest_count, rest.len());
        differences.push(Difference { occurrence, rest: rest_count, excess });
    }
    for (_, occurrence) in others {
        let rest_count = occurrence.traces;
        let excess = -share(rest_count, rest.len());
        differences.push(Difference {
            occurrence: Occurrence { traces: 0, ..occurrence },
            rest: rest_count,
            excess,
        });
    }
    differences.retain(|difference| difference.excess.abs() > f64::EPSILON);
    differences.sort_by(|a, b| {
        let by_excess = b.excess.abs().total_cmp(&a.excess.abs());
        by_excess.then_with(|| a.occurrence.condition.to_string().cmp(&b.occurrence.condition.to_string()))
    });
    Ok(differences)
}

/// Lists the values that begin with `typed`, by walking an index from value to value: `least` selects the least value
/// that is greater than its last parameter.
pub(super) fn skip(
    connection: &Connection,
    least: &Fragment,
    from: &str,
    most: usize,
) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare_cached(&least.sql)?;
    let mut values = Vec::new();
    // The first value may be equal to what was typed.
    let mut params = least.params.clone();
    params.push(SqlValue::Text(from.to_owned()));
    params.push(SqlValue::Integer(0));
    while values.len() < most {
        let next: Option<String> = statement.query_row(params_from_iter(&params), |row| row.get(0))?;
        let Some(next) = next.filter(|next| next.starts_with(from)) else { break };
        let at = params.len() - 2;
        params[at] = SqlValue::Text(next.clone());
        params[at + 1] = SqlValue::Integer(1);
        values.push(next);
    }
    Ok(values)
}
