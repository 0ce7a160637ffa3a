//! Literals, quoted names, placeholders and comments: where each ends, and what is shown in its place.

use std::fmt::Write;

use super::scan::{Scan, Word, is_in_word};
use crate::fields::sanitize::dialect::Dialect;

impl<W: Write> Scan<'_, W> {
    /// A string that begins with its prefix at `start` and with its quote at `quote`.
    pub(super) fn string(&mut self, start: usize, quote: usize, backslash_escapes: bool) {
        match self.end_of_quoted(quote, backslash_escapes) {
            Some(end) => self.literal(start, end, "?"),
            None => self.give_up(start),
        }
    }

    /// Behind the closing quote; `None` if there is none, or if dialects disagree about which it is.
    pub(super) fn end_of_quoted(&self, open: usize, backslash_escapes: bool) -> Option<usize> {
        let quote = self.byte(open);
        let mut at = open + 1;
        while at < self.text.len() {
            match self.byte(at) {
                b'\\' if backslash_escapes => at += 2,
                b'\\' => {
                    let end = self.end_of(at, |byte| byte == b'\\');
                    if (end - at) % 2 == 1 && self.byte(end) == quote {
                        return None;
                    }
                    at = end;
                }
                byte if byte == quote && self.byte(at + 1) == quote => at += 2,
                byte if byte == quote => return Some(at + 1),
                _ => at += 1,
            }
        }
        None
    }

    /// Oracle's `q'[…]'`.
    pub(super) fn alternative_quotes(&mut self, start: usize) {
        let body = self.at + 2;
        let close = match self.byte(self.at + 1) {
            b'[' => b']',
            b'(' => b')',
            b'{' => b'}',
            b'<' => b'>',
            other => other,
        };
        let bytes = self.text.as_bytes().get(body..).unwrap_or_default();
        match bytes.windows(2).position(|pair| pair == [close, b'\'']) {
            Some(found) => self.literal(start, body + found + 2, "?"),
            None => self.give_up(start),
        }
    }

    /// A name or a string, by dialect and by what stands around it.
    pub(super) fn double_quoted(&mut self) {
        let start = self.at;
        let backslash_escapes = self.dialect == Dialect::MySql;
        let Some(end) = self.end_of_quoted(start, backslash_escapes) else { return self.give_up(start) };
        let is_dotted = self.before == b'.' || self.byte(end) == b'.';
        let is_name_here = match self.dialect {
            _ if self.previous == Word::Secret => false,
            Dialect::DoubleQuotedNames => true,
            Dialect::MySql => false,
            Dialect::Unknown => (self.name_next || is_dotted) && !self.has_backquotes,
        };
        if !is_name_here || !is_name(&self.text[start + 1..end - 1]) {
            return self.literal(start, end, "?");
        }
        (self.at, self.name_next) = (end, false);
    }

    pub(super) fn backquoted(&mut self) {
        let start = self.at;
        let Some(end) = self.end_of_quoted(start, false) else { return self.give_up(start) };
        if !is_name(&self.text[start + 1..end - 1]) {
            return self.literal(start, end, "`?`");
        }
        (self.at, self.name_next) = (end, false);
    }

    /// A placeholder `$1`, a variable `$name`, or a string in dollars.
    pub(super) fn dollar(&mut self) {
        let (start, name) = (self.at, self.at + 1);
        let end = self.end_of(name, |byte| is_in_word(byte) || byte.is_ascii_digit());
        if self.byte(end) != b'$' || self.byte(name).is_ascii_digit() {
            return self.placeholder();
        }
        let tag = &self.text[start..=end];
        match self.text[end + 1..].find(tag) {
            Some(found) => self.literal(start, end + 1 + found + tag.len(), "?"),
            None => self.give_up(start),
        }
    }

    /// A mark and what belongs to it: `?`, `?1`, `:name`, `$1`. A number as long as a value is one.
    pub(super) fn placeholder(&mut self) {
        let start = self.at;
        self.at += 1;
        let end = self.end_of(self.at, |byte| byte.is_ascii_digit());
        // `$12.50` is money.
        if self.byte(start) == b'$'
            && self.byte(end) == b'.'
            && self.byte(end + 1).is_ascii_digit()
            && end > self.at
        {
            let end = self.end_of(end + 1, |byte| byte.is_ascii_digit());
            return self.literal(start, end, "?");
        }
        let digits = if self.dialect == Dialect::DoubleQuotedNames { 5 } else { 3 };
        if end - self.at <= digits {
            self.at = end;
        }
        (self.name_next, self.previous) = (false, Word::Other);
    }

    pub(super) fn number(&mut self) {
        let start = self.at;
        let in_number = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.';
        let mut end = self.end_of(start, in_number);
        let is_exponent = matches!(self.byte(end - 1), b'e' | b'E') && matches!(self.byte(end), b'+' | b'-');
        if is_exponent && self.byte(end + 1).is_ascii_digit() {
            end = self.end_of(end + 1, in_number);
        }
        self.literal(start, end, "?");
    }

    pub(super) fn line_comment(&mut self) {
        let start = self.at;
        self.comment(start, self.end_of(start, |byte| byte != b'\n'));
    }

    /// Leaves a blank, or nothing at the beginning.
    pub(super) fn comment(&mut self, start: usize, end: usize) {
        self.write(start);
        self.copied = start;
        self.replace(start, end, if self.shown == 0 { "" } else { " " });
    }

    /// Comments nest in some dialects. A dialect that does not nest them shows less this way.
    pub(super) fn block_comment(&mut self) {
        let start = self.at;
        let (mut at, mut open) = (start + 2, 1);
        while open > 0 && at < self.text.len() {
            match (self.byte(at), self.byte(at + 1)) {
                (b'/', b'*') => (at, open) = (at + 2, open + 1),
                (b'*', b'/') => (at, open) = (at + 2, open - 1),
                _ => at += 1,
            }
        }
        self.comment(start, if open == 0 { at } else { self.text.len() });
    }
}

/// Returns whether a quoted text is what tables and columns are called. Databases allow 63 to 128 characters.
fn is_name(text: &str) -> bool {
    text.len() <= 128
        && !text.starts_with(|first: char| first.is_ascii_digit())
        && text.bytes().all(|b| is_in_word(b) || b.is_ascii_digit() || matches!(b, b'$' | b'-' | b' '))
}
