//! Finds traces, newest first.
//!
//! ```text
//!  the filter's shapes ── none? ──► done                             what shapes decide
//!       └─ nothing else to check ──► newest traces of each shape, merged
//!  newest traces ── enough found? ──► done                          frequent matches
//!       └─ keys from the index of one condition, if they are few ──► check the other conditions
//!             └─ walk on, in growing steps                          matches rare, no index helps
//! ```
//!
//! A step for `!TEST` counts the traces that satisfy the test. If those are all, the step is done. If they are most, it
//! reads two lists, the keys of all traces and of those, and checks what is left.

use rusqlite::{Connection, params_from_iter};

use super::super::filter::keyword::Scope;
use super::super::filter::{Filter, Fragment, Predicate, sql};
use super::minutes::{below, count, older};
use super::plan::{self, Bounds, Conjunct, Cost};
use super::range::{RangeKind, Sample, Search};
use crate::model::{TraceKey, limits};
use crate::store::StoreError;

/// Keys of a page of matching traces, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The keys, at most as many as were asked for.
    pub keys: Vec<TraceKey>,
    /// Start of the next page; `None` on the last page.
    pub next: Option<TraceKey>,
    /// Traces that were looked at for this page, matching or not.
    pub processed: u64,
}

/// Finds a page of traces, newest first.
///
/// # Errors
/// SQLite's.
pub fn find(connection: &Connection, search: &Search) -> Result<Found, StoreError> {
    find_at(connection, search, &Pace::default())
}

/// Finds a page of traces at another pace.
pub(in crate::query) fn find_at(
    connection: &Connection,
    search: &Search,
    pace: &Pace,
) -> Result<Found, StoreError> {
    let mut bounds = Bounds::of(search);
    if search.sample == Sample::PartialScan
        && let Some(low) = older(connection, bounds, limits::PARTIAL_SCAN_TRACES)?
    {
        bounds.low = low;
    }
    let longest = longest(connection, search)?;
    let mut conjuncts = plan::conjuncts(search, bounds, longest);
    let wanted = search.limit.saturating_add(1);
    let shapes = match search.filter.expr().and_then(plan::shaped) {
        Some(shaped) => Some(numbers(connection, &sql::shapes(&shaped))?),
        None => None,
    };
    let mut keys = match shapes {
        Some(shapes) if shapes.is_empty() => Vec::new(),
        Some(shapes) if conjuncts.is_empty() && shapes.len() <= pace.most_shapes => {
            of_shapes(connection, &shapes, bounds, wanted)?
        }
        shapes => {
            // First, as it is checked soonest.
            let shapes = shapes.map(|shapes| plan::has_shape(&list(shapes.into_iter()), bounds));
            conjuncts.splice(0..0, shapes);
            let mut walk = Walk { connection, pace, conjuncts, wanted, subtracts: false, keys: Vec::new() };
            walk.run(bounds)?;
            walk.keys
        }
    };
    let is_full = keys.len() > search.limit;
    keys.truncate(search.limit);
    let next = keys.last().copied().filter(|_| is_full);
    let looked_at = Bounds { low: next.map_or(bounds.low, |key| key.0), ..bounds };
    let processed = processed(connection, search, looked_at, longest)?;
    Ok(Found { keys, next, processed })
}

/// Counts the traces within the bounds, matching or not.
fn processed(
    connection: &Connection,
    search: &Search,
    bounds: Bounds,
    longest: i64,
) -> rusqlite::Result<u64> {
    if search.range.kind == RangeKind::TraceId && !matches!(search.sample, Sample::FixedRate(_)) {
        return count(connection, bounds);
    }
    let mut query = Fragment::new("SELECT count(*) FROM traces t WHERE ");
    query.append(plan::surroundings(&Search { group: None, ..search.clone() }, bounds, longest));
    connection.prepare_cached(&query.sql)?.query_row(params_from_iter(&query.params), |row| row.get(0))
}

