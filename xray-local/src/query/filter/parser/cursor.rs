//! The parser's position: single tokens, notes of what is accepted, errors from these notes.

use super::super::error::FilterError;
use super::expected::Expected;
use super::lexer::{Lexer, Token, TokenKind};

pub(in super::super) struct Parser<'a> {
    pub(super) lexer: Lexer<'a>,
    /// Notes for the position `noted_at`, the furthest so far.
    notes: Vec<Expected>,
    noted_at: usize,
    /// Start of the construct that errors quote.
    pub(super) construct: usize,
    /// End of the last token that was taken.
    pub(super) taken: usize,
    pub(super) depth: usize,
    pub(super) predicates: usize,
    pub(in super::super) warnings: Vec<String>,
}

pub(super) type Result<T, E = FilterError> = std::result::Result<T, E>;

impl<'a> Parser<'a> {
    pub(in super::super) fn new(text: &'a str) -> Self {
        Self {
            lexer: Lexer::new(text),
            notes: Vec::new(),
            noted_at: 0,
            construct: 0,
            taken: 0,
            depth: 0,
            predicates: 0,
            warnings: Vec::new(),
        }
    }

    /// Returns what is accepted at `position`, in bytes, after the parser came that far.
    pub(in super::super) fn expected_at(self, position: usize) -> Vec<Expected> {
        if self.noted_at == position { self.notes } else { Vec::new() }
    }

    pub(super) fn note(&mut self, expected: &Expected) -> Result<()> {
        let at = self.lexer.peek()?.range.start;
        self.note_at(at, expected);
        Ok(())
    }

    pub(super) fn note_at(&mut self, at: usize, expected: &Expected) {
        if at > self.noted_at {
            self.notes.clear();
            self.noted_at = at;
        }
        if at == self.noted_at && !self.notes.contains(expected) {
            self.notes.push(expected.clone());
        }
    }

    pub(super) fn take(&mut self, token: &Token) {
        self.lexer.advance_to(token.range.end);
        self.taken = token.range.end;
    }

    pub(super) fn is_next(&self, symbol: &'static str) -> Result<bool> {
        Ok(self.lexer.peek()?.kind == TokenKind::Symbol(symbol))
    }

    pub(super) fn accept(&mut self, symbol: &'static str) -> Result<bool> {
        let token = self.lexer.peek()?;
        let is_it = token.kind == TokenKind::Symbol(symbol);
        if is_it {
            self.take(&token);
        }
        Ok(is_it)
    }

    pub(super) fn accept_word(&mut self, word: &str) -> Result<Option<Token>> {
        let token = self.lexer.peek()?;
        if token.kind != TokenKind::Word || !self.is_word(&token, word) {
            return Ok(None);
        }
        self.take(&token);
        Ok(Some(token))
    }

    pub(super) fn expect(&mut self, symbol: &'static str) -> Result<()> {
        self.note(&Expected::Symbol(symbol))?;
        if self.accept(symbol)? { Ok(()) } else { Err(self.unexpected()) }
    }

    pub(super) fn is_word(&self, token: &Token, word: &str) -> bool {
        self.lexer.slice(&token.range).eq_ignore_ascii_case(word)
    }

    pub(super) fn error_at(&self, token: &Token, problem: String) -> FilterError {
        FilterError::new(self.lexer.text(), token.range.start, token.range.end, problem)
    }

    /// An error about the next token, from what was noted there.
    pub(super) fn unexpected(&self) -> FilterError {
        let token = match self.lexer.peek() {
            Ok(token) => token,
            Err(err) => return err,
        };
        let mut expected: Vec<String> = Vec::new();
        if self.noted_at == token.range.start {
            for note in self.notes.iter().map(Expected::describe) {
                if !expected.contains(&note) {
                    expected.push(note);
                }
            }
        }
        let mut problem = format!("expected {}", alternatives(&expected));
        let construct = self.lexer.text().get(self.construct..self.taken).unwrap_or_default();
        if !construct.is_empty() {
            let length = construct.chars().count();
            let shown: String = construct.chars().skip(length.saturating_sub(LONGEST_CONSTRUCT)).collect();
            problem = format!("{problem} after {:?}", Quoted(shown.trim_start()));
        }
        problem = match token.kind {
            TokenKind::End => format!("{problem}, found the end"),
            _ => format!("{problem}, found {:?}", Quoted(self.lexer.slice(&token.range))),
        };
        self.error_at(&token, problem).with_expected(expected)
    }
}

/// Quotation marks around text that may hold some itself.
struct Quoted<'a>(&'a str);

impl std::fmt::Debug for Quoted<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.contains('"') { write!(f, "{}", self.0) } else { write!(f, "\"{}\"", self.0) }
    }
}

fn alternatives(expected: &[String]) -> String {
    match expected {
        [] => "the end".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// Characters of a construct that an error quotes.
const LONGEST_CONSTRUCT: usize = 40;
