//! The URL of a request that is only known in parts.
//!
//! Scheme, host, port, path and query come from fields of their own, in any order.

use super::MAX_STRING;
use super::body::Body;
use super::keys;
use super::section::Part;
use crate::json::{Buffer, escaped_prefix};

impl Body {
    /// Scheme, host, port, path and query become a URL where there is no whole one.
    #[inline(never)]
    pub(super) fn write_url_from_parts(&self, out: &mut Buffer, first: bool) {
        if self.value_of(Part::HttpRequest, keys::URL).is_some() {
            return;
        }
        let part = |key| self.value_of(Part::UrlPiece, key);
        let (host, path) = (part(keys::HOST), part(keys::PATH));
        if host.is_none() && path.is_none() {
            return;
        }
        out.put(if first { "\"url\":\"" } else { ",\"url\":\"" });
        let start = out.len();
        if let Some(host) = host {
            out.put_bytes(part(keys::SCHEME).unwrap_or(b"http"));
            out.put("://");
            out.put_bytes(host);
            if let Some(port) = part(keys::PORT).filter(|port| !matches!(*port, b"80" | b"443")) {
                out.put(":");
                out.put_bytes(port);
            }
        }
        out.put_bytes(path.unwrap_or(b"/"));
        if let Some(query) = part(keys::QUERY).filter(|query| !query.is_empty()) {
            out.put("?");
            out.put_bytes(query);
        }
        cut_escaped(out, start, MAX_STRING);
        out.put("\"");
    }
}

/// Cuts an escaped string from `start` on to `max` bytes, which are never fewer than its characters.
fn cut_escaped(out: &mut Buffer, start: usize, max: usize) {
    let text = &out.as_bytes()[start..];
    if text.len() > max {
        let keep = escaped_prefix(text, max - "…".len());
        out.truncate(start + keep);
        out.put("…");
    }
}
