//! ARNs as patterns: `arn:partition:service:region:account:resource`, matched part by part.
//!
//! A wildcard stays within its part, so that `arn:aws:xray:*:1111…:group/a` can't reach into another account's ARN. Only
//! a `*` at the very end goes on over colons. The colons that separate parts are the pattern's own: a variable's value
//! never adds one.

use super::Context;
use super::pattern::{Grammar, Part, Template, Token, matches};

/// Parts of an ARN.
const PARTS: usize = 6;

/// A pattern for ARNs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ArnPattern {
    /// `*`
    Everything,
    /// One variable that stands for a whole ARN.
    Variable(Template),
    /// One template a part. With less than six, the last one ends in `*` and matches the remainder.
    Parts(Vec<Template>),
}

impl ArnPattern {
    /// # Errors
    /// What is neither `*` nor an ARN.
    pub(super) fn parse(source: &str, variables: bool) -> Result<Self, String> {
        if source == "*" {
            return Ok(Self::Everything);
        }
        let template = Template::parse(source, Grammar { wildcards: true, variables })?;
        if template.is_variable() {
            return Ok(Self::Variable(template));
        }
        let mut parts = vec![Template(Vec::new())];
        for part in template.0 {
            let count = parts.len();
            match (part, parts.last_mut()) {
                (Part::Token(Token::Char(':')), _) if count < PARTS => parts.push(Template(Vec::new())),
                (part, Some(last)) => last.0.push(part),
                (_, None) => {}
            }
        }
        let is_arn = parts[0].0 == "arn".chars().map(|c| Part::Token(Token::Char(c))).collect::<Vec<_>>();
        let is_open = parts.last().is_some_and(Template::ends_open);
        if !is_arn || (parts.len() < PARTS && !is_open) {
            return Err(format!(
                "\"{source}\" must be \"*\" or an ARN (arn:partition:service:region:account:resource)"
            ));
        }
        Ok(Self::Parts(parts))
    }

    pub(super) fn matches(&self, arn: &str, context: &Context) -> bool {
        match self {
            Self::Everything => true,
            Self::Variable(template) => template.matches(arn, context, false),
            Self::Parts(parts) => {
                let found: Vec<&str> = arn.splitn(parts.len(), ':').collect();
                let is_arn = arn.starts_with("arn:") && arn.split(':').count() >= PARTS;
                is_arn
                    && found.len() == parts.len()
                    && parts.iter().zip(found).all(|(part, found)| {
                        part.resolve(context).is_some_and(|tokens| matches(&tokens, found, false))
                    })
            }
        }
    }
}
