//! Text for a terminal: made harmless, measured, cut; times and durations for people.
//!
//! Names and values come from anywhere, escape sequences included. Nothing reaches the picture but through
//! [`clean`]. Pure functions: no colour, no layout.

use std::time::Duration;

/// Text on one line: runs of white space become one blank, and control characters, text direction marks and other
/// invisible ones go.
pub(super) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut blank = false;
    for c in text.chars() {
        if c.is_whitespace() {
            blank = !out.is_empty();
        } else if !c.is_control() && !is_invisible(c) {
            if blank {
                out.push(' ');
                blank = false;
            }
            out.push(c);
        }
    }
    out
}

/// Columns that a text takes up.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

/// The text if it fits into so many columns, else what does of it with `…`.
pub(super) fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut left = columns.saturating_sub(1);
    for c in text.chars() {
        let Some(rest) = left.checked_sub(char_width(c)) else { break };
        left = rest;
        out.push(c);
    }
    out.truncate(out.trim_end().len());
    if columns > 0 {
        out.push('…');
    }
    out
}

/// Pieces in lines of at most so many columns, two blanks between them. A piece that is wider is cut.
pub(super) fn flow(pieces: Vec<String>, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for piece in pieces {
        match lines.last_mut() {
            Some(line) if width(line) + 2 + width(&piece) <= columns => *line += &format!("  {piece}"),
            _ => lines.push(cut(&piece, columns)),
        }
    }
    lines
}

/// Two or three digits and a unit: `7 µs`, `9.2 ms`, `178 ms`, `1.25 s`, `2 min 05 s`.
pub(super) fn duration(duration: Duration) -> String {
    // Seconds since 1970 as `f64` are good for a quarter of a microsecond.
    let micros = (duration.as_nanos() + 500) / 1000;
    let (tenths, hundredths) = ((micros + 50) / 100, (micros + 5_000) / 10_000);
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..9_950 => format!("{}.{} ms", tenths / 10, tenths % 10),
        9_950..999_500 => format!("{} ms", (micros + 500) / 1_000),
        999_500..9_995_000 => format!("{}.{:02} s", hundredths / 100, hundredths % 100),
        9_995_000..60_000_000 => format!("{}.{} s", hundredths / 100, hundredths % 100 / 10),
        60_000_000..3_600_000_000 => format!("{} min {:02} s", micros / 60_000_000, micros / 1_000_000 % 60),
        _ => format!("{} h {:02} min", micros / 3_600_000_000, micros / 60_000_000 % 60),
    }
}

/// Seconds since 1970 as `2024-09-23T17:34:43.125Z`.
pub(super) fn utc(seconds: f64) -> String {
    if !(0.0..253_402_300_799.0).contains(&seconds) {
        return format!("{seconds:e} s");
    }
    // In range, so that neither the cast nor the calendar below overflows.
    let millis = (seconds * 1000.0).round() as u64;
    let (days, rest) = (millis / 86_400_000, millis % 86_400_000);
    // Years that begin in March, so that the leap day is the last of its year; day 0 is 1 March of the year 0.
    let day = days + 719_468;
    let (era, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, month) = (day - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    let year = era * 400 + year + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1_000 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", rest % 1_000)
}

/// Two columns for East Asian wide characters and pictographs, none for marks that sit on the letter before. Exact
/// for what names and queries hold; a terminal may differ on the rest.
fn char_width(c: char) -> usize {
    match u32::from(c) {
        ..0x300 => 1,
        0x300..=0x36f | 0x483..=0x489 | 0x591..=0x5bd | 0x610..=0x61a | 0x64b..=0x65f => 0,
        0x1ab0..=0x1aff | 0x1dc0..=0x1dff | 0x20d0..=0x20ff | 0xfe00..=0xfe0f | 0xfe20..=0xfe2f => 0,
        0x1100..=0x115f | 0x2e80..=0x303e | 0x3041..=0x4dbf | 0x4e00..=0xa4cf | 0xa960..=0xa97c => 2,
        0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6 => 2,
        0x1f300..=0x1f64f | 0x1f680..=0x1f6ff | 0x1f900..=0x1faff | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// Format characters: they take no column, and some turn the direction of all that follows.
fn is_invisible(c: char) -> bool {
    matches!(u32::from(c), 0xad | 0x61c | 0x180e | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0xfeff | 0xfff9..=0xfffb | 0xe0000..=0xe0fff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean_text_is_one_harmless_line() {
        assert_eq!(clean("  select\n\t 1 "), "select 1");
        assert_eq!(clean("a\x1b[31mb\0\u{7f}\u{202e}c\u{200b}"), "a[31mbc");
        assert_eq!(clean("\n\r\u{2028}"), "");
    }

    #[test]
    fn cutting_counts_columns_not_characters() {
        for (text, columns, expected) in [
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("a bcd", 3, "a…"),
            ("注文サービス", 12, "注文サービス"),
            ("注文サービス", 6, "注文…"),
            ("e\u{301}e\u{301}", 2, "e\u{301}e\u{301}"),
            ("abc", 1, "…"),
            ("abc", 0, ""),
        ] {
            assert_eq!(cut(text, columns), expected);
            assert!(width(&cut(text, columns)) <= columns);
        }
    }

    #[test]
    fn pieces_flow_into_lines() {
        let pieces = || ["a=1", "b=22", "c=333", "d=4444444"].map(str::to_owned).to_vec();
        assert_eq!(flow(pieces(), 9), ["a=1  b=22", "c=333", "d=4444444"]);
        assert_eq!(flow(pieces(), 8), ["a=1", "b=22", "c=333", "d=44444…"]);
        assert_eq!(flow(Vec::new(), 8), Vec::<String>::new());
    }

    #[test]
    fn durations_keep_two_or_three_digits() {
        for (micros, expected) in [
            (0, "0 µs"),
            (999, "999 µs"),
            (1_000, "1.0 ms"),
            (9_949, "9.9 ms"),
            (9_950, "10 ms"),
            (178_400, "178 ms"),
            (999_499, "999 ms"),
            (999_500, "1.00 s"),
            (1_249_000, "1.25 s"),
            (9_995_000, "10.0 s"),
            (59_949_000, "59.9 s"),
            (125_000_000, "2 min 05 s"),
            (3_720_000_000, "1 h 02 min"),
        ] {
            assert_eq!(duration(Duration::from_micros(micros)), expected);
        }
    }

    #[test]
    fn instants_are_calendar_dates() {
        for (seconds, expected) in [
            (0.0, "1970-01-01T00:00:00.000Z"),
            (951_782_400.0, "2000-02-29T00:00:00.000Z"),
            (1_727_112_883.125, "2024-09-23T17:34:43.125Z"),
            (4_107_542_399.999, "2100-02-28T23:59:59.999Z"),
            (4_107_542_400.0, "2100-03-01T00:00:00.000Z"),
            (1_704_067_199.999_9, "2024-01-01T00:00:00.000Z"),
            (-1.0, "-1e0 s"),
            (1e300, "1e300 s"),
        ] {
            assert_eq!(utc(seconds), expected);
        }
    }
}
