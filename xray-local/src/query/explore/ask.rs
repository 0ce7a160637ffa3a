//! Questions of the console beyond the API: chips, histograms, differences, blockers, values to complete.
//!
//! Every answer is about a bounded number of the newest matching traces, and says about how many.

use rusqlite::Connection;

use super::super::filter::keyword::{Field, Kind};
use super::super::filter::{Expr, Filter, Fragment, NodeSelector, Occurring, Predicate, Subject};
use super::super::search::find;
use super::super::search::{Sample, Search};
use super::facet::{Difference, Facet, Occurrence, differences, occurrences, of_times, skip};
use crate::model::{Length, PlaceKind, TraceKey};
use crate::store::StoreError;

/// The values that occur among the newest `search.limit` matching traces, at most `each` per facet, most frequent
/// first.
///
/// # Errors
/// SQLite's.
pub fn chips(connection: &Connection, search: &Search, each: usize) -> Result<Vec<Occurrence>, StoreError> {
    let found = find(connection, search)?;
    let mut chips = occurrences(connection, &found.keys)?;
    let mut seen: std::collections::HashMap<Facet, usize> = std::collections::HashMap::new();
    chips.retain(|chip| {
        let count = seen.entry(chip.facet.clone()).or_default();
        *count += 1;
        *count <= each
    });
    Ok(chips)
}

/// Selected traces beside the rest.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Count of selected traces.
    pub selected: usize,
    /// Count of the others.
    pub rest: usize,
    /// Differences, most telling first.
    pub differences: Vec<Difference>,
}

/// Compares the traces of a search that satisfy `selected` with those that don't: of the newest `search.limit` on
/// either side.
///
/// # Errors
/// SQLite's.
pub fn compare(connection: &Connection, search: &Search, selected: &Expr) -> Result<Comparison, StoreError> {
    let with = |expr: Expr| Search { filter: search.filter.clone().and(expr), ..search.clone() };
    let chosen = find(connection, &with(selected.clone()))?.keys;
    let rest = find(connection, &with(selected.clone().negated()))?.keys;
    let differences = differences(connection, &chosen, &rest)?;
    Ok(Comparison { selected: chosen.len(), rest: rest.len(), differences })
}

/// Histogram of durations.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Buckets {
    /// Buckets of equal width, from the shortest to the longest time, empty ones included.
    pub buckets: Vec<Bucket>,
    /// Count of traces in the buckets.
    pub traces: usize,
}

/// A bucket of a histogram.
#[derive(Clone, Debug, PartialEq)]
pub struct Bucket {
    /// The first millisecond that belongs to the bucket.
    pub from: i64,
    /// The first millisecond after it.
    pub to: i64,
    /// Traces without error, throttle and fault of the root.
    pub ok: u64,
    /// Traces whose root has an error, but no throttle.
    pub error: u64,
    /// Traces whose root has a throttle.
    pub throttle: u64,
    /// Traces whose root has a fault.
    pub fault: u64,
    /// The condition that finds the bucket's traces.
    pub condition: Expr,
}

/// The histogram of response times over the newest `search.limit` matching traces with a response, in at most
/// `most` buckets.
///
/// # Errors
/// SQLite's.
pub fn histogram(connection: &Connection, search: &Search, most: usize) -> Result<Buckets, StoreError> {
    let found = find(connection, search)?;
    let mut statement =
        connection.prepare_cached("SELECT response_us, error, throttle, fault FROM traces WHERE key = ?")?;
    let mut times: Vec<(i64, [bool; 3])> = Vec::new();
    for key in &found.keys {
        let mut rows = statement.query([key.0])?;
        while let Some(row) = rows.next()? {
            if let Some(response) = row.get::<_, Option<i64>>(0)? {
                times.push((Length(response).milliseconds(), [row.get(1)?, row.get(2)?, row.get(3)?]));
            }
        }
    }
    Ok(buckets(&times, most.max(1) as i64))
}

