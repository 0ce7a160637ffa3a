//! `20261126T221500Z`: the form of instants in signatures.
//!
//! Exactly these 16 characters are accepted: the signature covers the string, not the instant.

use std::time::{Duration, SystemTime};

use time::format_description::FormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

const FORM: &[FormatItem<'_>] = format_description!("[year][month][day]T[hour][minute][second]Z");

/// Reads an instant. `None` if the form is another, or the day does not exist.
pub(super) fn parse(source: &str) -> Option<SystemTime> {
    let instant = PrimitiveDateTime::parse(source, FORM).ok()?.assume_utc();
    let seconds = u64::try_from(instant.unix_timestamp()).ok()?;
    // The parser is lenient in places, and the signature covers the characters.
    (source.len() == 16).then(|| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

/// Writes an instant.
pub(super) fn format(instant: SystemTime) -> String {
    OffsetDateTime::from(instant).format(FORM).unwrap_or_default()
}
