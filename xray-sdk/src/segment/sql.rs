//! [`Sql`]: a database call, as a list of members for a [`Body`].

use super::strings::put_strings;
use crate::document::internal::{Body, Section, keys};

/// Describes a database call. Members that are not set are not written.
///
/// ```
/// use xray_sdk::document::Sql;
///
/// let sql = Sql::query("PostgreSQL", "SELECT total FROM orders WHERE id = $1").user("shop");
/// assert_eq!(sql.database_type, Some("PostgreSQL"));
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Sql<'a> {
    /// The connection's URL, without a password.
    pub url: Option<&'a str>,
    /// The statement, with placeholders for its values.
    pub sanitized_query: Option<&'a str>,
    /// The kind of database, `PostgreSQL` for instance.
    pub database_type: Option<&'a str>,
    /// The database's version.
    pub database_version: Option<&'a str>,
    /// The driver's version.
    pub driver_version: Option<&'a str>,
    /// The database user.
    pub user: Option<&'a str>,
    /// The way the statement was prepared: `call` or `statement`.
    pub preparation: Option<&'a str>,
}

impl<'a> Sql<'a> {
    /// Describes a statement sent to a kind of database.
    #[must_use]
    pub fn query(database_type: &'a str, sanitized_query: &'a str) -> Self {
        Self { database_type: Some(database_type), sanitized_query: Some(sanitized_query), ..Self::default() }
    }

    /// Sets the connection's URL.
    #[must_use]
    pub fn url(mut self, url: &'a str) -> Self {
        self.url = Some(url);
        self
    }

    /// Sets the database user.
    #[must_use]
    pub fn user(mut self, user: &'a str) -> Self {
        self.user = Some(user);
        self
    }

    pub(super) fn put(&self, body: &mut Body) {
        let strings = [
            (keys::URL, self.url),
            (keys::DATABASE_TYPE, self.database_type),
            (keys::DATABASE_VERSION, self.database_version),
            (keys::DRIVER_VERSION, self.driver_version),
            (keys::USER, self.user),
            (keys::PREPARATION, self.preparation),
        ];
        put_strings(body, Section::Sql, &strings);
        if let Some(query) = self.sanitized_query {
            body.put_text(Section::Sql, 0, keys::SANITIZED_QUERY, query);
        }
    }
}
