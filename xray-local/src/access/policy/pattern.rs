//! Patterns with `*`, `?` and policy variables, and how a string is held against them.
//!
//! A variable's value is data: a `*` in a user's name matches a `*` and nothing else. So a template is resolved into
//! tokens, not into another string that would be read again.

use super::Context;

/// A part of a resolved pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// This character.
    Char(char),
    /// `?`: any one character.
    One,
    /// `*`: any run of characters, also none.
    Many,
}

/// A pattern whose variables have no values yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template(pub(super) Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Token(Token),
    Variable { key: String, default: Option<String> },
}

/// Part of a template.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grammar {
    /// `*` and `?` are wildcards.
    pub(super) wildcards: bool,
    /// `${key}` is a variable; only policies of version 2012-10-17 have those.
    pub(super) variables: bool,
}

impl Template {
    /// # Errors
    /// A variable that is not closed, or has no name.
    pub(super) fn parse(source: &str, grammar: Grammar) -> Result<Self, String> {
        let mut parts = Vec::with_capacity(source.len());
        let mut rest = source;
        while let Some(first) = rest.chars().next() {
            if grammar.variables && rest.starts_with("${") {
                let (name, behind) = rest[2..]
                    .split_once('}')
                    .ok_or_else(|| format!("the policy variable in \"{source}\" is not closed by \"}}\""))?;
                parts.push(variable(name, source)?);
                rest = behind;
                continue;
            }
            parts.push(Part::Token(match first {
                '*' if grammar.wildcards => Token::Many,
                '?' if grammar.wildcards => Token::One,
                other => Token::Char(other),
            }));
            rest = &rest[first.len_utf8()..];
        }
        Ok(Self(parts))
    }

    /// The tokens, with the request's values for variables. `None` if a variable has no single value and no default.
    pub(super) fn resolve(&self, context: &Context) -> Option<Vec<Token>> {
        let mut tokens = Vec::with_capacity(self.0.len());
        for part in &self.0 {
            match part {
                Part::Token(token) => tokens.push(*token),
                Part::Variable { key, default } => {
                    let value = context.single(key).or(default.as_deref())?;
                    tokens.extend(value.chars().map(Token::Char));
                }
            }
        }
        Some(tokens)
    }

    /// Reports whether the resolved pattern matches the whole of `value`.
    pub(super) fn matches(&self, value: &str, context: &Context, ignore_case: bool) -> bool {
        self.resolve(context).is_some_and(|tokens| matches(&tokens, value, ignore_case))
    }

    pub(super) fn is_variable(&self) -> bool {
        matches!(self.0.as_slice(), [Part::Variable { .. }])
    }

    pub(super) fn ends_open(&self) -> bool {
        matches!(self.0.last(), Some(Part::Token(Token::Many)))
    }
}

/// Reads what stands between `${` and `}`.
fn variable(name: &str, source: &str) -> Result<Part, String> {
    if let "*" | "?" | "$" = name {
        return Ok(Part::Token(Token::Char(name.chars().next().unwrap_or('$'))));
    }
    let (key, default) = match name.split_once(',') {
        None => (name.trim(), None),
        Some((key, default)) => {
            let default = default.trim();
            let inner = default
                .strip_prefix('\'')
                .and_then(|rest| rest.strip_suffix('\''))
                .ok_or_else(|| format!("the default in \"${{{name}}}\" must stand in single quotes"))?;
            (key.trim(), Some(inner.to_owned()))
        }
    };
    if !key.contains(':') || key.contains(char::is_whitespace) || key.contains('$') {
        return Err(format!(
            "\"${{{key}}}\" in \"{source}\" is not a policy variable such as \"${{aws:username}}\""
        ));
    }
    Ok(Part::Variable { key: key.to_ascii_lowercase(), default })
}

/// Reports whether the tokens match the whole of `value`. Linear in both, but for one point of return.
pub(super) fn matches(tokens: &[Token], value: &str, ignore_case: bool) -> bool {
    let value: Vec<char> = value.chars().collect();
    let (mut token, mut at) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        match tokens.get(token) {
            Some(Token::Many) => {
                retry = Some((token + 1, at));
                token += 1;
                continue;
            }
            Some(Token::One) if at < value.len() => {
                token += 1;
                at += 1;
                continue;
            }
            Some(Token::Char(expected))
                if value.get(at).is_some_and(|found| same(*expected, *found, ignore_case)) =>
            {
                token += 1;
                at += 1;
                continue;
            }
            None if at == value.len() => return true,
            _ => {}
        }
        let Some((after, from)) = retry else { return false };
        if from >= value.len() {
            return false;
        }
        retry = Some((after, from + 1));
        token = after;
        at = from + 1;
    }
}

fn same(a: char, b: char, ignore_case: bool) -> bool {
    a == b || (ignore_case && a.to_lowercase().eq(b.to_lowercase()))
}