fn buckets(times: &[(i64, [bool; 3])], most: i64) -> Buckets {
    let (Some(least), Some(greatest)) =
        (times.iter().map(|(time, _)| *time).min(), times.iter().map(|(time, _)| *time).max())
    else {
        return Buckets::default();
    };
    // The least of 1, 2, 5, 10, … that needs no more than `most` buckets.
    let width = (0..18)
        .flat_map(|power| [1, 2, 5].map(|digit| digit * 10_i64.pow(power)))
        .find(|width| greatest.div_euclid(*width) - least.div_euclid(*width) < most)
        .unwrap_or(i64::MAX);
    let first = least.div_euclid(width);
    let mut buckets: Vec<Bucket> = (first..=greatest.div_euclid(width))
        .map(|number| {
            let (from, to) = (number * width, (number + 1) * width);
            Bucket { from, to, ok: 0, error: 0, throttle: 0, fault: 0, condition: of_times(from, to) }
        })
        .collect();
    for (time, [error, throttle, fault]) in times {
        let Some(bucket) = buckets.get_mut((time.div_euclid(width) - first) as usize) else { continue };
        *match (fault, throttle, error) {
            (true, ..) => &mut bucket.fault,
            (_, true, _) => &mut bucket.throttle,
            (_, _, true) => &mut bucket.error,
            _ => &mut bucket.ok,
        } += 1;
    }
    Buckets { buckets, traces: times.len() }
}

/// A condition of a filter, and how many traces satisfy it.
#[derive(Clone, Debug, PartialEq)]
pub struct Blocker {
    /// One of the conditions that must all hold.
    pub condition: Expr,
    /// Traces that satisfy this condition alone, up to the limit of the search.
    pub alone: usize,
    /// Traces that satisfy all other conditions, up to the limit of the search.
    pub without: usize,
    /// Something that people overlook in such a condition.
    pub note: Option<String>,
}

/// Says for each condition of a filter how many traces it leaves: which one removed everything. Empty for a filter
/// without conditions. Counts go up to `search.limit`.
///
/// # Errors
/// SQLite's.
pub fn blockers(connection: &Connection, search: &Search) -> Result<Vec<Blocker>, StoreError> {
    let count = |filter: Filter, sample: Sample| -> Result<usize, StoreError> {
        Ok(find(connection, &Search { filter, sample, before: None, ..search.clone() })?.keys.len())
    };
    let conditions = search.filter.expr().map(Expr::conjuncts).unwrap_or_default();
    let mut blockers = Vec::with_capacity(conditions.len());
    for (position, condition) in conditions.iter().enumerate() {
        let others = conditions.iter().enumerate().filter(|(other, _)| *other != position);
        let others = others.map(|(_, other)| other.clone()).reduce(Expr::and);
        let alone = count(Filter::from(condition.clone()), search.sample)?;
        let note = match anywhere(condition).filter(|_| alone == 0) {
            Some(anywhere) => {
                // No index serves tests on any segment, and a remark is worth a look at the newest traces only.
                let found = count(Filter::from(anywhere.clone()), Sample::PartialScan)?;
                (found > 0).then(|| format!("{REMARK}; {anywhere} finds {found}"))
            }
            None => None,
        };
        blockers.push(Blocker {
            condition: condition.clone(),
            alone,
            without: count(others.map(Filter::from).unwrap_or_default(), search.sample)?,
            note,
        });
    }
    Ok(blockers)
}

const REMARK: &str = "only the root segment is searched";

/// Returns a test on the root segment as one on any segment.
fn anywhere(condition: &Expr) -> Option<Expr> {
    let Expr::Test(Predicate::Set(Subject::Field(field)) | Predicate::Compare(Subject::Field(field), ..)) =
        condition
    else {
        return None;
    };
    let of_root = matches!(
        field,
        Field::Error
            | Field::Fault
            | Field::Throttle
            | Field::HttpStatus
            | Field::HttpUrl
            | Field::HttpMethod
            | Field::HttpUserAgent
            | Field::HttpClientIp
    );
    let inner = Some(Box::new(condition.clone()));
    of_root.then(|| Expr::Test(Predicate::Service(NodeSelector::default(), inner)))
}

