//! The condition keys of one request.
//!
//! Names are case-insensitive, values are not. A key without a value does not exist here.

use std::collections::BTreeMap;

/// Condition keys with their values, such as `aws:SourceIp` or `aws:TagKeys`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    keys: BTreeMap<String, Vec<String>>,
}

impl Context {
    /// Sets a key to one value, replacing what it had.
    pub fn set(&mut self, key: &str, value: impl Into<String>) {
        self.keys.insert(key.to_ascii_lowercase(), vec![value.into()]);
    }

    /// Sets a key to several values. With no value at all, the key does not exist.
    pub fn set_all(&mut self, key: &str, values: Vec<String>) {
        if values.is_empty() {
            self.keys.remove(&key.to_ascii_lowercase());
        } else {
            self.keys.insert(key.to_ascii_lowercase(), values);
        }
    }

    /// The values of a key whose name is in lower case.
    pub(super) fn values(&self, key: &str) -> Option<&[String]> {
        self.keys.get(key).map(Vec::as_slice)
    }

    /// The only value of a key whose name is in lower case.
    pub(super) fn single(&self, key: &str) -> Option<&str> {
        match self.values(key)? {
            [only] => Some(only),
            _ => None,
        }
    }

    /// All keys in alphabetical order, each with its values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.keys.iter().map(|(key, values)| (key.as_str(), values.as_slice()))
    }
}
