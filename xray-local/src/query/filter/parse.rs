//! From text to a tree, by recursive descent.
//!
//! Each step notes what it would accept at its position ([`Expected`]). An error reports these notes, and the
//! completion offers them, so that neither has a grammar of its own. Scopes and types are checked while parsing, from
//! the table of keywords. Depth and size are bounded, so that no expression overflows the stack.

use super::ast::{Expr, NodeSelector, Operator, Predicate, Subject, Value};
use super::error::FilterError;
use super::hint;
use super::keyword::{Keyword, Kind, Scope};
use super::lexer::{Lexer, Token, TokenKind};
use super::print::is_plain_key;
use super::root_cause::CausePattern;
use crate::model::limits::{FILTER_CHARACTERS, FILTER_DEPTH, FILTER_PREDICATES};

/// Something the grammar accepts at a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// A keyword of a scope, `!` or `(`.
    Condition(Scope),
    /// `AND` or `OR`.
    Combination,
    Symbol(&'static str),
    /// One of the operators that this subject takes.
    OperatorOf(Subject),
    /// A value to compare this subject with.
    ValueOf(Subject, Operator),
    AnnotationKey,
    /// A node's name, or `id(`.
    Node,
    NodeName,
    NodeType,
    NodeAccount,
    /// `name:`, `type:` or `account.id:`.
    IdPart,
    RootCauses,
    End,
}

impl Expected {
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Condition(_) => "a condition".to_owned(),
            Self::Combination => "AND or OR".to_owned(),
            Self::Symbol(symbol) => format!("\"{symbol}\""),
            Self::OperatorOf(_) => "an operator".to_owned(),
            Self::ValueOf(subject, operator) => match (subject.kind(), operator) {
                (Kind::Flag, _) => "true or false".to_owned(),
                (Kind::Number, _) => "a number".to_owned(),
                (Kind::Annotation, Operator::Equal | Operator::NotEqual) => {
                    "a string in double quotes, a number, true or false".to_owned()
                }
                (
                    Kind::Annotation,
                    Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual,
                ) => "a number".to_owned(),
                _ => "a string in double quotes".to_owned(),
            },
            Self::AnnotationKey => "an annotation key".to_owned(),
            Self::Node => "a name in double quotes or id(...)".to_owned(),
            Self::NodeName | Self::NodeType | Self::NodeAccount => "a string in double quotes".to_owned(),
            Self::IdPart => "name, type or account.id".to_owned(),
            Self::RootCauses => "#[{...}]".to_owned(),
            Self::End => "the end".to_owned(),
        }
    }
}

pub(super) struct Parser<'a> {
    lexer: Lexer<'a>,
    /// Notes for the position `noted_at`, the furthest so far.
    notes: Vec<Expected>,
    noted_at: usize,
    /// Start of the construct that errors quote.
    construct: usize,
    /// End of the last token that was taken.
    taken: usize,
    depth: usize,
    predicates: usize,
    pub(super) warnings: Vec<String>,
}

