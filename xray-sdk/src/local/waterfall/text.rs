//! Text for a terminal: made harmless, measured, cut; times and durations for people.
//!
//! Names and values come from anywhere, escape sequences included. Nothing reaches the picture but through
//! [`clean`]. Pure functions: no colour, no layout.

use std::time::{Duration, UNIX_EPOCH};

use unicode_width::UnicodeWidthChar;

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

/// Returns the text if it fits into `columns` columns, else its beginning and `…`.
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

/// Joins pieces into lines of at most `columns` columns, two blanks between them. A wider piece is cut.
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
    // In range, and on a whole millisecond: what follows cuts and does not round.
    let time = UNIX_EPOCH + Duration::from_millis((seconds * 1000.0).round() as u64);
    humantime::format_rfc3339_millis(time).to_string()
}

/// Columns of one character: two for East Asian wide ones and pictographs, none for marks on the letter before.
fn char_width(c: char) -> usize {
    c.width().unwrap_or(0)
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
