//! URLs without user, password and, on request only, query.
//!
//! | form | result |
//! |---|---|
//! | `scheme://user:password@host:port/path?query#part` | `scheme://host:port/path` |
//! | `//host/path` | the same, without the user |
//! | `host:port` (of `CONNECT`), `*` (of `OPTIONS`) | unchanged |
//! | `/path?query`, `path` | `/path`, `path` |
//! | `scheme://host/a@b` | `scheme://host`: the path may be a password's end |
//! | everything else | left out |
//!
//! Everything else is what readers of URLs disagree about: a backslash, `scheme:host` without slashes, a
//! port that is no number. A password may hide in each of them.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memchr2_iter, memchr3, memrchr};

use super::host::{HostPort, MAX_HOST};
use super::secret_key::{Secret, key_before};
use xray_sdk::document::internal::{end_of_host, is_plain_path, is_plain_path_or_port};

/// A URL that is safe to send, in its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SafeUrl<'a> {
    /// Scheme with `://`, or `//`, or nothing.
    before: &'a str,
    host: Option<HostPort<'a>>,
    /// Path, and the query if it is kept.
    after: &'a str,
    /// The text it was read from, if nothing of it has to go.
    unchanged: Option<&'a str>,
}

impl<'a> SafeUrl<'a> {
    /// Reads a URL. Returns `None` if its form is not understood.
    pub(crate) fn parse(url: &'a str, keep_query: bool) -> Option<Self> {
        Self::parse_plain(url).or_else(|| Self::parse_any(url, keep_query))
    }

    /// Reads a URL of HTTP without a user, a query, or anything else that could hide a secret, as most are. Returns
    /// `None` for any other.
    #[inline]
    fn parse_plain(url: &'a str) -> Option<Self> {
        let rest = after_scheme(url)?;
        let (host, end) = plain_ends(rest.as_bytes())?;
        let (before, (whole, after)) = (&url[..url.len() - rest.len()], rest.split_at(end));
        let host = HostPort { host: &whole[..host], port: whole.get(host + 1..).unwrap_or_default(), whole };
        Some(Self { before, host: Some(host), after, unchanged: Some(url) })
    }

    #[inline(never)]
    fn parse_any(url: &'a str, keep_query: bool) -> Option<Self> {
        let bytes = url.as_bytes();
        // What no reader takes for a part of a URL, and browsers take for a slash.
        if bytes.iter().any(|byte| byte.is_ascii_control() || *byte == b'\\') {
            return None;
        }
        let shown = if keep_query { url } else { without_query(url) };
        let Some(start) = start_of_authority(url)? else {
            return Self::without_authority(url, shown);
        };
        let end = start + memchr3(b'/', b'?', b'#', &bytes[start..]).unwrap_or(url.len() - start);
        let authority = &url[start..end];
        let host = memrchr(b'@', authority.as_bytes()).map_or(authority, |at| &authority[at + 1..]);
        let host = HostPort::parse(host)?;
        if !host.port.is_empty() && password_follows(&url[end..]) {
            return None;
        }
        // Before an `@`, a path may be the rest of a password that a slash stands in.
        if hides_user(&url[end..]) {
            return Some(Self { before: &url[..start], host: Some(host), after: "", unchanged: None });
        }
        let after = shown.get(end..).unwrap_or_default();
        let after = if keep_query { after } else { without_secret(after) };
        let is_whole = host.whole.len() == authority.len() && end + after.len() == shown.len();
        let unchanged = is_whole.then_some(shown);
        Some(Self { before: &url[..start], host: Some(host), after, unchanged })
    }

    /// A path, an authority alone (`host:port`), or `*`.
    fn without_authority(url: &'a str, shown: &'a str) -> Option<Self> {
        let shown = without_secret(shown);
        let none = Self { before: "", host: None, after: shown, unchanged: Some(shown) };
        let first = memchr3(b'/', b'?', b'#', url.as_bytes()).map_or(url, |end| &url[..end]);
        if memchr2(b':', b'@', first.as_bytes()).is_none() {
            return (!hides_user(url)).then_some(none);
        }
        let host = HostPort::parse(url).filter(|host| !host.port.is_empty())?;
        Some(Self { host: Some(host), after: "", unchanged: Some(url), ..none })
    }

    /// The whole, without what had to go.
    pub(crate) fn to_text(self) -> Cow<'a, str> {
        match (self.unchanged, self.host) {
            (Some(unchanged), _) => unchanged.into(),
            (None, Some(host)) => format!("{}{}{}", self.before, host.whole, self.after).into(),
            (None, None) => self.after.into(),
        }
    }

    /// The authority without the user, and what follows it: path, query and fragment.
    pub(crate) fn split(self) -> (Option<&'a str>, &'a str) {
        (self.host.map(|host| host.whole), self.after)
    }

    /// The host without port and brackets, if the URL names one.
    pub(crate) fn host(self) -> Option<&'a str> {
        self.host.map(|host| host.host)
    }
}

