//! Counts over segments and calls: added up from the minutes of the map, and from single rows where a range begins or
//! ends within a minute.

use rusqlite::{Connection, Row, params_from_iter};

use super::super::filter::{Fragment, sql};
use super::graph::{Histogram, Statistics};
use crate::model::{Length, Time, limits};
use crate::store::Histogram as StoredHistogram;

/// Counts of one node or edge.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    pub(super) statistics: Statistics,
    pub(super) first: Time,
    pub(super) last: Time,
    /// Count of root segments.
    pub(super) roots: u64,
    /// Count of inferred ones.
    pub(super) inferred: u64,
    pub(super) responses: StoredHistogram,
    /// Durations of segments, ages of events that came over links.
    pub(super) others: StoredHistogram,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            statistics: Statistics::default(),
            first: Time(i64::MAX),
            last: Time(i64::MIN),
            roots: 0,
            inferred: 0,
            responses: StoredHistogram::default(),
            others: StoredHistogram::default(),
        }
    }
}

impl Tally {
    pub(super) fn merge(&mut self, other: &Self) {
        let (sum, more) = (&mut self.statistics, &other.statistics);
        sum.ok += more.ok;
        sum.error += more.error;
        sum.throttle += more.throttle;
        sum.fault += more.fault;
        sum.total_time = Length(sum.total_time.0.saturating_add(more.total_time.0));
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.roots += other.roots;
        self.inferred += other.inferred;
        self.responses.merge(&other.responses);
        self.others.merge(&other.others);
    }
}

/// Makes a histogram of what was counted: to the millisecond, or with two significant digits where there are many
/// different times.
pub(super) fn histogram(stored: &StoredHistogram) -> Histogram {
    let exact: Vec<(i64, u64)> =
        stored.iter().filter(|(_, count)| *count > 0).map(|(value, count)| (value, count as u64)).collect();
    if exact.len() <= limits::EXACT_HISTOGRAM_VALUES {
        return Histogram { counts: exact };
    }
    let mut counts: Vec<(i64, u64)> = Vec::new();
    for (value, count) in exact {
        let value = two_digits(value);
        match counts.last_mut() {
            Some((last, sum)) if *last == value => *sum += count,
            _ => counts.push((value, count)),
        }
    }
    Histogram { counts }
}

/// A number rounded to two significant digits. Rounding keeps the order.
fn two_digits(value: i64) -> i64 {
    let mut unit = 1;
    while value / unit >= 100 {
        unit *= 10;
    }
    (value + unit / 2) / unit * unit
}

/// Subject of a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    /// Segments, by their node.
    Segments,
    /// Calls, by their edge.
    Calls,
}

/// Selection among them.
#[derive(Clone, Debug, Default)]
pub(super) struct Only {
    /// The group of their traces, `groups.number`.
    pub(super) group: Option<i64>,
    /// Selects the numbers of the nodes, or of the edges.
    pub(super) ids: Option<Fragment>,
    /// A condition on a segment `s` or a call `e`.
    pub(super) each: Option<Fragment>,
    /// Selects the shapes of the traces in which `each` may hold.
    pub(super) shapes: Option<Fragment>,
}

/// Counts what started from `start` on and before `end`. `add` gets the moment to count it at, the number of the node
/// or the edge, and the counts. The counts of a whole minute come together unless `minutes` is false.
pub(super) fn count(
    connection: &Connection,
    counted: Counted,
    only: &Only,
    (start, end): (Time, Time),
    minutes: bool,
    add: &mut dyn FnMut(Time, i64, Tally),
) -> rusqlite::Result<()> {
    let first = start.0.saturating_add(MINUTE - 1).div_euclid(MINUTE);
    let last = end.0.div_euclid(MINUTE);
    if first >= last || !minutes || only.each.is_some() {
        return rows(connection, counted, only, (start, end), add);
    }
    rows(connection, counted, only, (start, Time(first * MINUTE)), add)?;
    cells(connection, counted, only, first, last, add)?;
    rows(connection, counted, only, (Time(last * MINUTE), end), add)
}