type Result<T, E = FilterError> = std::result::Result<T, E>;

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str) -> Self {
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

    /// What is accepted at `position`, in bytes, after the parser came that far.
    pub(super) fn expected_at(self, position: usize) -> Vec<Expected> {
        if self.noted_at == position { self.notes } else { Vec::new() }
    }

    /// Parses the whole text as one expression.
    pub(super) fn expression(&mut self) -> Result<Expr> {
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

    pub(super) fn end(&mut self) -> Result<()> {
        self.note(&Expected::End)?;
        match self.lexer.peek()?.kind {
            TokenKind::End => Ok(()),
            _ => Err(self.unexpected()),
        }
    }

    fn or(&mut self, scope: Scope) -> Result<Expr> {
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

    fn descend(&mut self) -> Result<()> {
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

    fn check_scope(&self, token: &Token, keyword: &'static Keyword, scope: Scope) -> Result<()> {
        if keyword.place(scope).is_some() {
            return Ok(());
        }
        let preposition = if scope == Scope::Trace { "at" } else { "in" };
        let problem = format!("{} is not accepted {preposition} {}", keyword.name, scope.as_str());
        let places: Vec<_> = keyword.places.iter().map(|place| place.within.example().as_str()).collect();
        Err(self.error_at(token, problem).with_hint(format!("{} is for {}", keyword.name, places.join(", "))))
    }

    /// `annotation.KEY`, `annotation[KEY]` or `annotation["KEY"]`. Keys keep their case.
    fn annotation(&mut self, token: &Token, scope: Scope) -> Result<Predicate> {
        self.check_scope(token, super::keyword::Field::Annotation.keyword(), scope)?;
        let word = self.lexer.slice(&token.range);
        self.take(token);
        let key = if word.len() > "annotation".len() {
            let key = &word["annotation.".len()..];
            let tail: String =
                self.lexer.rest_unskipped().chars().take_while(|c| is_bracket_key_char(*c)).collect();
            if key.is_empty() || !is_plain_key(key) || tail.starts_with(':') {
                let end = token.range.end + tail.len();
                let written = &self.lexer.text()[token.range.start..end];
                let whole = format!("{key}{tail}");
                let error = |problem| FilterError::new(self.lexer.text(), token.range.start, end, problem);
                return Err(if whole.trim_matches('.').is_empty() {
                    error(format!("{written:?} has no annotation key")).with_hint("write annotation.KEY")
                } else {
                    error(format!(
                        "{written:?} is not an annotation: a key behind a dot has letters, digits and _"
                    ))
                    .with_hint(format!("write annotation[{whole}]"))
                });
            }
            key.to_owned()
        } else {
            if self.lexer.peek()?.kind != TokenKind::Symbol("[") {
                self.note(&Expected::Symbol("["))?;
                return Err(self.unexpected().with_hint("write annotation.KEY or annotation[KEY]"));
            }
            self.accept("[")?;
            self.bracket_key()?
        };
        self.comparison(Subject::Annotation(key))
    }

    fn bracket_key(&mut self) -> Result<String> {
        // A key in brackets has other characters than tokens have.
        let rest = self.lexer.rest();
        let start = self.lexer.position();
        self.note_at(start, &Expected::AnnotationKey);
        if rest.starts_with('"') {
            let token = self.lexer.peek()?;
            if let TokenKind::String(key) = &token.kind
                && !key.is_empty()
            {
                self.take(&token);
                self.expect("]")?;
                return Ok(key.clone());
            }
        }
        match rest.split_once(']') {
            Some((key, _)) if !key.trim().is_empty() && !key.starts_with('"') => {
                self.lexer.advance_to(start + key.len() + 1);
                self.taken = start + key.len() + 1;
                Ok(key.trim_end().to_owned())
            }
            Some(_) => {
                Err(FilterError::new(self.lexer.text(), start, start, "annotation[] has no key".to_owned())
                    .with_hint("write annotation[KEY]"))
            }
            None => Err(FilterError::new(
                self.lexer.text(),
                start,
                self.lexer.text().len(),
                "annotation[ has no closing bracket".to_owned(),
            )
            .with_hint("write annotation[KEY]")),
        }
    }

    fn comparison(&mut self, subject: Subject) -> Result<Predicate> {
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

    fn service(&mut self, keyword: &'static Keyword) -> Result<Predicate> {
        self.open(keyword)?;
        self.note(&Expected::Node)?;
        self.note(&Expected::Symbol(")"))?;
        let node = if self.is_next(")")? { NodeSelector::default() } else { self.node()? };
        self.expect(")")?;
        Ok(Predicate::Service(node, self.optional_braces(Scope::Service)?))
    }

    fn edge(&mut self, keyword: &'static Keyword) -> Result<Predicate> {
        self.open(keyword)?;
        self.note(&Expected::Node)?;
        let from = if self.is_next(",")? { NodeSelector::default() } else { self.node()? };
        self.expect(",")?;
        self.note(&Expected::Node)?;
        let to = if self.is_next(")")? { NodeSelector::default() } else { self.node()? };
        self.expect(")")?;
        Ok(Predicate::Edge(from, to, self.optional_braces(Scope::Edge)?))
    }

    fn open(&mut self, keyword: &'static Keyword) -> Result<()> {
        self.expect("(").map_err(|error| error.with_hint(format!("write {}", keyword.form)))
    }

    /// A name, or `id(...)`. An empty name means every node.
    pub(super) fn node(&mut self) -> Result<NodeSelector> {
        self.note(&Expected::Node)?;
        let token = self.lexer.peek()?;
        match &token.kind {
            TokenKind::String(name) => {
                self.take(&token);
                Ok(NodeSelector {
                    name: Some(name.clone()).filter(|name| !name.is_empty()),
                    ..NodeSelector::default()
                })
            }
            TokenKind::Word if self.is_word(&token, "id") => {
                self.take(&token);
                self.id()
            }
            TokenKind::Word => {
                let name = self.lexer.slice(&token.range);
                Err(self.unexpected().with_hint(format!("write \"{name}\"")))
            }
            _ => Err(self.unexpected()),
        }
    }

    fn id(&mut self) -> Result<NodeSelector> {
        self.expect("(")?;
        let mut node = NodeSelector::default();
        loop {
            self.note(&Expected::IdPart)?;
            let token = self.lexer.peek()?;
            let part = self.lexer.slice(&token.range).to_ascii_lowercase();
            let (place, expected) = match part.as_str() {
                "name" => (&mut node.name, Expected::NodeName),
                "type" => (&mut node.kind, Expected::NodeType),
                "account.id" => (&mut node.account, Expected::NodeAccount),
                _ => return Err(self.unexpected()),
            };
            if place.is_some() {
                return Err(self.error_at(&token, format!("id() has {part} twice")));
            }
            self.take(&token);
            self.expect(":")?;
            self.note(&expected)?;
            let token = self.lexer.peek()?;
            let TokenKind::String(value) = &token.kind else {
                return Err(self.unexpected());
            };
            if value.is_empty() && part != "type" {
                return Err(self
                    .error_at(&token, format!("{part} of id() is empty"))
                    .with_hint("leave the part out"));
            }
            self.take(&token);
            *place = Some(value.clone());
            if !self.accept(",")? {
                self.expect(")")?;
                return Ok(node);
            }
        }
    }

    pub(super) fn optional_braces(&mut self, scope: Scope) -> Result<Option<Box<Expr>>> {
        self.note(&Expected::Symbol("{"))?;
        if self.is_next("{")? { self.braces(scope).map(Box::new).map(Some) } else { Ok(None) }
    }

    fn braces(&mut self, scope: Scope) -> Result<Expr> {
        self.expect("{")?;
        self.descend()?;
        let inner = self.or(scope)?;
        self.depth -= 1;
        self.expect("}")?;
        Ok(inner)
    }

    fn root_causes(&mut self) -> Result<Predicate> {
        self.expect("=")?;
        self.note(&Expected::RootCauses)?;
        let Some(json) = self.lexer.rest().strip_prefix('#') else {
            return Err(self
                .unexpected()
                .with_hint("write rootcause.json = #[{\"Services\": [{\"Name\": \"...\"}]}]"));
        };
        let start = self.lexer.position() + 1;
        let text = self.lexer.text();
        let mut values = serde_json::Deserializer::from_str(json).into_iter::<serde_json::Value>();
        let value = match values.next() {
            Some(Ok(value)) => value,
            Some(Err(err)) => {
                let at = start + byte_of(json, err.line(), err.column());
                return Err(FilterError::new(
                    text,
                    at,
                    at,
                    format!("the JSON of rootcause.json is not valid: {err}"),
                ));
            }
            None => {
                return Err(FilterError::new(text, start, start, "rootcause.json has no JSON".to_owned()));
            }
        };
        let end = start + values.byte_offset();
        let patterns = CausePattern::list(value)
            .map_err(|problem| FilterError::new(text, start, end, format!("rootcause.json: {problem}")))?;
        self.lexer.advance_to(end);
        self.taken = end;
        Ok(Predicate::RootCauseJson(patterns))
    }

    // Single tokens.

    fn note(&mut self, expected: &Expected) -> Result<()> {
        let at = self.lexer.peek()?.range.start;
        self.note_at(at, expected);
        Ok(())
    }

    fn note_at(&mut self, at: usize, expected: &Expected) {
        if at > self.noted_at {
            self.notes.clear();
            self.noted_at = at;
        }
        if at == self.noted_at && !self.notes.contains(expected) {
            self.notes.push(expected.clone());
        }
    }

    fn take(&mut self, token: &Token) {
        self.lexer.advance_to(token.range.end);
        self.taken = token.range.end;
    }

    fn is_next(&self, symbol: &'static str) -> Result<bool> {
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

    fn expect(&mut self, symbol: &'static str) -> Result<()> {
        self.note(&Expected::Symbol(symbol))?;
        if self.accept(symbol)? { Ok(()) } else { Err(self.unexpected()) }
    }

    fn is_word(&self, token: &Token, word: &str) -> bool {
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

pub(super) fn is_reserved(word: &str) -> bool {
    ["and", "or", "not", "contains", "beginswith", "endswith"].contains(&word.to_ascii_lowercase().as_str())
}

fn is_bracket_key_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | ':' | '-' | '/')
}

/// The byte that a line and a column, both from 1, point behind.
fn byte_of(json: &str, line: usize, column: usize) -> usize {
    let before: usize = json.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let mut at = (before + column.saturating_sub(1)).min(json.len());
    while !json.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Characters of a construct that an error quotes.
const LONGEST_CONSTRUCT: usize = 40;