/// Returns whether a string is a URL that [`SafeUrl`] takes as it is, and that needs no escapes in JSON.
///
/// Nothing is known of a string for which it is `false`.
#[inline]
pub(crate) fn is_plain_url(url: &str) -> bool {
    let Some(rest) = after_scheme(url) else { return false };
    // Without a port, and no longer than a host may be, it has one whatever it is, unless it begins with the path.
    ((1..=MAX_HOST).contains(&rest.len()) && !rest.starts_with('/') && is_plain_path(rest.as_bytes()))
        || plain_ends(rest.as_bytes()).is_some()
}

/// Returns the host of a URL that [is plain](is_plain_url).
#[inline]
pub(crate) fn host_of_plain_url(url: &str) -> Option<&str> {
    let rest = after_scheme(url)?;
    rest.get(..plain_ends(rest.as_bytes())?.0)
}

/// Returns whether a string is a path that [`SafeUrl`] takes as it is, and that needs no escapes in JSON.
///
/// Nothing is known of a string for which it is `false`.
#[inline]
pub(crate) fn is_plain_url_path(path: &str) -> bool {
    path.starts_with('/') && !path.starts_with("//") && is_plain_path(path.as_bytes())
}

/// Returns what follows the scheme of a URL of HTTP.
#[inline]
fn after_scheme(url: &str) -> Option<&str> {
    url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))
}

/// Returns the ends of the host and of its port in what follows the scheme, if that has neither `@?#;=%` nor anything that
/// readers of URLs disagree about.
#[inline(never)]
fn plain_ends(rest: &[u8]) -> Option<(usize, usize)> {
    if !is_plain_path_or_port(rest) {
        return None;
    }
    let host = end_of_host(rest);
    let end = if rest.get(host) == Some(&b':') { end_of_port(rest, host + 1)? } else { host };
    (1..=MAX_HOST).contains(&host).then_some((host, end))
}

/// Returns the end of the port that begins at `start`, a number of up to 16 bits in front of the path.
#[inline]
fn end_of_port(rest: &[u8], start: usize) -> Option<usize> {
    let (mut port, mut end) = (0, start);
    while let Some(byte) = rest.get(end).filter(|byte| byte.is_ascii_digit() && end < start + MAX_DIGITS) {
        port = port * 10 + u32::from(byte - b'0');
        end += 1;
    }
    let is_whole = matches!(rest.get(end), None | Some(b'/'));
    (is_whole && end > start && port <= u16::MAX.into()).then_some(end)
}

/// The most digits of a port.
const MAX_DIGITS: usize = 5;

/// Returns the start of the authority, if there is one. The outer `None`: the form is not understood.
fn start_of_authority(url: &str) -> Option<Option<usize>> {
    if url.starts_with("//") {
        return Some(Some(2));
    }
    let Some(colon) = memchr(b':', url.as_bytes()) else { return Some(None) };
    if !url[colon..].starts_with("://") {
        return Some(None);
    }
    // A path or a query may name another URL.
    if memchr3(b'/', b'?', b'#', &url.as_bytes()[..colon]).is_some() {
        return Some(None);
    }
    is_scheme(&url[..colon]).then_some(Some(colon + 3))
}

/// Returns whether an `@` stands in a path elsewhere than at a segment's beginning (`/@scope`).
fn hides_user(path: &str) -> bool {
    let path = without_query(path).as_bytes();
    memchr::memchr_iter(b'@', path).any(|at| at.checked_sub(1).is_none_or(|before| path[before] != b'/'))
}

/// The path before a parameter (`;jsessionid=…`) or a pair that names a secret (`token=…`).
fn without_secret(path: &str) -> &str {
    let bytes = path.as_bytes();
    let is_end = |at: &usize| match bytes[*at] {
        b';' => true,
        b'=' => Secret::of(key_before(&bytes[..*at])).is_some(),
        _ => false,
    };
    memchr2_iter(b';', b'=', bytes).find(is_end).map_or(path, |end| &path[..end])
}

/// Returns whether what looks like a port may be a password's beginning (`//bob:12/34@host`): an `@` follows that
/// stands neither at a segment's beginning (`/@scope`) nor in a query's value (`?mail=a@b`).
fn password_follows(rest: &str) -> bool {
    let Some(at) = memchr(b'@', rest.as_bytes()) else { return false };
    !rest[..at].ends_with('/') && memchr(b'=', &rest.as_bytes()[..at]).is_none()
}

/// The URL before its query or fragment.
pub(crate) fn without_query(url: &str) -> &str {
    memchr2(b'?', b'#', url.as_bytes()).map_or(url, |end| &url[..end])
}

