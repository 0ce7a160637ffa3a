//! Parts with a form of their own: annotations, services, edges, nodes and root causes.

use super::super::ast::{Expr, NodeSelector, Predicate, Subject};
use super::super::error::FilterError;
use super::super::keyword::{Field, Keyword, Scope};
use super::super::print::is_plain_key;
use super::super::root_cause::CausePattern;
use super::cursor::{Parser, Result};
use super::expected::Expected;
use super::lexer::{Token, TokenKind};

impl Parser<'_> {
    /// `annotation.KEY`, `annotation[KEY]` or `annotation["KEY"]`. Keys keep their case.
    pub(super) fn annotation(&mut self, token: &Token, scope: Scope) -> Result<Predicate> {
        self.check_scope(token, Field::Annotation.keyword(), scope)?;
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

    pub(super) fn bracket_key(&mut self) -> Result<String> {
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

    pub(super) fn service(&mut self, keyword: &'static Keyword) -> Result<Predicate> {
        self.open(keyword)?;
        self.note(&Expected::Node)?;
        self.note(&Expected::Symbol(")"))?;
        let node = if self.is_next(")")? { NodeSelector::default() } else { self.node()? };
        self.expect(")")?;
        Ok(Predicate::Service(node, self.optional_braces(Scope::Service)?))
    }

    pub(super) fn edge(&mut self, keyword: &'static Keyword) -> Result<Predicate> {
        self.open(keyword)?;
        self.note(&Expected::Node)?;
        let from = if self.is_next(",")? { NodeSelector::default() } else { self.node()? };
        self.expect(",")?;
        self.note(&Expected::Node)?;
        let to = if self.is_next(")")? { NodeSelector::default() } else { self.node()? };
        self.expect(")")?;
        Ok(Predicate::Edge(from, to, self.optional_braces(Scope::Edge)?))
    }

    pub(super) fn open(&mut self, keyword: &'static Keyword) -> Result<()> {
        self.expect("(").map_err(|error| error.with_hint(format!("write {}", keyword.form)))
    }

    /// A name, or `id(...)`. An empty name means every node.
    pub(in super::super) fn node(&mut self) -> Result<NodeSelector> {
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

    pub(super) fn id(&mut self) -> Result<NodeSelector> {
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

    pub(super) fn braces(&mut self, scope: Scope) -> Result<Expr> {
        self.expect("{")?;
        self.descend()?;
        let inner = self.or(scope)?;
        self.depth -= 1;
        self.expect("}")?;
        Ok(inner)
    }

    pub(super) fn root_causes(&mut self) -> Result<Predicate> {
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
