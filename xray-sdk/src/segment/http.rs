//! [`Http`]: a request and its response, as a list of members for a [`Body`]. The layer, which learns its members one
//! field at a time, puts them there itself.

use super::strings::put_strings;
use crate::document::internal::{Body, Section, Written, keys};

/// Describes an HTTP request and its response. Members that are not set are not written.
///
/// ```
/// use xray_sdk::document::Http;
///
/// let http = Http::request("GET", "https://shop.example/cart").status(404).content_length(120);
/// assert_eq!((http.method, http.status), (Some("GET"), Some(404)));
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Http<'a> {
    /// The request's method.
    pub method: Option<&'a str>,
    /// The whole URL. Leave the query out if it may hold secrets.
    pub url: Option<&'a str>,
    /// The client's user agent.
    pub user_agent: Option<&'a str>,
    /// The client's address. For segments only: X-Ray draws a subsegment that has one as a server, so there the address is left
    /// out, and counted in the document.
    pub client_ip: Option<&'a str>,
    /// `true` if the client's address comes from `X-Forwarded-For`, which anyone can write.
    pub x_forwarded_for: bool,
    /// The response's status, from which `error`, `throttle` and `fault` follow.
    pub status: Option<u16>,
    /// The response's body in bytes.
    pub content_length: Option<u64>,
}

impl<'a> Http<'a> {
    /// Describes a request without a response.
    #[must_use]
    pub fn request(method: &'a str, url: &'a str) -> Self {
        Self { method: Some(method), url: Some(url), ..Self::default() }
    }

    /// Sets the response's status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Sets the length of the response's body, in bytes.
    #[must_use]
    pub fn content_length(mut self, bytes: u64) -> Self {
        self.content_length = Some(bytes);
        self
    }

    /// Sets the client's user agent.
    #[must_use]
    pub fn user_agent(mut self, user_agent: &'a str) -> Self {
        self.user_agent = Some(user_agent);
        self
    }

    /// Sets the client's address, and whether it comes from `X-Forwarded-For`.
    #[must_use]
    pub fn client_ip(mut self, address: &'a str, forwarded: bool) -> Self {
        self.client_ip = Some(address);
        self.x_forwarded_for = forwarded;
        self
    }

    pub(super) fn put(&self, body: &mut Body, is_segment: bool) {
        if self.client_ip.is_some() && !is_segment {
            body.count_left_out();
        }
        let strings = [
            (keys::METHOD, self.method),
            (keys::URL, self.url),
            (keys::USER_AGENT, self.user_agent),
            (keys::CLIENT_IP, self.client_ip.filter(|_| is_segment)),
        ];
        put_strings(body, Section::HttpRequest, &strings);
        if self.x_forwarded_for && is_segment {
            body.put(Section::HttpRequest, 0, keys::X_FORWARDED_FOR, |out| {
                out.put_bool(true);
                Written::Whole
            });
        }
        if let Some(status) = self.status {
            body.set_status(status);
        }
        if let Some(length) = self.content_length {
            body.put(Section::HttpResponse, 0, keys::CONTENT_LENGTH, |out| {
                out.put_int(length);
                Written::Whole
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Segment, Subsegment};
    use crate::{EmitError, Emitter, Packet, TraceId};
    use std::sync::Mutex;

    struct Kept(Mutex<Vec<u8>>);

    impl Emitter for Kept {
        fn emit(&self, packet: &Packet) -> Result<(), EmitError> {
            self.0.lock().unwrap().extend_from_slice(packet.document());
            Ok(())
        }
    }

    #[test]
    fn a_subsegment_has_no_client_address_and_its_document_counts_that() {
        let http = Http::request("GET", "https://shop.example/").client_ip("203.0.113.7", true);
        let mut segment = Segment::begin("shop", TraceId::new());
        segment.set_http(&http);
        let mut call = Subsegment::begin("prices");
        call.set_http(&http);
        segment.attach(call);
        let kept = Kept(Mutex::default());
        segment.emit(&kept).unwrap();
        let document = kept.0.into_inner().unwrap();
        let document: serde_json::Value = serde_json::from_slice(&document).unwrap();
        assert_eq!(document["http"]["request"]["client_ip"], "203.0.113.7");
        let call = &document["subsegments"][0];
        assert_eq!(call["http"]["request"].get("client_ip"), None);
        assert_eq!(call["http"]["request"].get("x_forwarded_for"), None);
        assert_eq!(call["metadata"]["default"]["xray.limits"]["dropped"], 1);
    }
}
