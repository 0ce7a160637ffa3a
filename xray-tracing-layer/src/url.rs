//! The parts of a URL that are of interest here: where its host is, whether it tells a user's name and password, where
//! its query begins. Not a parser: what has no `://` has no authority, and nothing is decoded.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memrchr};

/// The text before a query or a fragment.
pub(crate) fn without_query(url: &str) -> &str {
    memchr2(b'?', b'#', url.as_bytes()).map_or(url, |end| &url[..end])
}

/// What stands between `://` and the next slash, and what comes before and after it.
pub(crate) fn authority(url: &str) -> Option<(&str, &str, &str)> {
    let colon = memchr(b':', url.as_bytes())?;
    let rest = url[colon..].strip_prefix("://")?;
    let end = memchr(b'/', rest.as_bytes()).unwrap_or(rest.len());
    Some((&url[..url.len() - rest.len()], &rest[..end], &rest[end..]))
}

/// The host, with its port, of an authority, and whether a user stands before it.
pub(crate) fn host(authority: &str) -> (&str, bool) {
    match memrchr(b'@', authority.as_bytes()) {
        Some(at) => (&authority[at + 1..], true),
        None => (authority, false),
    }
}

/// The same URL, without the user and the password that it may tell.
pub(crate) fn without_user(url: &str) -> Cow<'_, str> {
    let Some((before, authority, after)) = authority(url) else { return url.into() };
    match host(authority) {
        (_, false) => url.into(),
        (host, true) => format!("{before}{host}{after}").into(),
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
        }
    }
}
