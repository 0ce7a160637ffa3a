//! Typed blocks for documents made by hand. Each is a list of members for a [`Body`]; the layer, which learns
//! its members one field at a time, puts them there itself.

use super::{Body, Place};

/// What is known of an HTTP request and its response. Members that are not set are not written.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Http<'a> {
    /// The request's method.
    pub method: Option<&'a str>,
    /// The whole URL. Leave the query out if it may hold secrets.
    pub url: Option<&'a str>,
    /// The client's user agent.
    pub user_agent: Option<&'a str>,
    /// The client's address. For segments only: a receiver takes a subsegment with one for a server.
    pub client_ip: Option<&'a str>,
    /// Whether the client's address is from `X-Forwarded-For`, which anyone can write.
    pub x_forwarded_for: bool,
    /// The response's status. It also sets `error`, `throttle` and `fault`.
    pub status: Option<u16>,
    /// The response's body in bytes.
    pub content_length: Option<u64>,
}

impl<'a> Http<'a> {
    /// A request of which no response is known.
    #[must_use]
    pub fn request(method: &'a str, url: &'a str) -> Self {
        Self { method: Some(method), url: Some(url), ..Self::default() }
    }

    /// Adds the response's status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Adds the response's length in bytes.
    #[must_use]
    pub fn content_length(mut self, bytes: u64) -> Self {
        self.content_length = Some(bytes);
        self
    }

    /// Adds the client's user agent.
    #[must_use]
    pub fn user_agent(mut self, user_agent: &'a str) -> Self {
        self.user_agent = Some(user_agent);
        self
    }

    /// Adds the client's address, and whether it is from `X-Forwarded-For`.
    #[must_use]
    pub fn client_ip(mut self, address: &'a str, forwarded: bool) -> Self {
        self.client_ip = Some(address);
        self.x_forwarded_for = forwarded;
        self
    }

    pub(super) fn put(&self, body: &mut Body) {
        let strings = [
            ("\"method\":", self.method),
            ("\"url\":", self.url),
            ("\"user_agent\":", self.user_agent),
            ("\"client_ip\":", self.client_ip),
        ];
        put_all(body, Place::HttpRequest, &strings);
        if self.x_forwarded_for {
            body.put(Place::HttpRequest, 0, "\"x_forwarded_for\":", |out| {
                out.put_bool(true);
                super::Wrote::Whole
            });
        }
        if let Some(status) = self.status {
            body.set_status(status);
        }
        if let Some(length) = self.content_length {
            body.put(Place::HttpResponse, 0, "\"content_length\":", |out| {
                out.put_int(length);
                super::Wrote::Whole
            });
        }
    }
}

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
        put_all(body, Place::Sql, &strings);
        if let Some(query) = self.sanitized_query {
            body.put_text(Place::Sql, 0, "\"sanitized_query\":", query);
        }
    }
}

fn put_all(body: &mut Body, place: Place, members: &[(&str, Option<&str>)]) {
    for (key, value) in members {
        if let Some(value) = value {
            body.put_str(place, 0, key, value);
        }
    }
}
