//! The parts of a URL that matter to a trace: host, user and password, query.
//!
//! Not a parser: a URL without `://` has no authority, and nothing is decoded.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memchr3, memrchr};

/// Whether the URL has no user, no query and no fragment, so that nothing needs removing.
pub(crate) fn is_plain(url: &str) -> bool {
    memchr3(b'?', b'#', b'@', url.as_bytes()).is_none()
}

/// Returns the URL up to its query or fragment.
pub(crate) fn without_query(url: &str) -> &str {
    memchr2(b'?', b'#', url.as_bytes()).map_or(url, |end| &url[..end])
}

/// Splits a URL into the part up to `://`, the authority, and the rest from the next slash.
pub(crate) fn authority(url: &str) -> Option<(&str, &str, &str)> {
    let colon = memchr(b':', url.as_bytes())?;
    let rest = url[colon..].strip_prefix("://")?;
    let end = memchr(b'/', rest.as_bytes()).unwrap_or(rest.len());
    Some((&url[..url.len() - rest.len()], &rest[..end], &rest[end..]))
}

/// Returns the host and port of an authority, without a user.
pub(crate) fn host(authority: &str) -> &str {
    memrchr(b'@', authority.as_bytes()).map_or(authority, |at| &authority[at + 1..])
}

/// Splits an authority into host and port: `shop.example:8080`, `[::1]:8080`.
#[cfg(feature = "tower-server")]
pub(crate) fn host_and_port(authority: &str) -> (&str, Option<u16>) {
    let host = host(authority);
    match host.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()),
        _ => (host, None),
    }
}

/// Returns an IPv6 address without its brackets, which X-Ray rejects in a name.
#[cfg(any(feature = "tower-client", feature = "reqwest-middleware"))]
pub(crate) fn without_brackets(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// Returns the URL without its user and password.
pub(crate) fn without_user(url: &str) -> Cow<'_, str> {
    match authority(url).map(|(before, authority, after)| (before, authority, host(authority), after)) {
        Some((before, authority, host, after)) if host.len() < authority.len() => {
            format!("{before}{host}{after}").into()
        }
        _ => url.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_queries_are_found_wherever_they_are() {
        for (url, clean, bare) in [
            (
                "https://shop.example/orders?q=1#x",
                "https://shop.example/orders?q=1#x",
                "https://shop.example/orders",
            ),
            (
                "https://me:se@cret@shop.example:8443/a",
                "https://shop.example:8443/a",
                "https://me:se@cret@shop.example:8443/a",
            ),
            ("postgres://me:secret@db", "postgres://db", "postgres://me:secret@db"),
            ("/orders?mail=a@b", "/orders?mail=a@b", "/orders"),
            (
                "https://shop.example/~me@home",
                "https://shop.example/~me@home",
                "https://shop.example/~me@home",
            ),
            ("mailto:me@shop.example", "mailto:me@shop.example", "mailto:me@shop.example"),
            ("", "", ""),
            ("://", "://", "://"),
            ("ü://é@ö/?ß", "ü://ö/?ß", "ü://é@ö/"),
        ] {
            assert_eq!(without_user(url), clean);
            assert_eq!(without_query(url), bare);
            assert!(!is_plain(url) || (clean, bare) == (url, url));
        }
    }

    #[cfg(any(feature = "tower-client", feature = "reqwest-middleware"))]
    #[test]
    fn an_address_is_named_without_its_brackets() {
        for (host, expected) in [("[::1]", "::1"), ("shop.example", "shop.example"), ("[::1", "[::1")] {
            assert_eq!(without_brackets(host), expected);
        }
    }
}