fn cells(
    connection: &Connection,
    counted: Counted,
    only: &Only,
    first: i64,
    last: i64,
    add: &mut dyn FnMut(Time, i64, Tally),
) -> rusqlite::Result<()> {
    let mut query = Fragment::new(match counted {
        Counted::Segments => {
            "SELECT minute, node, ok, error, throttle, fault, time_us, root, inferred, first_us, last_us,
                    responses, durations FROM node_minutes"
        }
        Counted::Calls => {
            "SELECT minute, edge, ok, error, throttle, fault, time_us, 0, 0, first_us, last_us, responses, ages
             FROM edge_minutes"
        }
    });
    query.push(" WHERE grp = ").bind(only.group.unwrap_or_default());
    query.push(" AND minute >= ").bind(first).push(" AND minute < ").bind(last);
    if let Some(ids) = &only.ids {
        query.push(match counted {
            Counted::Segments => " AND node IN (",
            Counted::Calls => " AND edge IN (",
        });
        query.append(ids.clone()).push(")");
    }
    let mut statement = connection.prepare_cached(&query.sql)?;
    let mut rows = statement.query(params_from_iter(&query.params))?;
    while let Some(row) = rows.next()? {
        let minute: i64 = row.get(0)?;
        add(Time(minute * MINUTE), row.get(1)?, cell(row)?);
    }
    Ok(())
}

fn cell(row: &Row<'_>) -> rusqlite::Result<Tally> {
    let number = |column: usize| -> rusqlite::Result<u64> { Ok(row.get::<_, i64>(column)?.max(0) as u64) };
    Ok(Tally {
        statistics: Statistics {
            ok: number(2)?,
            error: number(3)?,
            throttle: number(4)?,
            fault: number(5)?,
            total_time: Length(row.get(6)?),
        },
        roots: number(7)?,
        inferred: number(8)?,
        first: Time(row.get(9)?),
        last: Time(row.get(10)?),
        responses: StoredHistogram::from_bytes(row.get_ref(11)?.as_blob()?),
        others: StoredHistogram::from_bytes(row.get_ref(12)?.as_blob()?),
    })
}

/// Counts row by row. A trace's segments start no earlier than the trace, and end no later.
fn rows(
    connection: &Connection,
    counted: Counted,
    only: &Only,
    (start, end): (Time, Time),
    add: &mut dyn FnMut(Time, i64, Tally),
) -> rusqlite::Result<()> {
    if start >= end {
        return Ok(());
    }
    read(connection, &rows_query(connection, counted, only, (start, end))?, add)
}

fn rows_query(
    connection: &Connection,
    counted: Counted,
    only: &Only,
    (start, end): (Time, Time),
) -> rusqlite::Result<Fragment> {
    let row = ROW[counted as usize];
    let mut query = Fragment::new(SELECT[counted as usize]);
    query.push(" FROM ");
    // In a wide window, the traces of some shapes, or the rows of the node or the edge, are fewer than all rows of all
    // traces.
    let is_wide = only.each.is_some() && is_wide(connection, (start, end))?;
    if let Some(shapes) = only.shapes.as_ref().filter(|_| is_wide) {
        query.push("traces t INDEXED BY traces_shape CROSS JOIN ").push(FROM[counted as usize]);
        query
            .push(" ON ")
            .push(of_trace(counted, only))
            .push(" WHERE t.shape IN (")
            .append(shapes.clone())
            .push(")");
    } else if is_wide && only.ids.is_some() {
        query.push(FROM[counted as usize]).push(" WHERE 1");
    } else {
        let longest: Option<i64> = connection
            .prepare_cached("SELECT max(duration_us) FROM traces")?
            .query_row([], |row| row.get(0))?;
        query.push("traces t CROSS JOIN ").push(FROM[counted as usize]).push(" ON ");
        query.push(of_trace(counted, only)).push(" WHERE t.start_us >= ");
        query.bind(start.0.saturating_sub(longest.unwrap_or_default()));
        query.push(" AND t.start_us < ").bind(end.0).push(" AND t.end_us >= ").bind(start.0);
    }
    query.push(" AND ").push(row).push(".start_us >= ").bind(start.0);
    query.push(" AND ").push(row).push(".start_us < ").bind(end.0);
    query.push(" AND ").push(row).push(".end_us IS NOT NULL");
    narrow(&mut query, row, only);
    Ok(query)
}

