//! SQL with its parameters: pieces that are put together in the order in which they are written.

use rusqlite::types::Value;

/// SQL, and the values of its `?` in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::query) struct Fragment {
    pub(in crate::query) sql: String,
    pub(in crate::query) params: Vec<Value>,
}

impl Fragment {
    pub(in crate::query) fn new(sql: &str) -> Self {
        Self { sql: sql.to_owned(), params: Vec::new() }
    }

    /// Appends SQL that has no parameter.
    pub(in crate::query) fn push(&mut self, sql: &str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    /// Appends a parameter.
    pub(in crate::query) fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.sql.push('?');
        self.params.push(value.into());
        self
    }

    pub(in crate::query) fn append(&mut self, other: Self) -> &mut Self {
        self.sql.push_str(&other.sql);
        self.params.extend(other.params);
        self
    }

    /// Joins conditions; without any, the condition that `empty` names.
    pub(in crate::query) fn join(fragments: impl IntoIterator<Item = Self>, word: &str, empty: &str) -> Self {
        let mut joined = Self::default();
        for fragment in fragments {
            joined.push(if joined.sql.is_empty() { "(" } else { word });
            joined.append(fragment);
        }
        if joined.sql.is_empty() { Self::new(empty) } else { std::mem::take(joined.push(")")) }
    }

    /// The condition that this one is not true: it is false, or NULL.
    pub(in crate::query) fn inverted(self) -> Self {
        let mut inverted = Self::new("(");
        std::mem::take(inverted.append(self).push(") IS NOT TRUE"))
    }
}

/// The condition that rows of another table satisfy `only`; `join` ties them to the row that is tested.
pub(super) fn exists(from: &str, join: &str, only: Fragment) -> Fragment {
    let mut fragment = Fragment::new("EXISTS (SELECT 1 FROM ");
    fragment.push(from).push(" WHERE ").push(join).push(" AND ").append(only).push(")");
    fragment
}
