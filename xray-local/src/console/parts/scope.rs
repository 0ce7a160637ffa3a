//! The part of the data that a page is about: a range of time, relative or absolute, and a group.
//!
//! Addresses carry it as `since`, `start`, `end` and `group`. Absolute times are RFC 3339; without a zone they are UTC.
//! A script shows them in the browser's zone, and writes them in UTC when the form is sent.

use maud::{Markup, html};
use rusqlite::Connection;
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::error::PageError;
use crate::control::ControlError;
use crate::control::groups::{self, GroupKey};
use crate::model::{Length, Time};
use crate::query::Range;
use crate::query::filter::{Expr, Filter};

/// Ranges up to now: value, words, seconds.
const RANGES: [(&str, &str, i64); 6] = [
    ("", "All times", 0),
    ("5m", "5 minutes", 300),
    ("30m", "30 minutes", 1_800),
    ("3h", "3 hours", 10_800),
    ("1d", "1 day", 86_400),
    ("7d", "7 days", 604_800),
];

/// The value of `since` for a range between two times.
const BETWEEN: &str = "at";

/// Groups that can be chosen.
const GROUPS: usize = 100;

/// Seconds that a call of `GetTraceSummaries` may span.
const API_SECONDS: i64 = 21_600;

/// The parameters of a page's address that choose a part of the data.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::console) struct Scope {
    since: String,
    start: String,
    end: String,
    pub(in crate::console) group: String,
}

impl Scope {
    /// The range of time up to `now`, or between two times.
    ///
    /// # Errors
    /// A time that is not understood, or an end that is not after the start.
    pub(in crate::console) fn range(&self, now: Time) -> Result<Range, PageError> {
        if self.since == BETWEEN {
            let start = instant(&self.start)?.unwrap_or(Time(0));
            let end = instant(&self.end)?.unwrap_or(Time(i64::MAX));
            if end <= start {
                return Err(PageError::bad_request("The end of the range is not after its start."));
            }
            return Ok(Range::of_ids(start, end));
        }
        Ok(match self.seconds() {
            0 => Range::ALL,
            seconds => Range::of_ids(Time(now.0 - seconds * 1_000_000), now.plus(Length(60_000_000))),
        })
    }

    /// The number of the chosen group.
    ///
    /// # Errors
    /// There is no group of this name, or the store fails.
    pub(in crate::console) fn group(&self, connection: &Connection) -> Result<Option<i64>, PageError> {
        if self.group.is_empty() {
            return Ok(None);
        }
        let found = groups::find(connection, &GroupKey::Name(self.group.clone()));
        found.map(|group| Some(group.number)).map_err(|err| match err {
            ControlError::Store(err) => err.into(),
            _ => PageError::bad_request(format!("There is no group {}.", self.group)),
        })
    }

    /// The condition that the chosen group is, for a filter expression.
    pub(in crate::console) fn condition(&self) -> Option<Expr> {
        let filter = format!("group.name = \"{}\"", self.group);
        (!self.group.is_empty()).then(|| Filter::parse(&filter).ok()?.expr().cloned()).flatten()
    }

    /// The parameters for an address; those without effect are empty.
    pub(in crate::console) fn parameters(&self) -> [(&str, &str); 4] {
        let between = self.since == BETWEEN;
        [
            ("since", self.since.as_str()),
            ("start", if between { self.start.as_str() } else { "" }),
            ("end", if between { self.end.as_str() } else { "" }),
            ("group", self.group.as_str()),
        ]
    }

    /// The parameters as hidden inputs of a form.
    pub(in crate::console) fn hidden(&self) -> Markup {
        html! {
            @for (name, value) in self.parameters() {
                @if !value.is_empty() { input type="hidden" name=(name) value=(value); }
            }
        }
    }

    /// The inputs of a form that choose a range of time and, of `groups`, one.
    pub(in crate::console) fn fields(&self, groups: &[String]) -> Markup {
        html! {
            span.when {
                select name="since" aria-label="Range of time" {
                    @for (value, words, _) in RANGES {
                        option value=(value) selected[value == self.since] { (words) }
                    }
                    option value=(BETWEEN) selected[self.since == BETWEEN] { "Between…" }
                }
                span.between {
                    @for (name, value) in [("start", &self.start), ("end", &self.end)] {
                        label {
                            (if name == "start" { "from " } else { "to " })
                            input type="datetime-local" step="1" name=(name) data-instant value=(local(value));
                        }
                    }
                }
            }
            @if !groups.is_empty() {
                select name="group" aria-label="Group" {
                    option value="" { "All traces" }
                    @for name in groups { option value=(name) selected[*name == self.group] { (name) } }
                }
            }
        }
    }

