//! Times as policies and STS write them.
//!
//! The store and the model count microseconds; conditions and session credentials write ISO 8601.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::model::Time;

/// A time as `2026-11-26T22:15:00Z`.
pub(super) fn iso(instant: Time) -> String {
    let instant = OffsetDateTime::from_unix_timestamp(instant.epoch_second()).ok();
    instant.and_then(|instant| instant.format(&Rfc3339).ok()).unwrap_or_default()
}
