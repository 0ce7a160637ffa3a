//! From text to a tree, by recursive descent.
//!
//! Each step notes what it would accept at its position. Scopes and types are checked while parsing, from the table of
//! keywords. Depth and size are bounded, so that no expression overflows the stack.

use super::super::ast::{Expr, Predicate, Subject, Value};
use super::super::error::FilterError;
use super::super::keyword::Operator;
use super::super::keyword::{Keyword, Kind, Scope};
use super::cursor::{Parser, Result};
use super::expected::Expected;
use super::hint;
use super::lexer::{Token, TokenKind};
use crate::model::limits::{FILTER_CHARACTERS, FILTER_DEPTH, FILTER_PREDICATES};

impl Parser<'_> {
    /// Parses the whole text as one expression.
    pub(in super::super) fn expression(&mut self) -> Result<Expr> {
        let length = self.lexer.text().chars().count();
        if length > FILTER_CHARACTERS {
            let start = self.lexer.text().char_indices().nth(FILTER_CHARACTERS).map_or(0, |(at, _)| at);
            let problem =
                format!("the expression has {length} characters; at most {FILTER_CHARACTERS} are accepted");
            return Err(FilterError::new(self.lexer.text(), start, self.lexer.text().len(), problem));
        }
        let expr = self.or(Scope::Trace)?;
        self.end().map(|()| expr)
    }

    pub(in super::super) fn end(&mut self) -> Result<()> {
        self.note(&Expected::End)?;
        match self.lexer.peek()?.kind {
            TokenKind::End => Ok(()),
            _ => Err(self.unexpected()),
        }
    }

    pub(super) fn or(&mut self, scope: Scope) -> Result<Expr> {
        let mut left = self.and(scope)?;
        while self.accept_word("OR")?.is_some() {
            left = left.or(self.and(scope)?);
        }
        Ok(left)
    }

    /// Conditions side by side are joined as by `AND`.
    fn and(&mut self, scope: Scope) -> Result<Expr> {
        let mut left = self.unary(scope)?;
        loop {
            self.note(&Expected::Combination)?;
            let token = self.lexer.peek()?;
            let continues = match token.kind {
                TokenKind::Word => !self.is_word(&token, "OR"),
                TokenKind::Symbol(symbol) => matches!(symbol, "!" | "("),
                _ => false,
            };
            if self.accept_word("AND")?.is_none() && !continues {
                self.note(&Expected::Condition(scope))?;
                return Ok(left);
            }
            left = left.and(self.unary(scope)?);
        }
    }

    fn unary(&mut self, scope: Scope) -> Result<Expr> {
        self.note(&Expected::Condition(scope))?;
        if self.accept("!")? {
            self.descend()?;
            let operand = self.unary(scope)?;
            self.depth -= 1;
            return Ok(operand.negated());
        }
        if self.accept("(")? {
            self.descend()?;
            let inner = self.or(scope)?;
            self.depth -= 1;
            self.expect(")")?;
            return Ok(inner);
        }
        let token = self.lexer.peek()?;
        let is_condition =
            token.kind == TokenKind::Word && !self.is_word(&token, "AND") && !self.is_word(&token, "OR");
        if !is_condition {
            return Err(self.unexpected());
        }
        self.predicates += 1;
        if self.predicates > FILTER_PREDICATES {
            let problem = format!("the expression has more than {FILTER_PREDICATES} conditions");
            return Err(self.error_at(&token, problem));
        }
        self.construct = token.range.start;
        self.predicate(token, scope).map(Expr::Test)
    }

    pub(super) fn descend(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > FILTER_DEPTH {
            let token = self.lexer.peek()?;
            return Err(
                self.error_at(&token, format!("the expression is nested more than {FILTER_DEPTH} deep"))
            );
        }
        Ok(())
    }

    fn predicate(&mut self, token: Token, scope: Scope) -> Result<Predicate> {
        let word = self.lexer.slice(&token.range);
        let prefix = word.get(.."annotation".len()).unwrap_or_default();
        if prefix.eq_ignore_ascii_case("annotation")
            && matches!(word.as_bytes().get(prefix.len()), None | Some(b'.'))
        {
            return self.annotation(&token, scope);
        }
        let Some(keyword) = Keyword::find(word) else {
            let error = self.error_at(&token, format!("unknown keyword {word:?}"));
            return Err(match hint::unknown(word, scope) {
                Some(hint) => error.with_hint(hint),
                None => error,
            });
        };
        self.check_scope(&token, keyword, scope)?;
        self.take(&token);
        match keyword.kind {
            Kind::Service => self.service(keyword),
            Kind::Edge => self.edge(keyword),
            Kind::Cause(kind, level) => {
                let inner = self.braces(Scope::Cause(kind, level))?;
                Ok(Predicate::RootCause(kind, level, Box::new(inner)))
            }
            Kind::CauseJson => self.root_causes(),
            Kind::Flag | Kind::Number | Kind::Text | Kind::Exact | Kind::Annotation => {
                self.comparison(Subject::Field(keyword.field))
            }
        }
    }

    pub(super) fn check_scope(&self, token: &Token, keyword: &'static Keyword, scope: Scope) -> Result<()> {
        if keyword.place(scope).is_some() {
            return Ok(());
        }
        let preposition = if scope == Scope::Trace { "at" } else { "in" };
        let problem = format!("{} is not accepted {preposition} {}", keyword.name, scope.as_str());
        let places: Vec<_> = keyword.places.iter().map(|place| place.within.example().as_str()).collect();
        Err(self.error_at(token, problem).with_hint(format!("{} is for {}", keyword.name, places.join(", "))))
    }

    pub(super) fn comparison(&mut self, subject: Subject) -> Result<Predicate> {
        self.note(&Expected::OperatorOf(subject.clone()))?;
        let token = self.lexer.peek()?;
        let Some(operator) = self.operator(&token) else {
            return Ok(Predicate::Set(subject));
        };
        let accepted = subject.kind().operators();
        if !accepted.contains(&operator) {
            let list: Vec<_> = accepted.iter().map(|operator| operator.as_str()).collect();
            let problem = format!(
                "{subject} is a {} and takes {}, found {}",
                subject.kind().as_str(),
                list.join(" "),
                operator.as_str()
            );
            return Err(self
                .error_at(&token, problem)
                .with_expected(list.into_iter().map(str::to_owned).collect()));
        }
        self.take(&token);
        self.note(&Expected::ValueOf(subject.clone(), operator))?;
        let token = self.lexer.peek()?;
        let Some(value) = self.value(&token, &subject, operator) else {
            let error = self.unexpected();
            let written = self.lexer.slice(&token.range);
            return Err(match hint::value(&token.kind, written, &subject, operator) {
                Some(hint) => error.with_hint(hint),
                None => error,
            });
        };
        self.take(&token);
        Ok(Predicate::Compare(subject, operator, value))
    }

    fn operator(&self, token: &Token) -> Option<Operator> {
        let written = self.lexer.slice(&token.range);
        Kind::Annotation.operators().iter().copied().find(|operator| match token.kind {
            TokenKind::Symbol(symbol) => operator.as_str() == symbol,
            TokenKind::Word => operator.as_str().eq_ignore_ascii_case(written),
            _ => false,
        })
    }

    fn value(&mut self, token: &Token, subject: &Subject, operator: Operator) -> Option<Value> {
        use Operator::{BeginsWith, Contains, EndsWith, Equal, NotEqual};
        let word = self.lexer.slice(&token.range);
        let flag = |word: &str| match word.to_ascii_lowercase().as_str() {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            _ => None,
        };
        match (subject.kind(), &token.kind) {
            (Kind::Flag, TokenKind::Word) => flag(word),
            (Kind::Flag, TokenKind::String(string)) => flag(string),
            (Kind::Number, TokenKind::Number(number)) => Some(Value::Number(*number)),
            (Kind::Text | Kind::Exact, TokenKind::String(string)) => Some(Value::String(string.clone())),
            (Kind::Text | Kind::Exact, TokenKind::Word) if !is_reserved(word) => {
                self.warnings.push(format!("{word} is read as \"{word}\"; strings take double quotes"));
                Some(Value::String(word.to_owned()))
            }
            (Kind::Annotation, kind) => match (operator, kind) {
                (Equal | NotEqual, TokenKind::Word) => flag(word),
                (Equal | NotEqual | Contains | BeginsWith | EndsWith, TokenKind::String(string)) => {
                    Some(Value::String(string.clone()))
                }
                (Contains | BeginsWith | EndsWith, _) => None,
                (_, TokenKind::Number(number)) => Some(Value::Number(*number)),
                _ => None,
            },
            _ => None,
        }
    }
}

fn is_reserved(word: &str) -> bool {
    ["and", "or", "not", "contains", "beginswith", "endswith"].contains(&word.to_ascii_lowercase().as_str())
}
