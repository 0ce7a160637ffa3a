//! [`WithoutLiterals`]: the loop over a statement's tokens.

use std::fmt::{self, Write};

use xray_sdk::document::MAX_VALUE;

use super::scan::{Scan, Word, is_in_word};
use crate::fields::sanitize::dialect::Dialect;

/// Displays a statement with a `?` for each literal.
pub(crate) struct WithoutLiterals<'a> {
    pub(crate) statement: &'a str,
    pub(crate) dialect: Dialect,
}

impl fmt::Display for WithoutLiterals<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut scan = Scan {
            text: self.statement,
            dialect: self.dialect,
            at: 0,
            out: f,
            written: Ok(()),
            copied: 0,
            shown: 0,
            before: 0,
            has_backquotes: self.statement.contains('`'),
            is_copy: false,
            previous: Word::Other,
            name_next: false,
            queries: 0,
            depth: 0,
            names: None,
            assignments: None,
        };
        // What is above the bound is cut off.
        while scan.at < self.statement.len() && scan.shown + (scan.at - scan.copied) <= MAX_VALUE {
            scan.token();
        }
        scan.finish()
    }
}

impl<W: Write> Scan<'_, W> {
    fn token(&mut self) {
        let start = self.at;
        match self.byte(start) {
            b'\'' => self.string(start, start, false),
            b'"' => self.double_quoted(),
            b'`' => self.backquoted(),
            b'$' => self.dollar(),
            b'-' if self.byte(start + 1) == b'-' => self.line_comment(),
            b'#' if self.byte(start + 1) != b'>' => self.line_comment(), // `#>` looks into JSON
            b'/' if self.byte(start + 1) == b'*' => self.block_comment(),
            b'?' | b':' => self.placeholder(),
            b'0'..=b'9' => self.number(),
            byte if is_in_word(byte) => match self.text[start..].chars().next() {
                // A currency's sign, for instance.
                Some(sign) if !sign.is_alphanumeric() && sign != '_' => self.at += sign.len_utf8(),
                _ => self.word(),
            },
            byte => {
                self.at += 1;
                self.punctuation(byte);
            }
        }
        let last = self.byte(self.at.wrapping_sub(1));
        if self.copied < self.at && !last.is_ascii_whitespace() {
            self.before = last;
        }
    }
}