/// Returns whether a word is a scheme by RFC 3986, section 3.1, of at most 32 bytes.
pub(crate) fn is_scheme(text: &str) -> bool {
    // Most are one of these.
    matches!(text, "http" | "https")
        || text.len() <= 32
            && text.starts_with(|first: char| first.is_ascii_alphabetic())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_plain_url_is_read_as_any_other(
            url in "https?://[a-z.:@_-]{0,12}(:[0-9]{0,6})?(/[a-z0-9 ~%;=@/?#:\\\\ü\x7f-]{0,12})?|https?://[a-zA-Z0-9._-]{1,20}(/[a-z0-9/._-]{0,20})?", keep: bool,
        ) {
            if let Some(plain) = SafeUrl::parse_plain(&url) {
                proptest::prop_assert_eq!(Some(plain), SafeUrl::parse_any(&url, keep));
                proptest::prop_assert_eq!(host_of_plain_url(&url), plain.host());
            } else {
                proptest::prop_assert!(!is_plain_url(&url));
            }
        }

        #[test]
        fn a_plain_path_is_read_as_any_other(path in "[a-z0-9/:._@;=?#\\\\%-]{0,12}", keep: bool) {
            if is_plain_url_path(&path) {
                let read = SafeUrl::parse_any(&path, keep);
                proptest::prop_assert_eq!(read.map(SafeUrl::split), Some((None, path.as_str())));
            }
        }
    }

    #[test]
    fn most_urls_are_plain() {
        for url in [
            "https://shop.example/orders/1234567/item",
            "http://localhost/",
            "http://inventory",
            "http://h:80/orders/17",
            "http://127.0.0.1:65535",
            "http://h/a:b",
        ] {
            assert_eq!(SafeUrl::parse_plain(url), SafeUrl::parse_any(url, false));
            assert!(SafeUrl::parse_plain(url).is_some(), "{url}");
        }
        for url in [
            "http://h:65536/orders/17",
            "http://h:/orders/17",
            "http://",
            "http:///orders/17",
            "http://h:pw/orders/17",
            "https://shop.example/?q",
            "https://a@b.example/orders",
            "/orders/1234567",
        ] {
            assert!(SafeUrl::parse_plain(url).is_none() && !is_plain_url(url), "{url}");
        }
    }

    #[test]
    fn users_passwords_and_queries_go() {
        for (url, clean, host) in [
            ("https://shop.example/orders?q=1#x", "https://shop.example/orders", Some("shop.example")),
            ("https://me:se@cret@shop.example:8443/a", "https://shop.example:8443/a", Some("shop.example")),
            ("//bob:hunter2@h/p", "//h/p", Some("h")),
            ("https://[2001:db8::1]:8080/p", "https://[2001:db8::1]:8080/p", Some("2001:db8::1")),
            ("https://bob:hunter2@[::1]/p", "https://[::1]/p", Some("::1")),
            ("https://shop.example?mail=a@b.example", "https://shop.example", Some("shop.example")),
            ("http://localhost:8080/users?mail=a@b", "http://localhost:8080/users", Some("localhost")),
            (
                "http://localhost:4873/@scope/package",
                "http://localhost:4873/@scope/package",
                Some("localhost"),
            ),
            ("https://shop.example/~me@home", "https://shop.example", Some("shop.example")),
            ("https://bob/hun/ter2@h/p", "https://bob", Some("bob")),
            ("/orders?mail=a@b", "/orders", None),
            ("/go?to=https://bob:pw@h/", "/go", None),
            ("/a:b/@c", "/a:b/@c", None),
            ("orders/12", "orders/12", None),
            ("shop.example:443", "shop.example:443", Some("shop.example")),
            ("https://h/a;jsessionid=1/b", "https://h/a", Some("h")),
            ("https://h/dt=2024/ptoken=hunter2", "https://h/dt=2024/ptoken", Some("h")),
            ("/p;token=hunter2", "/p", None),
            ("*", "*", None),
            ("", "", None),
        ] {
            let found = SafeUrl::parse(url, false).unwrap_or_else(|| panic!("{url}"));
            assert_eq!(found.to_text(), clean, "{url}");
            assert_eq!(found.host(), host, "{url}");
        }
    }

    #[test]
    fn a_query_that_is_kept_takes_nothing_from_the_host() {
        for (url, clean) in [
            ("https://shop.example?mail=a@b.example", "https://shop.example?mail=a@b.example"),
            ("https://bob:pw@shop.example/a?x=1#y", "https://shop.example/a?x=1#y"),
            ("https://shop.example#a@b", "https://shop.example#a@b"),
        ] {
            assert_eq!(SafeUrl::parse(url, true).unwrap().to_text(), clean);
        }
    }

    #[test]
    fn what_is_not_understood_is_left_out() {
        for url in [
            "bob:hunter2@h/p",
            "/bob:hunter2@h/p",
            "https:bob:hunter2@h/p",
            r"https:\\bob:hunter2@h\p",
            r"https://h\@bob:hunter2",
            "https://bob:hun/ter2@h/p",
            "https://bob:hun?ter2@h/p",
            "https://bob:12/34x@h/p",
            "https://bob:hunter2%40h/p",
            "https://h:port/",
            "https:///p",
            "://h",
            "ü://h",
            "http s://h",
            "https://h\n/p",
            "mailto:me@shop.example",
            "https://[hunter2]/",
        ] {
            assert_eq!(SafeUrl::parse(url, true), None, "{url}");
        }
    }
}
