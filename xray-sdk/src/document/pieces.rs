//! Names and URLs that are put together from pieces. Those come from fields of their own, in any order; all of a kind are
//! found by one walk over the entries.

use super::MAX_STRING;
use super::body::Body;
use super::entry::Content;
use super::keys;
use super::limits::MAX_NAME;
use super::section::{Namespace, Part};
use crate::json::{Buffer, escaped_prefix};

impl Body {
    /// Appends the name that the members give, if they do. X-Ray draws a node for each name in the namespaces
    /// `aws` and `remote`, so there it is the service's; elsewhere it is the operation's.
    pub(super) fn write_name(&self, out: &mut Buffer) -> bool {
        if !self.may_have(Part::NamePiece) {
            return false;
        }
        let [name, peer, rpc, database, host, otel] = self.pieces(Part::NamePiece, NAME_KEYS);
        let by_namespace = match self.namespace {
            Some(Namespace::Aws) => rpc,
            Some(Namespace::Remote) => database.or(host),
            None => None,
        };
        let Some(name) = name.or(peer).or(by_namespace).or(otel) else { return false };
        out.put_bytes(name);
        // The convention for databases is `database@host` (X-Ray Developer Guide, segment documents).
        if let Some(host) = host.filter(|_| Some(name) == database) {
            put_host(out, name, host);
        }
        true
    }

    /// Returns whether there are pieces of a request's URL. A host and a port alone may be a database's.
    pub(super) fn has_url_pieces(&self) -> bool {
        self.may_have(Part::UrlPiece) && {
            let [scheme, _, _, path, _] = self.pieces(Part::UrlPiece, URL_KEYS);
            scheme.is_some() || path.is_some()
        }
    }

    /// Scheme, host, port, path and query become a URL where there is no whole one.
    #[inline(never)]
    pub(super) fn write_url_from_parts(&self, out: &mut Buffer, first: bool) {
        if self.value_of(Part::HttpRequest, keys::URL).is_some() {
            return;
        }
        let [scheme, host, port, path, query] = self.pieces(Part::UrlPiece, URL_KEYS);
        if host.is_none() && path.is_none() {
            return;
        }
        out.put(if first { "\"url\":\"" } else { ",\"url\":\"" });
        let start = out.len();
        if let Some(host) = host {
            let scheme = scheme.unwrap_or(b"http");
            out.put_bytes(scheme);
            out.put("://");
            let has_port = put_url_host(out, host);
            let is_usual = |port: &[u8]| matches!((scheme, port), (b"http", b"80") | (b"https", b"443"));
            if let Some(port) = port.filter(|port| !has_port && !is_usual(port)) {
                out.put(":");
                out.put_bytes(port);
            }
            if path.is_some_and(|path| !path.starts_with(b"/")) {
                out.put("/");
            }
        }
        out.put_bytes(path.unwrap_or(b"/"));
        if let Some(query) = query.filter(|query| !query.is_empty()) {
            out.put("?");
            out.put_bytes(query);
        }
        cut_escaped(out, start, MAX_STRING);
        out.put("\"");
    }

    /// Returns the pieces of a kind, each in the place that its key has among the `letters`, which stand at `at` in the
    /// keys.
    #[inline]
    fn pieces<const N: usize>(&self, kind: Part, (at, letters): (usize, &[u8; N])) -> [Option<&[u8]>; N] {
        let mut pieces = [None; N];
        for entry in &self.entries {
            let Content::Member { part, key_len, .. } = entry.content else { continue };
            if part == kind
                && let Some((key, value)) = self.bytes_of(entry).split_at_checked(key_len.into())
                && let Some(place) = letters.iter().position(|letter| key.get(at) == Some(letter))
            {
                pieces[place] = Some(value);
            }
        }
        pieces
    }
}

/// The letters by which `name`, `peer`, `rpc`, `db`, `host` and `otel` differ, and where these stand.
const NAME_KEYS: (usize, &[u8; 6]) = (1, b"nprdho");

/// The letters by which `scheme`, `host`, `port`, `path` and `query` differ, and where these stand.
const URL_KEYS: (usize, &[u8; 5]) = (3, b"hsrte");

/// Appends the host behind a database's name, as far as there is room for it.
#[inline(never)]
fn put_host(out: &mut Buffer, name: &[u8], host: &[u8]) {
    let room = (MAX_NAME - 1).saturating_sub(chars_in(name));
    if room > 0 {
        out.put("@");
        out.put_bytes(&host[..end_of_char(host, room)]);
    }
}

/// Appends the host of a URL, an IPv6 address in brackets. Returns whether the host brings a port along.
fn put_url_host(out: &mut Buffer, host: &[u8]) -> bool {
    if !host.contains(&b':') {
        out.put_bytes(host);
        return false;
    }
    let colons = host.iter().filter(|byte| **byte == b':').count();
    let is_bare_address = colons > 1 && !host.starts_with(b"[");
    out.put(if is_bare_address { "[" } else { "" });
    out.put_bytes(host);
    out.put(if is_bare_address { "]" } else { "" });
    !is_bare_address && !host.ends_with(b"]")
}

fn chars_in(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

/// Returns the end of the first `count` characters.
fn end_of_char(text: &[u8], count: usize) -> usize {
    let starts = text.iter().enumerate().filter(|(_, byte)| **byte & 0xc0 != 0x80);
    starts.map(|(at, _)| at).nth(count).unwrap_or(text.len())
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

#[cfg(test)]
mod tests {
    use super::super::keys::Key;
    use super::*;

    fn assert_differ<const N: usize>(keys: [Key<'_>; N], (at, letters): (usize, &[u8; N])) {
        for (key, letter) in keys.into_iter().zip(letters) {
            assert_eq!(key.json().as_bytes()[at], *letter, "{key:?}");
            assert_eq!(letters.iter().filter(|other| *other == letter).count(), 1, "{key:?}");
        }
    }

    #[test]
    fn a_letter_is_enough_to_know_a_key_by() {
        let names = [keys::NAME, keys::PEER, keys::RPC, keys::DB, keys::HOST, keys::OTEL];
        assert_differ(names, NAME_KEYS);
        assert_differ([keys::SCHEME, keys::HOST, keys::PORT, keys::PATH, keys::QUERY], URL_KEYS);
    }
}