/// Reports whether a window holds at least half of the time in which traces started.
fn is_wide(connection: &Connection, (start, end): (Time, Time)) -> rusqlite::Result<bool> {
    let (first, last): (Option<i64>, Option<i64>) = connection
        .prepare_cached("SELECT (SELECT min(start_us) FROM traces), (SELECT max(start_us) FROM traces)")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (Some(first), Some(last)) = (first, last) else { return Ok(false) };
    Ok(end.0.min(last).saturating_sub(start.0.max(first)) >= (last - first) / 2)
}

/// Counts everything that is completed in traces, given by their keys.
pub(super) fn count_traces(
    connection: &Connection,
    counted: Counted,
    keys: &[i64],
    add: &mut dyn FnMut(Time, i64, Tally),
) -> rusqlite::Result<()> {
    let mut query = Fragment::new(SELECT[counted as usize]);
    let list: Vec<String> = keys.iter().map(i64::to_string).collect();
    query
        .push(" FROM json_each(")
        .bind(format!("[{}]", list.join(",")))
        .push(") j CROSS JOIN traces t CROSS JOIN ");
    let row = ROW[counted as usize];
    query
        .push(FROM[counted as usize])
        .push(" ON ")
        .push(of_trace(counted, &Only::default()))
        .push(" WHERE t.key = j.value AND ");
    query.push(row).push(".end_us IS NOT NULL");
    read(connection, &query, add)
}

const SELECT: [&str; 2] = [
    "SELECT s.start_us, s.node, s.end_us, s.error, s.throttle, s.fault, s.root, s.inferred, s.duration_us",
    "SELECT e.start_us, e.edge, e.end_us, e.error, e.throttle, e.fault, 0, e.inferred, e.age_us",
];

const FROM: [&str; 2] = ["segments s", "calls e"];

/// Ties rows to those of a trace. Where nodes or edges are chosen, these lead to the rows, else those of the shape do.
fn of_trace(counted: Counted, only: &Only) -> &'static str {
    if only.ids.is_none() {
        return sql::OF_TRACE[counted as usize];
    }
    ["s.trace = t.key", "e.trace = t.key"][counted as usize]
}

/// The names that conditions have for a segment and a call.
const ROW: [&str; 2] = ["s", "e"];

fn narrow(query: &mut Fragment, row: &str, only: &Only) {
    if let Some(group) = only.group {
        query.push(" AND EXISTS (SELECT 1 FROM trace_groups r WHERE r.trace = ").push(row);
        query.push(".trace AND r.grp = ").bind(group).push(")");
    }
    if let Some(ids) = &only.ids {
        query.push(if row == "s" { " AND s.node IN (" } else { " AND e.edge IN (" });
        query.append(ids.clone()).push(")");
    }
    if let Some(each) = &only.each {
        query.push(" AND ").append(each.clone());
    }
}