    /// The start and the end for a call of the API: as a shell writes them, and as Python does.
    pub(in crate::console) fn as_code(&self) -> [[String; 2]; 2] {
        let between = (self.since == BETWEEN)
            .then(|| Some((instant(&self.start).ok()?, instant(&self.end).ok()??)))
            .flatten();
        if let Some((start, end)) = between {
            let end = end.seconds();
            let earliest = end - API_SECONDS as f64;
            let start = start.map_or(earliest, |start| start.seconds().max(earliest));
            let both = [start.to_string(), end.to_string()];
            return [both.clone(), both];
        }
        let seconds = match self.seconds() {
            0 => API_SECONDS,
            seconds => seconds.min(API_SECONDS),
        };
        [
            [format!("$(($(date +%s)-{seconds}))"), "$(date +%s)".to_owned()],
            [format!("time.time()-{seconds}"), "time.time()".to_owned()],
        ]
    }

    fn seconds(&self) -> i64 {
        RANGES.iter().find(|(value, ..)| *value == self.since).map_or(0, |(.., seconds)| *seconds)
    }
}

/// The names of the groups that can be chosen.
///
/// # Errors
/// The store's.
pub(in crate::console) fn groups(connection: &Connection) -> Result<Vec<String>, PageError> {
    Ok(groups::list(connection, 0, GROUPS)?.into_iter().map(|group| group.name).collect())
}

/// Reads `2026-11-27T01:00:00Z`, with any offset, fraction, or without seconds and zone; nothing of an empty string.
fn instant(text: &str) -> Result<Option<Time>, PageError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let spellings = [text.to_owned(), format!("{text}Z"), format!("{text}:00Z")];
    let read = spellings.iter().find_map(|spelling| OffsetDateTime::parse(spelling, &Rfc3339).ok());
    let read = read.and_then(|time| i64::try_from(time.unix_timestamp_nanos() / 1_000).ok());
    match read {
        Some(micros) => Ok(Some(Time(micros))),
        None => Err(PageError::bad_request(format!(
            "\"{text}\" is not a time. Accepted is RFC 3339, such as 2026-11-27T01:00:00Z."
        ))),
    }
}

/// The value of an input for a time, in UTC.
fn local(text: &str) -> String {
    let written = instant(text).ok().flatten().and_then(|time| {
        OffsetDateTime::from_unix_timestamp(time.epoch_second()).ok()?.format(&Rfc3339).ok()
    });
    written.map(|written| written.trim_end_matches('Z').to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(start: &str, end: &str) -> Scope {
        Scope { since: BETWEEN.to_owned(), start: start.to_owned(), end: end.to_owned(), ..Scope::default() }
    }

    #[test]
    fn absolute_ranges_are_read_with_and_without_a_zone() {
        for (start, micros) in [
            ("1970-01-01T00:00:01Z", 1_000_000),
            ("1970-01-01T00:00:01", 1_000_000),
            ("1970-01-01T00:01", 60_000_000),
            ("1970-01-01T01:00:00.5+01:00", 500_000),
            ("", 0),
        ] {
            assert_eq!(between(start, "").range(Time(0)).unwrap().start, Time(micros), "{start}");
        }
        assert!(between("yesterday", "").range(Time(0)).is_err());
        assert!(between("2026-01-02T00:00", "2026-01-01T00:00").range(Time(0)).is_err());
    }

    #[test]
    fn the_api_is_asked_for_six_hours_at_most() {
        let [shell, python] = between("2026-01-01T00:00", "2026-01-02T00:00").as_code();
        assert_eq!(shell, ["1767290400", "1767312000"]);
        assert_eq!(shell, python);
        let week = Scope { since: "7d".to_owned(), ..Scope::default() };
        assert_eq!(week.as_code()[1], ["time.time()-21600", "time.time()"]);
    }
}
