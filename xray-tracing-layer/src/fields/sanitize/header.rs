//! Values of HTTP headers whose form is known by the header's name: hosts, URLs, and text in which URLs stand.
//!
//! Hosts lose a user in front of them, URLs their users and queries. A value whose form is not understood is left out.
//! Text of no known form is read as [free text](super::free_text) by the caller.

use std::borrow::Cow;

use super::host::HostPort;
use super::url::SafeUrl;
use crate::settings::headers::HeaderForm;

/// Returns the value without secrets, or `None` if its form is not understood.
pub(crate) fn header_value(form: HeaderForm, text: &str, keep_query: bool) -> Option<Cow<'_, str>> {
    match form {
        HeaderForm::Hosts => hosts(text),
        HeaderForm::Url => SafeUrl::parse(text.trim_ascii(), keep_query).map(SafeUrl::to_text),
        HeaderForm::WithUrls => with_urls(text, keep_query).map(Cow::Owned),
        // A path is one of a URL, whatever the header is called.
        HeaderForm::Text if text.starts_with('/') => {
            SafeUrl::parse(text.trim_ascii(), keep_query).map(SafeUrl::to_text)
        }
        HeaderForm::Text => Some(text.into()),
    }
}

fn hosts(text: &str) -> Option<Cow<'_, str>> {
    let host = |part| HostPort::of_authority(part).map(|host: HostPort<'_>| host.whole);
    if !text.contains(',') {
        return host(text.trim_ascii()).map(Cow::Borrowed);
    }
    let hosts: Option<Vec<_>> = text.split(',').map(|part| host(part.trim_ascii())).collect();
    hosts.map(|hosts| hosts.join(", ").into())
}

/// Cleans each URL in `<…>`, or else the one behind `url=`.
fn with_urls(text: &str, keep_query: bool) -> Option<String> {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        let (url, after) = after.split_once('>')?;
        clean.push_str(before);
        clean.push('<');
        clean.push_str(&SafeUrl::parse(url.trim_ascii(), keep_query)?.to_text());
        clean.push('>');
        rest = after;
    }
    if rest.len() < text.len() {
        clean.push_str(rest);
        return Some(clean);
    }
    let Some((before, url)) = text.split_once('=') else {
        // `5` alone, as a refresh of the same page.
        return (!text.contains(['/', '?', '@'])).then(|| text.to_owned());
    };
    let url = url.trim_ascii().trim_matches(['"', '\'']);
    Some(format!("{before}={}", SafeUrl::parse(url, keep_query)?.to_text()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_urls_lose_users_passwords_and_queries() {
        for (name, value, expected) in [
            ("host", "shop.example:8080", Some("shop.example:8080")),
            ("host", "bob:hunter2@shop.example", Some("shop.example")),
            ("host", "bob:hunter2", None),
            ("host", "[::1]:80", Some("[::1]:80")),
            ("x-forwarded-host", "a.example, bob:hunter2@b.example:1", Some("a.example, b.example:1")),
            ("x-forwarded-host", "a.example, hunter2 is here", None),
            ("referer", "https://bob:hunter2@shop.example/a?token=hunter2#x", Some("https://shop.example/a")),
            ("origin", "https://shop.example", Some("https://shop.example")),
            ("origin", "null", Some("null")),
            ("location", "/next?code=hunter2", Some("/next")),
            ("location", "next?code=hunter2", Some("next")),
            ("location", "//bob:hunter2@h/p", Some("//h/p")),
            ("location", "https:\\\\bob:hunter2@h", None),
            ("content-location", "/a;jsessionid=hunter2", Some("/a")),
            ("x-original-url", "/a?code=hunter2", Some("/a")),
            ("x-next-page", "/a?code=hunter2", Some("/a")),
            (
                "link",
                "</a?code=hunter2>; rel=next, <https://x:hunter2@h/b>",
                Some("</a>; rel=next, <https://h/b>"),
            ),
            ("link", "</a?code=hunter2", None),
            ("refresh", "5; url=https://h/a?code=hunter2", Some("5; url=https://h/a")),
            ("refresh", "0;URL='/a?code=hunter2'", Some("0;URL=/a")),
            ("refresh", "5", Some("5")),
            ("refresh", "/a?code", None),
            ("x-cache", "hit", Some("hit")),
        ] {
            let clean = header_value(HeaderForm::of(name), value, false);
            assert_eq!(clean.as_deref(), expected, "{name}: {value}");
        }
        let kept = header_value(HeaderForm::Url, "https://bob:hunter2@h/a?page=2", true);
        assert_eq!(kept.as_deref(), Some("https://h/a?page=2"));
    }
}
