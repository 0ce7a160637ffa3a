//! Words and punctuation: what they say of the token behind them.

use std::fmt::Write;

use super::scan::{Scan, Word, is_in_word};
use crate::fields::sanitize::dialect::Dialect;

impl<W: Write> Scan<'_, W> {
    pub(super) fn punctuation(&mut self, byte: u8) {
        match byte {
            b'(' => {
                self.depth = self.depth.saturating_add(1);
                // `INTO name (` is followed by names only.
                if self.previous == Word::Into {
                    (self.names, self.previous) = (Some(self.depth), Word::Other);
                }
                self.name_next = self.names == Some(self.depth);
            }
            b')' => {
                self.queries &= !self.bit();
                self.names = self.names.filter(|depth| self.depth > *depth);
                self.assignments = self.assignments.filter(|depth| self.depth > *depth);
                self.depth = self.depth.saturating_sub(1);
                self.name_next = false;
            }
            b',' => {
                self.name_next = self.names == Some(self.depth) || self.assignments == Some(self.depth);
            }
            // Rows of data follow a `COPY`.
            b';' if self.is_copy => self.give_up_behind(),
            b';' => {
                (self.queries, self.names, self.assignments) = (0, None, None);
                (self.previous, self.name_next) = (Word::Other, false);
            }
            b'=' if self.previous == Word::Secret => {}
            b'.' => {}
            _ if byte.is_ascii_whitespace() => {}
            _ => self.name_next = false,
        }
    }

    pub(super) fn bit(&self) -> u64 {
        1u64.checked_shl(self.depth).unwrap_or_default()
    }

    pub(super) fn word(&mut self) {
        let start = self.at;
        self.at = self.end_of(start, |byte| is_in_word(byte) || byte.is_ascii_digit() || byte == b'$');
        let word = &self.text[start..self.at];
        // Whatever a pragma is given: `PRAGMA key("…")`, `PRAGMA key = …`.
        if self.previous == Word::Pragma {
            return self.give_up_behind();
        }
        if self.previous == Word::Secret && !is_around_secret(word) {
            self.previous = Word::Other;
            return self.literal(start, self.at, "?");
        }
        // No name has another right behind it: `x"ff"`, `_utf8"…"`.
        if self.byte(self.at) == b'"' {
            return match self.end_of_quoted(self.at, self.dialect == Dialect::MySql) {
                Some(end) => self.literal(self.at, end, "?"),
                None => self.give_up(self.at),
            };
        }
        if self.byte(self.at) == b'\'' {
            return match word {
                "e" | "E" => self.string(start, self.at, true),
                "n" | "N" | "b" | "B" | "x" | "X" => self.string(start, self.at, false),
                _ if word.eq_ignore_ascii_case("q") || word.eq_ignore_ascii_case("nq") => {
                    self.alternative_quotes(start);
                }
                _ => {}
            };
        }
        let is = |words: &[&str]| words.iter().any(|known| word.eq_ignore_ascii_case(known));
        let query_here = self.queries & self.bit() != 0;
        let previous = std::mem::replace(&mut self.previous, Word::Other);
        self.name_next = is(BEFORE_NAMES);
        match word.len() {
            2 if is(&["BY"]) && previous == Word::Identified => self.previous = Word::Secret,
            3 if is(&["SET"]) => {
                self.assignments = query_here.then_some(self.depth);
                self.name_next = query_here;
            }
            4 if is(&["COPY"]) => {
                self.is_copy |= self.shown == 0 && self.text[self.copied..start].trim_ascii().is_empty();
                self.previous = Word::Copy;
            }
            4 if is(&["INTO"]) => (self.previous, self.name_next) = (Word::Into, true),
            4 if is(&["FROM"]) => {
                self.name_next = query_here && previous != Word::Distinct;
                self.previous = if previous == Word::Copy { Word::From } else { Word::Other };
                self.assignments = None;
            }
            5 if is(&["STDIN"]) && previous == Word::From => self.give_up_behind(),
            5 if is(&["WHERE"]) => self.assignments = None,
            6 if is(&["SELECT", "DELETE", "UPDATE"]) => self.queries |= self.bit(),
            6 if is(&["INSERT"]) => self.previous = Word::Insert,
            6 if is(&["PRAGMA"]) => self.previous = Word::Pragma,
            8 if is(&["DISTINCT"]) => self.previous = Word::Distinct,
            8 if is(&["PASSWORD"]) => self.previous = Word::Secret,
            9 if is(&["RETURNING"]) => self.assignments = None,
            10 if is(&["IDENTIFIED"]) => self.previous = Word::Identified,
            // The table of `COPY table FROM` and `INTO table (` stands between.
            _ if matches!(previous, Word::Into | Word::Copy) => self.previous = previous,
            _ if previous == Word::Secret => self.previous = previous,
            _ => {}
        }
    }

    /// Shows nothing of what stands behind here, if anything does.
    pub(super) fn give_up_behind(&mut self) {
        let start = self.end_of(self.at, |byte| byte.is_ascii_whitespace());
        if start < self.text.len() && self.text.get(start..) != Some("?…") {
            self.at = start;
            self.give_up(start);
        } else {
            self.at = self.text.len();
        }
    }
}

/// Keywords that only a name can follow. `FROM`, `INTO` and `SET` depend on more than themselves.
const BEFORE_NAMES: &[&str] = &[
    "JOIN",
    "UPDATE",
    "TABLE",
    "VIEW",
    "TRIGGER",
    "SCHEMA",
    "DATABASE",
    "COLUMN",
    "CONSTRAINT",
    "REFERENCES",
    "SAVEPOINT",
];

/// Words that may stand between `PASSWORD` or `IDENTIFIED BY` and the secret.
fn is_around_secret(word: &str) -> bool {
    ["VALUES", "TO", "FOR", "PASSWORD", "RANDOM"].iter().any(|known| word.eq_ignore_ascii_case(known))
}