/// Lists stored values for a completion: at most `most` that begin with `typed`, in order.
///
/// # Errors
/// SQLite's.
pub fn occurring(
    connection: &Connection,
    what: &Occurring,
    typed: &str,
    most: usize,
) -> Result<Vec<String>, StoreError> {
    let mut query = Fragment::default();
    // Each takes the last value twice: as the bound, and whether it is excluded.
    let least = |column: &str, from: &str, only: &str| {
        format!("SELECT min({column}) FROM {from} WHERE {only}({column} > ?1 OR ({column} = ?1 AND ?2 = 0))")
    };
    let sql = match what {
        Occurring::AnnotationKeys => least("key", "annotation_keys", ""),
        Occurring::NodeNames => least("name", "nodes", ""),
        Occurring::NodeTypes => least("type", "nodes", ""),
        Occurring::Accounts => least("account", "nodes", "account != '' AND "),
        Occurring::Values(Subject::Annotation(key)) => {
            query.params.push(key.clone().into());
            "SELECT min(value) FROM annotations WHERE key = (SELECT id FROM annotation_keys WHERE key = ?1) AND kind = 2
             AND value >= ?2 AND (value > ?2 OR ?3 = 0)"
                .to_owned()
        }
        Occurring::Values(Subject::Field(field)) => match field {
            Field::HttpUrl => least("url", "urls", ""),
            Field::HttpClientIp => least("client_ip", "traces", ""),
            Field::HttpUserAgent => least("agent", "agents", ""),
            Field::HttpMethod => least("method", "shapes", ""),
            Field::User => least("user", "users", ""),
            Field::AvailabilityZone => place(PlaceKind::Zone),
            Field::InstanceId => place(PlaceKind::Instance),
            Field::ResourceArn => place(PlaceKind::Resource),
            Field::GroupName => least("name", "groups", ""),
            Field::GroupArn => least("arn", "groups", ""),
            Field::Name => least("name", "cause_services", ""),
            Field::Type => least("type", "cause_services", ""),
            Field::Message => least("message", "cause_exceptions", ""),
            Field::HttpStatus => return statuses(connection, typed, most),
            _ if field.keyword().kind == Kind::Flag => {
                return Ok(vec!["true".to_owned(), "false".to_owned()]);
            }
            _ => return Ok(Vec::new()),
        },
    };
    query.sql = sql;
    Ok(skip(connection, &query, typed, most)?)
}

fn place(kind: PlaceKind) -> String {
    format!(
        "SELECT min(value) FROM places WHERE kind = {} AND value >= ?1 AND (value > ?1 OR ?2 = 0)",
        kind as i64
    )
}

fn statuses(connection: &Connection, typed: &str, most: usize) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT min(status) FROM shapes WHERE status > ?")?;
    let (mut found, mut last) = (Vec::new(), i64::MIN);
    while found.len() < most {
        let Some(status) = statement.query_row([last], |row| row.get::<_, Option<i64>>(0))? else { break };
        last = status;
        found.extend(Some(status.to_string()).filter(|status| status.starts_with(typed)));
    }
    Ok(found)
}

/// Keys of traces that are linked with a trace, by a link in either direction; at most `most`.
///
/// # Errors
/// SQLite's.
pub fn linked(connection: &Connection, trace: TraceKey, most: usize) -> Result<Vec<TraceKey>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT t.key FROM links l JOIN traces t ON t.id = l.linked WHERE l.trace = ?1
         UNION SELECT l.trace FROM links l WHERE l.linked = (SELECT id FROM traces WHERE key = ?1)
         ORDER BY 1 DESC LIMIT ?2",
    )?;
    let keys = statement.query_map((trace.0, most as i64), |row| Ok(TraceKey(row.get(0)?)))?;
    Ok(keys.collect::<rusqlite::Result<_>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_of_round_widths() {
        let ok = [false; 3];
        let of = |times: &[i64], most| {
            let times: Vec<_> = times.iter().map(|time| (*time, ok)).collect();
            let buckets = buckets(&times, most).buckets;
            (buckets.len(), buckets.first().map(|bucket| (bucket.from, bucket.to)))
        };
        assert_eq!(of(&[], 10), (0, None));
        assert_eq!(of(&[7, 7], 10), (1, Some((7, 8))));
        // 3 to 49 are 47 values; widths 1 and 2 need 47 and 24 buckets, width 5 needs 0, 5, …, 45: ten.
        assert_eq!(of(&[3, 49], 10), (10, Some((0, 5))));
        assert_eq!(of(&[3, 50], 10), (6, Some((0, 10))));
        assert_eq!(of(&[1, 123_456_789], 1).0, 1);
    }
}
