//! [`Http`]: a request and its response, as a list of members for a [`Body`]. The layer, which learns its members one
//! field at a time, puts them there itself.

use super::strings::put_strings;
use crate::document::internal::{Body, Section, Written};

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
        put_strings(body, Section::HttpRequest, &strings);
        if self.x_forwarded_for {
            body.put(Section::HttpRequest, 0, "\"x_forwarded_for\":", |out| {
                out.put_bool(true);
                Written::Whole
            });
        }
        if let Some(status) = self.status {
            body.set_status(status);
        }
        if let Some(length) = self.content_length {
            body.put(Section::HttpResponse, 0, "\"content_length\":", |out| {
                out.put_int(length);
                Written::Whole
            });
        }
    }
}
