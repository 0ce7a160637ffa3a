//! Counts of traces between two keys, and keys that many traces lie above: from the counts per minute where they are.

use rusqlite::Connection;

use super::plan::Bounds;
use crate::model::TraceKey;

/// Counts the keys within the bounds: whole minutes from their table, the rest one by one.
pub(super) fn count(connection: &Connection, bounds: Bounds) -> rusqlite::Result<u64> {
    let mut between = connection.prepare_cached("SELECT count(*) FROM traces WHERE key >= ? AND key < ?")?;
    let mut between = |low: i64, high: i64| -> rusqlite::Result<i64> {
        if low < high { between.query_row([low, high], |row| row.get(0)) } else { Ok(0) }
    };
    let first = TraceKey(bounds.low.saturating_sub(1)).minute() + 1;
    let last = TraceKey(bounds.high).minute();
    if first >= last {
        return between(bounds.low, bounds.high).map(|count| count.max(0) as u64);
    }
    let whole: i64 = connection
        .prepare_cached(
            "SELECT coalesce(sum(traces), 0) FROM trace_minutes WHERE minute >= ? AND minute < ?",
        )?
        .query_row([first, last], |row| row.get(0))?;
    let count = between(bounds.low, first_key(first))? + whole + between(first_key(last), bounds.high)?;
    Ok(count.max(0) as u64)
}

/// The lowest key of a minute since 1970.
fn first_key(minute: i64) -> i64 {
    TraceKey::lowest(minute.saturating_mul(60)).0
}

/// The key that `count` traces of the bounds lie above; `None` if there are no more.
pub(super) fn older(connection: &Connection, bounds: Bounds, count: usize) -> rusqlite::Result<Option<i64>> {
    let mut statement = connection.prepare_cached(
        "SELECT key FROM traces WHERE key >= ? AND key < ? ORDER BY key DESC LIMIT 1 OFFSET ?",
    )?;
    let mut rows = statement.query((bounds.low, bounds.high, count.saturating_sub(1) as i64))?;
    rows.next()?.map(|row| row.get(0)).transpose()
}

/// A key that about `count` traces of the bounds lie above: the first of a minute, unless the minute has many more.
/// `None` if there are no more traces.
pub(super) fn below(connection: &Connection, bounds: Bounds, count: usize) -> rusqlite::Result<Option<i64>> {
    let mut statement = connection.prepare_cached(
        "SELECT minute, traces FROM trace_minutes WHERE minute >= ? AND minute <= ? ORDER BY minute DESC",
    )?;
    let (first, last) = (TraceKey(bounds.low).minute(), TraceKey(bounds.high.saturating_sub(1)).minute());
    let mut rows = statement.query([first, last])?;
    let mut above = 0;
    while let Some(row) = rows.next()? {
        above += row.get::<_, i64>(1)?.max(0) as usize;
        if above > count.saturating_mul(2) {
            return older(connection, bounds, count);
        }
        if above >= count {
            return Ok(Some(first_key(row.get(0)?)).filter(|low| *low > bounds.low));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Traces of some seconds, by minute: 3, none, 1, and 40.
    fn traces() -> (Connection, Vec<i64>) {
        let connection = Connection::open_in_memory().unwrap();
        let tables = "CREATE TABLE traces (key INTEGER PRIMARY KEY);
                      CREATE TABLE trace_minutes (minute INTEGER PRIMARY KEY, traces INTEGER NOT NULL)";
        connection.execute_batch(tables).unwrap();
        let seconds = [600, 601, 659, 739].into_iter().chain(780..820);
        let keys: Vec<i64> = seconds.map(|second| TraceKey::lowest(second).0 + 5).collect();
        for key in &keys {
            connection.execute("INSERT INTO traces VALUES (?)", [key]).unwrap();
            let add = "INSERT INTO trace_minutes VALUES (?, 1) ON CONFLICT DO UPDATE SET traces = traces + 1";
            connection.execute(add, [TraceKey(*key).minute()]).unwrap();
        }
        (connection, keys)
    }

    #[test]
    fn minutes_and_their_parts_are_counted_once() {
        let (connection, keys) = traces();
        let mut ends: Vec<i64> = (590..830).map(|second| TraceKey::lowest(second).0).collect();
        ends.extend([0, keys[1], keys[1] + 1, keys[20], i64::MAX]);
        for &low in &ends {
            for &high in &ends {
                let expected = keys.iter().filter(|key| (low..high).contains(key)).count() as u64;
                assert_eq!(count(&connection, Bounds { low, high }), Ok(expected), "{low} {high}");
            }
        }
    }

    #[test]
    fn a_step_ends_with_a_minute_unless_the_minute_is_crowded() {
        let (connection, keys) = traces();
        let all = Bounds { low: 0, high: i64::MAX };
        let first = |second| Ok(Some(TraceKey::lowest(second).0));
        for (bounds, steps, expected) in [
            (all, 40, first(780)),
            (all, 30, first(780)),
            (all, 41, first(720)),
            (all, 44, first(600)),
            (all, 45, Ok(None)),
            // 40 in one minute are too many.
            (all, 10, Ok(Some(keys[34]))),
            (Bounds { high: keys[4], ..all }, 1, Ok(Some(keys[3]))),
            (Bounds { high: TraceKey::lowest(780).0, ..all }, 1, first(720)),
            (Bounds { high: TraceKey::lowest(780).0, low: TraceKey::lowest(720).0 }, 1, Ok(None)),
        ] {
            assert_eq!(below(&connection, bounds, steps), expected, "{bounds:?} {steps}");
        }
    }
}
