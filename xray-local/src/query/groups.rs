//! Groups of a trace, found as it is stored.

use rusqlite::Connection;

use super::filter::Filter;
use super::search::among;
use crate::model::TraceKey;
use crate::store::Matcher;

/// Compares traces with the expressions in the table of groups. A group without an expression gets every
/// trace; one whose expression is not understood gets none.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct GroupMatcher {}

impl GroupMatcher {
    /// A matcher for [`Store::set_matcher`](crate::store::Store::set_matcher).
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Matcher for GroupMatcher {
    fn groups(&self, connection: &Connection, traces: &[TraceKey]) -> rusqlite::Result<Vec<(i64, TraceKey)>> {
        // There are at most a few groups, and the table's page is in the cache.
        let groups: Vec<(i64, String)> = connection
            .prepare_cached("SELECT number, expression FROM groups")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        let mut pairs = Vec::new();
        for (group, expression) in groups {
            let Ok(filter) = Filter::parse(&expression) else { continue };
            pairs.extend(among(connection, &filter, traces)?.into_iter().map(|key| (group, key)));
        }
        Ok(pairs)
    }
}
