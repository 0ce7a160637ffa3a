//! The user's rules for values: the redaction hook, and what is left out of documents.

use std::borrow::Cow;
use std::fmt;

use crate::settings::config::{Database, SqlVersion};
use crate::settings::reentrancy::CaughtPanics;

/// The rules for all values of a layer.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(crate) redact: Option<Redact>,
    /// Set if queries of URLs are kept.
    pub(crate) keep_query: bool,
    /// Set if statements are left out.
    pub(crate) drop_sql_text: bool,
    /// Set if literals in statements are kept.
    pub(crate) keep_sql_literals: bool,
    /// Set if the parts of a URL are kept beside the whole, for a hook that looks at finished spans.
    pub(crate) keep_url_parts: bool,
    pub(crate) sql_versions: Vec<SqlVersion>,
    pub(crate) database: Database,
}

impl Rules {
    /// Returns the number of panics of the redaction hook that were caught.
    pub(crate) fn panics(&self) -> u64 {
        self.redact.as_ref().map_or(0, |redact| redact.panics.count())
    }

    /// Returns the value as the redaction hook replaces it.
    pub(crate) fn redacted<'a>(&self, field: &str, value: &'a str) -> Cow<'a, str> {
        match &self.redact {
            Some(redact) => redact.apply(field, value),
            None => value.into(),
        }
    }
}

/// The user's redaction hook, called with each value before it is written.
pub(crate) struct Redact {
    hook: Box<RedactFn>,
    panics: CaughtPanics,
}

pub(crate) type RedactFn = dyn for<'a> Fn(&str, &'a str) -> Cow<'a, str> + Send + Sync;

impl Redact {
    pub(crate) fn new(redact: Box<RedactFn>) -> Self {
        Self { hook: redact, panics: CaughtPanics::default() }
    }

    /// Returns the value as the hook replaces it. If the hook panics, the value is not sent.
    pub(crate) fn apply<'a>(&self, field: &str, value: &'a str) -> Cow<'a, str> {
        self.panics.catch(|| (self.hook)(field, value)).unwrap_or_else(|| UNKNOWN.into())
    }
}

/// The value for which the hook has no answer.
pub(crate) const UNKNOWN: &str = "…";

impl fmt::Debug for Redact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redact")
    }
}
