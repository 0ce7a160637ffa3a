//! Numbers, lengths, times and links as pages write them.

use maud::{Markup, html};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::model::{self, Length, Time};
use crate::query::Statistics;

/// `850 µs`, `12.3 ms`, `1.23 s`, `2 m 5 s`
pub(in crate::console) fn length(length: Length) -> String {
    let micros = length.0.max(0);
    match micros {
        0 => "0 ms".to_owned(),
        1..1_000 => format!("{micros} µs"),
        1_000..10_000 => format!("{:.2} ms", micros as f64 / 1e3),
        10_000..100_000 => format!("{:.1} ms", micros as f64 / 1e3),
        100_000..1_000_000 => format!("{:.0} ms", micros as f64 / 1e3),
        1_000_000..60_000_000 => format!("{:.2} s", micros as f64 / 1e6),
        _ => format!("{} m {} s", micros / 60_000_000, micros / 1_000_000 % 60),
    }
}

/// Milliseconds as a length.
pub(in crate::console) fn milliseconds(milliseconds: i64) -> String {
    if milliseconds < 1_000 {
        format!("{milliseconds} ms")
    } else {
        let seconds = format!("{:.3}", milliseconds as f64 / 1e3);
        format!("{} s", seconds.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// `1,234,567`
pub(in crate::console) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 row`, `1,234 rows`
pub(in crate::console) fn counted(number: u64, noun: &str) -> String {
    format!("{} {}", count(number), model::noun(number, noun))
}

/// A point in time: in UTC here, in the browser's zone once the script has run.
pub(in crate::console) fn time(time: Time) -> Markup {
    let nanos = i128::from(time.0) * 1_000;
    let written =
        OffsetDateTime::from_unix_timestamp_nanos(nanos).ok().and_then(|at| at.format(&Rfc3339).ok());
    match written {
        Some(written) => html! { time datetime=(written) { (written) } },
        None => html! { "–" },
    }
}

/// A path with query parameters; empty values are left out.
pub(in crate::console) fn link(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (key, value) in parameters.iter().filter(|(_, value)| !value.is_empty()) {
        query.append_pair(key, value);
    }
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// The class of a request: its letter, the name of its colour, and a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::console) enum Class {
    Ok,
    Error,
    Throttle,
    Fault,
    Open,
}

impl Class {
    pub(in crate::console) fn of(error: bool, throttle: bool, fault: bool, open: bool) -> Self {
        match (fault, throttle, error, open) {
            (true, ..) => Self::Fault,
            (_, true, ..) => Self::Throttle,
            (_, _, true, _) => Self::Error,
            (.., true) => Self::Open,
            _ => Self::Ok,
        }
    }

    pub(in crate::console) const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Throttle => "throttle",
            Self::Fault => "fault",
            Self::Open => "in progress",
        }
    }

    /// The letter that stands beside the colour.
    pub(in crate::console) const fn letter(self) -> &'static str {
        match self {
            Self::Ok => "✓",
            Self::Error => "E",
            Self::Throttle => "T",
            Self::Fault => "F",
            Self::Open => "…",
        }
    }

    pub(in crate::console) const fn css(self) -> &'static str {
        match self {
            Self::Open => "open",
            other => other.name(),
        }
    }

    /// A badge with letter and colour.
    pub(in crate::console) fn badge(self) -> Markup {
        html! {
            span class={ "badge " (self.css()) } title=(self.name()) {
                span aria-hidden="true" { (self.letter()) }
                span.visually-hidden { (self.name()) }
            }
        }
    }
}

/// Counts of the four classes with their letters.
pub(in crate::console) fn classes(statistics: &Statistics) -> [(Class, u64); 4] {
    [
        (Class::Ok, statistics.ok),
        (Class::Error, statistics.error),
        (Class::Throttle, statistics.throttle),
        (Class::Fault, statistics.fault),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_three_digits_or_so() {
        for (micros, written) in [
            (0, "0 ms"),
            (850, "850 µs"),
            (1_234, "1.23 ms"),
            (12_345, "12.3 ms"),
            (999_000, "999 ms"),
            (1_234_567, "1.23 s"),
            (125_000_000, "2 m 5 s"),
        ] {
            assert_eq!(length(Length(micros)), written);
        }
        assert_eq!(milliseconds(1_250), "1.25 s");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!([1, 1_234].map(|number| counted(number, "row")), ["1 row", "1,234 rows"]);
    }

    #[test]
    fn links_escape_what_a_filter_holds() {
        assert_eq!(
            link("/traces", &[("filter", "service(\"a&b\")"), ("since", "")]),
            "/traces?filter=service%28%22a%26b%22%29"
        );
    }
}
