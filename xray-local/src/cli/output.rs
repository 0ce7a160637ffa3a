//! The standard output, in one place: a line at a time, and a reader that went away ends the command.

use std::fmt;
use std::io::{self, Write};

use crate::model::in_order;

/// Writes a line to the standard output.
pub(super) fn line(line: impl fmt::Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// Writes a line to the standard error.
pub(super) fn note(line: impl fmt::Display) {
    // A closed standard error has no reader.
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Lays cells out in columns, each as wide as its widest cell.
pub(super) fn columns(rows: &[Vec<String>]) -> Vec<String> {
    let count = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    let lay = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(lay).collect()
}

/// A text from a trace without characters that could move the cursor, change colours or turn the order of others.
pub(super) fn plain(text: &str) -> String {
    let safe = |character: char| if character.is_control() { '\u{fffd}' } else { character };
    in_order(text).chars().map(safe).collect()
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_text_of_a_trace_changes_neither_the_terminal_nor_the_order_of_what_follows() {
        assert_eq!(plain("a\u{1b}[31m\u{202e}b\u{2067}\n注文"), "a\u{fffd}[31m\u{fffd}b\u{fffd}\u{fffd}注文");
    }
}