fn read(
    connection: &Connection,
    query: &Fragment,
    add: &mut dyn FnMut(Time, i64, Tally),
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(&query.sql)?;
    let mut rows = statement.query(params_from_iter(&query.params))?;
    while let Some(row) = rows.next()? {
        let (start, end) = (Time(row.get(0)?), Time(row.get(2)?));
        let (error, throttle, fault): (bool, bool, bool) = (row.get(3)?, row.get(4)?, row.get(5)?);
        let mut tally = Tally { first: start, last: end, ..Tally::default() };
        tally.roots = u64::from(row.get::<_, bool>(6)?);
        tally.inferred = u64::from(row.get::<_, bool>(7)?);
        // Each request counts in one class: a fault, else a throttle, else an error.
        let class = match (fault, throttle, error) {
            (true, ..) => &mut tally.statistics.fault,
            (_, true, _) => &mut tally.statistics.throttle,
            (_, _, true) => &mut tally.statistics.error,
            _ => &mut tally.statistics.ok,
        };
        *class = 1;
        tally.statistics.total_time = end - start;
        tally.responses.add((end - start).milliseconds(), 1);
        if let Some(other) = row.get::<_, Option<i64>>(8)? {
            tally.others.add(Length(other).milliseconds(), 1);
        }
        add(start, row.get(1)?, tally);
    }
    Ok(())
}

/// Microseconds of a minute.
const MINUTE: i64 = 60_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_window_is_counted_from_the_index_of_the_node_or_of_shapes() {
        let options = crate::store::Options::at(crate::store::Place::Memory);
        let store = crate::store::Store::open(options).unwrap();
        let start = crate::model::now();
        for (number, ago) in [(1, 3_000), (2, 2_000), (3, 1_000), (4, 0)] {
            let start = start.seconds() - f64::from(ago);
            let document = format!(
                r#"{{"name":"shop","id":"{number:016x}","trace_id":"1-{:08x}-{number:024x}","start_time":{start},"end_time":{}}}"#,
                start as u64,
                start + 1.0
            );
            let verdicts = store.put_blocking(vec![document.into_bytes()], crate::model::Door::Api);
            assert_eq!(verdicts, Ok(vec![None]));
        }
        let by_node = Only {
            ids: Some(Fragment::new("SELECT id FROM nodes WHERE name = 'shop' AND type = ''")),
            each: Some(Fragment::new("s.response_us > 1")),
            ..Only::default()
        };
        let by_shape = Only { shapes: Some(Fragment::new("SELECT id FROM shapes")), ..by_node.clone() };
        for ((from, is_wide, expected), (only, index)) in
            [(3_500, true, 4), (1_600, true, 2), (1_200, false, 2), (500, false, 1)].into_iter().flat_map(
                |window| {
                    [(&by_node, "FROM segments s WHERE"), (&by_shape, "INDEXED BY traces_shape")]
                        .map(|only| (window, only))
                },
            )
        {
            let window = (start.plus(Length(from * -1_000_000)), start.plus(Length(1_000_000)));
            let mut counted = 0;
            let sql: String = store
                .read(|connection| {
                    let mut add = |_, _, tally: Tally| counted += tally.statistics.ok;
                    count(connection, Counted::Segments, only, window, true, &mut add)?;
                    Ok::<_, crate::store::StoreError>(
                        rows_query(connection, Counted::Segments, only, window)?.sql,
                    )
                })
                .unwrap();
            assert_eq!((sql.contains(index), counted), (is_wide, expected), "{from} {index}");
        }
    }

    #[test]
    fn many_different_times_are_rounded_to_two_digits() {
        let mut stored = StoredHistogram::default();
        for value in 1..=200 {
            stored.add(value, 1);
        }
        assert_eq!(histogram(&stored).counts.len(), 200);
        stored.add(1_234, 2);
        let rounded = histogram(&stored);
        assert_eq!(rounded.total(), 202);
        // 1 to 99 one by one; 100 holds 100 to 104, 110 holds 105 to 114, 200 holds 195 to 200.
        assert_eq!(rounded.counts[98..=100], [(99, 1), (100, 5), (110, 10)]);
        assert_eq!(rounded.counts[rounded.counts.len() - 2..], [(200, 6), (1_200, 2)]);
        assert_eq!(rounded.quantile(1.0), Some(1_200));
        assert_eq!(rounded.quantile(0.0), Some(1));
    }
}
