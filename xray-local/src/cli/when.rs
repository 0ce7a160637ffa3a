//! Times and lengths on the command line, and times as they are printed.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::model::{Length, Time, now};

/// Reads a length: `500ms`, `10s`, `5m`, `6h`, `30d`.
///
/// # Errors
/// A sentence with the forms that are accepted.
pub(super) fn length(text: &str) -> Result<Duration, String> {
    let at =
        text.find(|character: char| !(character.is_ascii_digit() || character == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let factor = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => 0.0,
    };
    let seconds = number.parse::<f64>().ok().filter(|_| factor > 0.0).map(|number| number * factor);
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| format!("\"{text}\" is no length; write 500ms, 10s, 5m, 6h or 30d"))
}

/// Reads a point in time: RFC 3339, seconds since 1970, or a length, which is that long ago.
///
/// # Errors
/// A sentence with the forms that are accepted.
pub(super) fn time(text: &str) -> Result<Time, String> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Ok(Time::from_seconds(seconds));
    }
    if let Ok(ago) = length(text) {
        return Ok(now().plus(Length(-i64::try_from(ago.as_micros()).unwrap_or(i64::MAX))));
    }
    OffsetDateTime::parse(text, &Rfc3339).map(|time| Time((time.unix_timestamp_nanos() / 1_000) as i64)).map_err(|_| {
        format!("\"{text}\" is no time; write 2026-11-26T10:00:00Z, 1795687200 (seconds since 1970), or 10m (ago)")
    })
}

/// Reads a size: `500MB`, `2GB`, or bytes.
///
/// # Errors
/// A sentence with the forms that are accepted.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let at = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let factor = match unit {
        "" | "B" => Some(1),
        "kB" | "KB" => Some(1_000),
        "MB" => Some(1_000_000),
        "GB" => Some(1_000_000_000),
        _ => None,
    };
    let bytes =
        number.parse::<u64>().ok().zip(factor).and_then(|(number, factor)| number.checked_mul(factor));
    bytes.ok_or_else(|| format!("\"{text}\" is no size; write 500MB, 2GB, or a number of bytes"))
}

/// Reads a bound of the data's size, which is at least 1 MB.
///
/// An empty file has 0.4 MB. A bound below would delete every trace.
///
/// # Errors
/// A sentence with the forms that are accepted.
pub(super) fn bound(text: &str) -> Result<u64, String> {
    let bytes = size(text)?;
    if bytes < 1_000_000 {
        return Err(format!(
            "\"{text}\" is {bytes} bytes, but the data is kept in at least 1MB; write 500MB or 2GB"
        ));
    }
    Ok(bytes)
}

/// A time in the zone of this machine, or of `TZ`: `2026-11-26 11:00:00.125 +01:00`, `2026-11-26 10:00:00.125 UTC`.
pub(super) fn show(time: Time) -> String {
    show_in(time, TimeZone::system())
}

fn show_in(time: Time, zone: TimeZone) -> String {
    let Ok(time) = Timestamp::from_microsecond(time.0) else { return format!("{} s", time.seconds()) };
    let time = time.to_zoned(zone);
    let format =
        if time.offset() == Offset::UTC { "%Y-%m-%d %H:%M:%S.%3f UTC" } else { "%Y-%m-%d %H:%M:%S.%3f %:z" };
    time.strftime(format).to_string()
}

/// A length in seconds, in the unit that suits it: `1.25 s`, `3.4 ms`, `250 µs`.
pub(super) fn show_length(seconds: f64) -> String {
    if seconds >= 1.0 {
        format!("{seconds:.2} s")
    } else if seconds >= 0.001 {
        format!("{:.1} ms", seconds * 1_000.0)
    } else {
        format!("{:.0} µs", seconds * 1_000_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_times_and_sizes_are_read() {
        for (text, milliseconds) in
            [("500ms", 500), ("1.5s", 1_500), ("2m", 120_000), ("1h", 3_600_000), ("1d", 86_400_000)]
        {
            assert_eq!(length(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["", "5", "s", "-5s", "5 s", "1e9d", "5x"] {
            assert!(length(text).is_err(), "{text}");
        }
        assert_eq!(time("1700000000.5"), Ok(Time(1_700_000_000_500_000)));
        assert_eq!(time("2023-11-14T22:13:20Z"), Ok(Time(1_700_000_000_000_000)));
        assert_eq!(time("2023-11-14T23:13:20+01:00"), Ok(Time(1_700_000_000_000_000)));
        assert!(time("yesterday").is_err() && time("1h").is_ok_and(|time| time < now()));
        for (text, bytes) in [("7", 7), ("3kB", 3_000), ("500MB", 500_000_000), ("2GB", 2_000_000_000)] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        assert_eq!((bound("1MB"), bound("2GB")), (Ok(1_000_000), Ok(2_000_000_000)));
        for text in ["0", "500", "999kB", "2GiB"] {
            assert!(bound(text).is_err(), "{text}");
        }
        assert!(size("2GiB").is_err() && size("").is_err() && size("99999999999GB").is_err());
    }

    #[test]
    fn times_are_shown_with_their_zone() {
        let time = Time(1_700_000_000_125_000);
        assert_eq!(show_in(time, TimeZone::UTC), "2023-11-14 22:13:20.125 UTC");
        let summer = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        assert_eq!(show_in(time, summer.clone()), "2023-11-14 23:13:20.125 +01:00");
        assert_eq!(show_in(Time(1_690_000_000_000_000), summer), "2023-07-22 06:26:40.000 +02:00");
        assert_eq!(show_in(time, TimeZone::fixed(jiff::tz::offset(-8))), "2023-11-14 14:13:20.125 -08:00");
        assert_eq!(show_in(Time(i64::MAX), TimeZone::UTC), "9223372036854.775 s");
        assert_eq!(show_length(1.25), "1.25 s");
        assert_eq!(show_length(0.0034), "3.4 ms");
        assert_eq!(show_length(0.00025), "250 µs");
    }
}
