//! Tokens of a filter expression, each with the bytes that it takes.
//!
//! [`Lexer::peek`] reads the token at the current position and keeps none, so that the parser can read keys in brackets
//! and JSON from the same position by other rules. Knows no keyword.

use std::ops::Range;

use super::super::error::FilterError;

/// A token, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    /// In bytes.
    pub(super) range: Range<usize>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind {
    /// Letters, digits, `_`, `.` and `-`, beginning with a letter or `_`.
    Word,
    /// A string's content, unescaped.
    String(String),
    Number(f64),
    /// One of [`SYMBOLS`].
    Symbol(&'static str),
    End,
}

pub(super) struct Lexer<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, position: 0 }
    }

    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// The text from the current position on, without blanks before it.
    pub(super) fn rest(&mut self) -> &'a str {
        self.position = self.begin();
        self.text.get(self.position..).unwrap_or_default()
    }

    /// The text from the current position on, with blanks before it.
    pub(super) fn rest_unskipped(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or_default()
    }

    /// The current position in bytes.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    pub(super) fn advance_to(&mut self, position: usize) {
        self.position = position;
    }

    /// The slice of the text that a token takes.
    pub(super) fn slice(&self, range: &Range<usize>) -> &'a str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Result<Token, FilterError> {
        let start = self.begin();
        let rest = self.text.get(start..).unwrap_or_default();
        let Some(first) = rest.chars().next() else {
            return Ok(Token { kind: TokenKind::End, range: start..start });
        };
        if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
            return Ok(Token { kind: TokenKind::Symbol(symbol), range: start..start + symbol.len() });
        }
        if first == '"' {
            return self.string(start);
        }
        if first.is_ascii_digit()
            || (matches!(first, '-' | '+' | '.') && rest[1..].starts_with(|c: char| c.is_ascii_digit()))
        {
            return self.number(start);
        }
        if is_word_start(first) {
            let len = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            return Ok(Token { kind: TokenKind::Word, range: start..start + len });
        }
        let end = start + first.len_utf8();
        let error = FilterError::new(self.text, start, end, format!("unexpected character {first:?}"));
        Err(match first {
            '\'' => {
                let end = rest[1..].find('\'').map_or(end, |close| start + close + 2);
                FilterError::new(
                    self.text,
                    start,
                    end,
                    "strings take double quotes, found a single quote".to_owned(),
                )
                .with_hint(format!("write \"{}\"", rest[1..].split('\'').next().unwrap_or_default()))
            }
            '&' => error.with_hint("write AND"),
            '|' => error.with_hint("write OR"),
            '~' => error.with_hint("regular expressions are not part of the language; write CONTAINS"),
            '*' | '?' | '%' => {
                error.with_hint("wildcards are not part of the language; write CONTAINS or BEGINSWITH")
            }
            _ => error,
        })
    }

    fn begin(&self) -> usize {
        let rest = self.text.get(self.position..).unwrap_or_default();
        self.position + (rest.len() - rest.trim_start().len())
    }

    /// `\"` and `\\` are escapes. Any other backslash stands for itself.
    fn string(&self, start: usize) -> Result<Token, FilterError> {
        let mut content = String::new();
        let mut chars = self.text[start + 1..].char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => return Ok(Token { kind: TokenKind::String(content), range: start..start + at + 2 }),
                '\\' if matches!(chars.peek(), Some((_, '"' | '\\'))) => {
                    content.extend(chars.next().map(|(_, escaped)| escaped));
                }
                other => content.push(other),
            }
        }
        Err(FilterError::new(self.text, start, self.text.len(), "the string has no closing quote".to_owned())
            .with_expected(vec!["\"".to_owned()]))
    }

    fn number(&self, start: usize) -> Result<Token, FilterError> {
        let rest = &self.text[start..];
        let is_sign_of_exponent =
            |at: usize| rest[..at].ends_with(['e', 'E']) && rest.starts_with(|c| c != 'e');
        let len = rest
            .char_indices()
            .skip(1)
            .find(|&(at, c)| !(is_word(c) && c != '-' || matches!(c, '+' | '-') && is_sign_of_exponent(at)))
            .map_or(rest.len(), |(at, _)| at);
        let written = &rest[..len];
        let (digits, unit) = written.split_at(written.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(len));
        let error = || {
            let problem = format!("{written:?} is not a number");
            FilterError::new(self.text, start, start + len, problem)
                .with_expected(vec!["a number".to_owned()])
        };
        if written.starts_with(['+', '.']) || digits.ends_with('.') {
            return Err(error().with_hint("numbers look like 5, 0.7, -1 or 2.5e3"));
        }
        match (written.parse::<f64>(), unit, digits.parse::<f64>()) {
            (Ok(number), ..) if number.is_finite() => {
                Ok(Token { kind: TokenKind::Number(number), range: start..start + len })
            }
            (_, "ms", Ok(milliseconds)) => {
                Err(error().with_hint(format!("times are in seconds: {}", milliseconds / 1_000.0)))
            }
            (_, "s", Ok(seconds)) => Err(error().with_hint(format!("times are in seconds: {seconds}"))),
            _ => Err(error()),
        }
    }
}

fn is_word_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

pub(in super::super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '-')
}

/// Longer symbols before those that they begin with.
const SYMBOLS: [&str; 16] =
    ["!=", "<=", ">=", "=", "<", ">", "!", "(", ")", "{", "}", "[", "]", ",", ":", "#"];
