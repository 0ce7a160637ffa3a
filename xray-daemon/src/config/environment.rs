//! The process's environment, read once.
//!
//! Rooms get an [`Environment`] as an argument, so that a test can have one of its own. Nothing else reads
//! variables, except the AWS SDK's credentials chain.

use std::collections::HashMap;

/// The variables of a process.
///
/// A variable that is set to the empty string counts as not set, as in AWS's daemon.
#[derive(Clone, Debug, Default)]
pub struct Environment(HashMap<String, String>);

impl Environment {
    /// Reads the variables of this process. Those that are not valid UTF-8 are ignored.
    #[must_use]
    pub fn from_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// Returns a variable's value, unless it is unset or empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<T: IntoIterator<Item = (N, V)>>(variables: T) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}