/// The newest traces of the shapes within the bounds, at most `wanted`.
fn of_shapes(
    connection: &Connection,
    shapes: &[i64],
    mut bounds: Bounds,
    wanted: usize,
) -> rusqlite::Result<Vec<TraceKey>> {
    let mut newest = connection.prepare_cached(
        "SELECT key FROM traces WHERE shape = ? AND key >= ? AND key < ? ORDER BY key DESC LIMIT ?",
    )?;
    let mut keys: Vec<i64> = Vec::new();
    // Late shapes have the newest traces, which narrow the bounds for the others.
    for shape in shapes.iter().rev() {
        let found = newest.query_map((shape, bounds.low, bounds.high, wanted as i64), |row| row.get(0))?;
        for key in found {
            keys.push(key?);
        }
        if keys.len() >= wanted.saturating_mul(2) {
            keys.sort_unstable_by(|a, b| b.cmp(a));
            keys.truncate(wanted);
            bounds.low = keys.last().copied().unwrap_or(bounds.low);
        }
    }
    keys.sort_unstable_by(|a, b| b.cmp(a));
    keys.truncate(wanted);
    Ok(keys.into_iter().map(TraceKey).collect())
}

/// Reports whether a stored trace matches a filter: for a live tail.
///
/// # Errors
/// SQLite's.
pub fn matches(connection: &Connection, filter: &Filter, trace: TraceKey) -> Result<bool, StoreError> {
    Ok(!among(connection, filter, &[trace])?.is_empty())
}

/// Those of the traces that match a filter, in the order given.
///
/// # Errors
/// SQLite's.
pub fn among(
    connection: &Connection,
    filter: &Filter,
    traces: &[TraceKey],
) -> rusqlite::Result<Vec<TraceKey>> {
    let Some(expr) = filter.expr() else {
        return Ok(traces.to_vec());
    };
    let matching = check(connection, &sql::condition(expr, Scope::Trace), traces.iter().map(|key| key.0))?;
    Ok(traces.iter().copied().filter(|key| matching.contains(&key.0)).collect())
}

/// The keys that satisfy a condition over `t`.
fn check(
    connection: &Connection,
    condition: &Fragment,
    keys: impl Iterator<Item = i64>,
) -> rusqlite::Result<std::collections::HashSet<i64>> {
    let mut query = Fragment::new("SELECT t.key FROM json_each(");
    query.bind(list(keys)).push(") j JOIN traces t ON t.key = j.value WHERE ").append(condition.clone());
    let mut statement = connection.prepare_cached(&query.sql)?;
    statement.query_map(params_from_iter(&query.params), |row| row.get(0))?.collect()
}

/// The numbers that a query selects.
fn numbers(connection: &Connection, query: &Fragment) -> rusqlite::Result<Vec<i64>> {
    let mut statement = connection.prepare_cached(&query.sql)?;
    statement.query_map(params_from_iter(&query.params), |row| row.get(0))?.collect()
}

/// Numbers as a JSON list.
fn list(numbers: impl Iterator<Item = i64>) -> String {
    let mut list = String::from("[");
    for number in numbers {
        if list.len() > 1 {
            list.push(',');
        }
        list.push_str(&number.to_string());
    }
    list.push(']');
    list
}

/// The longest duration of a trace, in microseconds, if the search needs it.
pub(in crate::query) fn longest(connection: &Connection, search: &Search) -> rusqlite::Result<i64> {
    if search.range.kind == RangeKind::TraceId {
        return Ok(0);
    }
    let longest: Option<i64> =
        connection.prepare_cached("SELECT max(duration_us) FROM traces")?.query_row([], |row| row.get(0))?;
    Ok(longest.unwrap_or_default())
}

/// The part of the traces of a step above which checking all of them is as quick as subtracting lists: a quarter.
const LEFT_SHARE: usize = 4;

