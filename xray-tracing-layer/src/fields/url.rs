//! The parts of a URL that are of interest here: where its host is, whether it tells a user's name and password, where
//! its query begins. Not a parser: what has no `://` has no authority, and nothing is decoded.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memchr3, memrchr};

/// Whether there is nothing in it that may have to be taken away: no user, no query, no fragment.
pub(crate) fn is_plain(url: &str) -> bool {
    memchr3(b'?', b'#', b'@', url.as_bytes()).is_none()
}

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

/// The host, with its port, of an authority: without the user that may stand before it.
pub(crate) fn host(authority: &str) -> &str {
    memrchr(b'@', authority.as_bytes()).map_or(authority, |at| &authority[at + 1..])
}

/// The same URL, without the user and the password that it may tell.
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
}
