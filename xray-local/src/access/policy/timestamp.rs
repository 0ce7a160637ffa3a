//! Instants as `DateLessThan` and its relatives compare them: ISO 8601, or seconds since 1970.
//!
//! Dates without a time begin at midnight UTC, times without a zone are UTC.

use time::format_description::well_known::Iso8601;
use time::{Date, OffsetDateTime, PrimitiveDateTime};

/// Nanoseconds since 1970 of an ISO 8601 date, date with time, or a number of seconds.
pub(super) fn parse(source: &str) -> Option<i128> {
    if let Ok(seconds) = source.parse::<i64>() {
        return Some(i128::from(seconds) * 1_000_000_000);
    }
    if let Ok(instant) = OffsetDateTime::parse(source, &Iso8601::DEFAULT) {
        return Some(instant.unix_timestamp_nanos());
    }
    if let Ok(instant) = PrimitiveDateTime::parse(source, &Iso8601::DEFAULT) {
        return Some(instant.assume_utc().unix_timestamp_nanos());
    }
    let date = Date::parse(source, &Iso8601::DEFAULT).ok()?;
    Some(date.midnight().assume_utc().unix_timestamp_nanos())
}