struct Walk<'c> {
    connection: &'c Connection,
    pace: &'c Pace,
    conjuncts: Vec<Conjunct>,
    /// Found keys that are enough.
    wanted: usize,
    /// True while steps for `!TEST` subtract lists of keys.
    subtracts: bool,
    keys: Vec<TraceKey>,
}

impl Walk<'_> {
    fn run(&mut self, mut bounds: Bounds) -> rusqlite::Result<()> {
        if self.conjuncts.is_empty() {
            return self.step(bounds);
        }
        let mut steps = self.pace.first;
        let mut looked_for_keys = false;
        loop {
            let low = below(self.connection, bounds, steps)?;
            let before = self.keys.len();
            self.step(Bounds { low: low.unwrap_or(bounds.low), ..bounds })?;
            let Some(low) = low.filter(|_| self.keys.len() < self.wanted) else {
                return Ok(());
            };
            bounds.high = low;
            // Walking on pays if there are enough matches to fill the page soon.
            let steps_worth_walking =
                if self.has_seek() { self.pace.steps_before_seek } else { self.pace.steps_before_keys };
            let is_frequent = (self.keys.len() - before) * steps_worth_walking >= self.wanted;
            if !is_frequent && !looked_for_keys {
                looked_for_keys = true;
                if let Some(candidates) = self.candidates(bounds)? {
                    return self.check(&candidates);
                }
                self.subtracts = true;
            }
            steps = (steps * 4).min(if self.subtracts { self.pace.subtracted } else { self.pace.largest });
        }
    }

    /// Walks over all traces within the bounds, until enough are found.
    fn step(&mut self, bounds: Bounds) -> rusqlite::Result<()> {
        if self.subtracts {
            match self.left(bounds)? {
                Some(left) => return self.check(&left),
                None => self.subtracts = false,
            }
        }
        // By key, whatever other index a condition has: the step is short, and its results are in order.
        let mut query = Fragment::new("SELECT t.key FROM traces t NOT INDEXED WHERE t.key >= ");
        query.bind(bounds.low).push(" AND t.key < ").bind(bounds.high).push(" AND ").append(self.condition());
        query.push(" ORDER BY t.key DESC LIMIT ").bind((self.wanted - self.keys.len()) as i64);
        let mut statement = self.connection.prepare_cached(&query.sql)?;
        let found = statement.query_map(params_from_iter(&query.params), |row| Ok(TraceKey(row.get(0)?)))?;
        for key in found {
            self.keys.push(key?);
        }
        Ok(())
    }

    /// The traces within the bounds that do not satisfy the tests that must not hold, newest first. `None` without such
    /// a test, or if that leaves most traces.
    fn left(&self, bounds: Bounds) -> rusqlite::Result<Option<Vec<i64>>> {
        let tests: Vec<&Predicate> =
            self.conjuncts.iter().filter_map(|conjunct| conjunct.unless.as_ref()).collect();
        if tests.is_empty() {
            return Ok(None);
        }
        let all = count(self.connection, bounds)? as usize;
        let mut most = 0;
        for test in &tests {
            most = most.max(self.satisfying(test, bounds)?);
        }
        if most >= all {
            return Ok(Some(Vec::new()));
        }
        let mut query = Fragment::new("SELECT key FROM traces WHERE key >= ");
        query.bind(bounds.low).push(" AND key < ").bind(bounds.high).push(" ORDER BY key DESC");
        let mut left = self.list(&query)?;
        for keys in tests.into_iter().filter_map(|test| plan::keys_of(test, bounds)) {
            let mut without = self.list(&keys.query)?;
            without.sort_unstable_by(|a, b| b.cmp(a));
            let mut without = without.into_iter().peekable();
            left.retain(|key| {
                while without.next_if(|next| next > key).is_some() {}
                without.peek() != Some(key)
            });
        }
        Ok(Some(left).filter(|left| left.len() <= all / LEFT_SHARE))
    }

    /// Counts traces within the bounds that satisfy a test, by a walk over an index.
    fn satisfying(&self, test: &Predicate, bounds: Bounds) -> rusqlite::Result<usize> {
        let Some(query) = plan::count_of(test, bounds) else { return Ok(0) };
        Ok(self.list(&query)?.first().map_or(0, |count| (*count).max(0) as usize))
    }

    fn list(&self, query: &Fragment) -> rusqlite::Result<Vec<i64>> {
        numbers(self.connection, query)
    }

    fn condition(&self) -> Fragment {
        Fragment::join(self.conjuncts.iter().map(|conjunct| conjunct.check.clone()), " AND ", "1")
    }

    fn has_seek(&self) -> bool {
        let mut keys = self.conjuncts.iter().filter_map(|conjunct| conjunct.keys.as_ref());
        keys.any(|keys| keys.cost == Cost::Seek)
    }

    /// The shortest list of keys that an index gives, newest first; `None` if none is short.
    fn candidates(&self, bounds: Bounds) -> rusqlite::Result<Option<Vec<i64>>> {
        let mut shortest: Option<Vec<i64>> = None;
        for cost in [Cost::Seek, Cost::Scan] {
            for keys in self.conjuncts.iter().filter_map(|conjunct| conjunct.keys.as_ref()) {
                if keys.cost != cost {
                    continue;
                }
                let most = shortest.as_ref().map_or(self.pace.most_candidates, Vec::len);
                let mut query = Fragment::new("SELECT * FROM (");
                query.append(keys.query.clone()).push(") LIMIT ").bind(most as i64);
                let found = self.list(&query)?;
                if found.len() < most {
                    shortest = Some(found);
                }
                if shortest.as_ref().is_some_and(|keys| keys.len() <= self.pace.few_candidates) {
                    break;
                }
            }
            if shortest.is_some() {
                break;
            }
        }
        Ok(shortest.map(|mut keys| {
            keys.retain(|key| *key < bounds.high);
            keys.sort_unstable_by(|a, b| b.cmp(a));
            keys.dedup();
            keys
        }))
    }

    fn check(&mut self, candidates: &[i64]) -> rusqlite::Result<()> {
        let condition = self.condition();
        for chunk in candidates.chunks(self.pace.few_candidates) {
            let matching = check(self.connection, &condition, chunk.iter().copied())?;
            self.keys.extend(chunk.iter().copied().filter(|key| matching.contains(key)).map(TraceKey));
            if self.keys.len() >= self.wanted {
                break;
            }
        }
        self.keys.truncate(self.wanted);
        Ok(())
    }
}

/// Steps of a search, and when it asks an index. The results don't depend on it.
#[derive(Clone, Debug)]
pub(in crate::query) struct Pace {
    /// Traces of the first step of a walk.
    pub(in crate::query) first: usize,
    /// Traces of the largest step.
    pub(in crate::query) largest: usize,
    /// Traces of the largest step for `!TEST`: a step without a match costs little, one with a match costs all of it.
    pub(in crate::query) subtracted: usize,
    /// Steps of the present density that may follow before an index is asked.
    pub(in crate::query) steps_before_keys: usize,
    /// Steps before a seek where the index leads to the keys, which is cheaper than reading a whole one.
    pub(in crate::query) steps_before_seek: usize,
    /// Shapes whose newest traces are merged.
    pub(in crate::query) most_shapes: usize,
    /// Keys of an index that are still few compared with a walk.
    pub(in crate::query) most_candidates: usize,
    /// Keys that are checked at once.
    pub(in crate::query) few_candidates: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first: 4_000,
            largest: 256_000,
            subtracted: 64_000,
            steps_before_keys: 20,
            steps_before_seek: 4,
            most_shapes: 20_000,
            most_candidates: 100_000,
            few_candidates: 2_000,
        }
    }
}
