//! [`Sql`]: a database call, as a list of members for a [`Body`].

use super::strings::put_strings;
use crate::document::internal::{Body, Section};

/// What is known of a database call. Members that are not set are not written.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Sql<'a> {
    /// The connection's URL, without a password.
    pub url: Option<&'a str>,
    /// The statement, with placeholders for its values.
    pub sanitized_query: Option<&'a str>,
    /// The kind of database, `PostgreSQL` for instance.
    pub database_type: Option<&'a str>,
    /// Its version.
    pub database_version: Option<&'a str>,
    /// The driver's version.
    pub driver_version: Option<&'a str>,
    /// The database user.
    pub user: Option<&'a str>,
    /// How it was prepared: `call` or `statement`.
    pub preparation: Option<&'a str>,
}

impl<'a> Sql<'a> {
    /// A statement sent to a kind of database.
    #[must_use]
    pub fn query(database_type: &'a str, sanitized_query: &'a str) -> Self {
        Self { database_type: Some(database_type), sanitized_query: Some(sanitized_query), ..Self::default() }
    }

    /// Adds the connection's URL.
    #[must_use]
    pub fn url(mut self, url: &'a str) -> Self {
        self.url = Some(url);
        self
    }

    /// Adds the database user.
    #[must_use]
    pub fn user(mut self, user: &'a str) -> Self {
        self.user = Some(user);
        self
    }

    pub(super) fn put(&self, body: &mut Body) {
        let strings = [
            ("\"url\":", self.url),
            ("\"database_type\":", self.database_type),
            ("\"database_version\":", self.database_version),
            ("\"driver_version\":", self.driver_version),
            ("\"user\":", self.user),
            ("\"preparation\":", self.preparation),
        ];
        put_strings(body, Section::Sql, &strings);
        if let Some(query) = self.sanitized_query {
            body.put_text(Section::Sql, 0, "\"sanitized_query\":", query);
        }
    }
}
