//! A problem, how bad it is, and where in the document it is.
//!
//! Nouns alone: no rule lives here. All of the checker's files raise problems, users read them.

use std::fmt;

/// One thing about a document that X-Ray or another receiver would not take as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// Where: `subsegments[3].http.request.url`. Empty for the document as a whole.
    pub path: String,
    /// The problem, and the receiver that has it.
    pub message: String,
    /// The consequence for the document.
    pub severity: Severity,
}

/// The consequence of a problem for its document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// X-Ray, the daemon or the OpenTelemetry receiver refuses the whole document.
    Reject,
    /// The document passes, but someone loses a part of it, or shows it wrongly.
    Warn,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.path, self.message)
        }
    }
}

/// The problems found so far.
#[derive(Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn reject(&mut self, path: &Path<'_>, message: impl Into<String>) {
        self.0.push(Problem { path: path.to_string(), message: message.into(), severity: Severity::Reject });
    }

    pub(super) fn warn(&mut self, path: &Path<'_>, message: impl Into<String>) {
        self.0.push(Problem { path: path.to_string(), message: message.into(), severity: Severity::Warn });
    }

    pub(super) fn into_vec(self) -> Vec<Problem> {
        self.0
    }
}

/// A place in a document, as a list that grows down the stack: it costs nothing until someone prints it.
#[derive(Clone, Copy)]
pub(super) enum Path<'a> {
    Root,
    Key(&'a Self, &'a str),
    Index(&'a Self, usize),
}

impl<'a> Path<'a> {
    pub(super) fn key(&'a self, key: &'a str) -> Self {
        Self::Key(self, key)
    }

    pub(super) fn index(&'a self, index: usize) -> Self {
        Self::Index(self, index)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Index(parent, index) => write!(f, "{parent}[{index}]"),
            Self::Key(parent, key) => {
                let plain =
                    key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && key.len() <= KEY_SHOWN;
                if !plain {
                    write!(f, "{parent}[{}]", quoted(key))
                } else if matches!(parent, Self::Root) {
                    f.write_str(key)
                } else {
                    write!(f, "{parent}.{key}")
                }
            }
        }
    }
}

/// A string from the document, fit for a message: quoted, escaped, and cut after [`KEY_SHOWN`] characters.
pub(super) fn quoted(text: &str) -> String {
    match text.char_indices().nth(KEY_SHOWN) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}…", &text[..end]),
    }
}

/// Enough to recognise a key or value by; what is longer is mostly hostile.
const KEY_SHOWN: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_like_an_expression() {
        let root = Path::Root;
        assert_eq!(root.to_string(), "");
        let (list, long) = (root.key("subsegments"), "k".repeat(90));
        let third = list.index(3);
        let http = third.key("http");
        assert_eq!(http.key("url").to_string(), "subsegments[3].http.url");
        assert_eq!(http.key("a.b \"").to_string(), r#"subsegments[3].http["a.b \""]"#);
        assert_eq!(root.key(&long).to_string(), format!("[\"{}\"…]", "k".repeat(60)));
    }

    #[test]
    fn a_problem_prints_its_place_first() {
        let mut found = Problems::default();
        found.reject(&Path::Root.key("id"), "missing");
        found.warn(&Path::Root, "too wide");
        let text: Vec<String> = found.into_vec().iter().map(ToString::to_string).collect();
        assert_eq!(text, ["id: missing", "too wide"]);
    }
}
