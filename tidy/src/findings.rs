//! [`Findings`]: a line for each thing that is wrong.
//!
//! Made by the rules, read by a crate's tests.

/// A line for each thing that is wrong.
#[derive(Debug)]
pub struct Findings(Vec<String>);

impl Findings {
    pub(crate) fn new(lines: impl IntoIterator<Item = String>) -> Self {
        Self(lines.into_iter().collect())
    }

    /// Checks that nothing is wrong.
    ///
    /// # Panics
    /// Something is; the message has a line for each.
    #[track_caller]
    pub fn assert_none(&self) {
        assert!(self.0.is_empty(), "{}", self.0.join("\n"));
    }

    /// Checks that a line contains a text: what was planted is found.
    ///
    /// # Panics
    /// No line does.
    #[track_caller]
    pub fn assert_contains(&self, text: &str) {
        assert!(self.contains(text), "{text:?} is not in:\n{}", self.0.join("\n"));
    }

    pub(crate) fn contains(&self, text: &str) -> bool {
        self.0.iter().any(|line| line.contains(text))
    }
}
