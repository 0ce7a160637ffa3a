//! The headers that pass the relay, either way.
//!
//! Pure functions of a header map. The signature comes later, in `aws`, over the headers that are left.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// Headers that belong to one connection (RFC 9110, section 7.6.1), and the older ones of the kind.
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Removes the headers of one connection, and those that `Connection` names.
pub(super) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
    headers.remove(header::TRAILER);
}

/// Returns the headers of a request as they go to X-Ray.
///
/// Without those of the connection, and without any authorization of the sender's, which the signature replaces. The
/// sender's address is added to `X-Forwarded-For`, as AWS's daemon does.
pub(super) fn for_upstream(mut headers: HeaderMap, sender: IpAddr) -> HeaderMap {
    remove_hop_by_hop(&mut headers);
    let own: Vec<HeaderName> =
        headers.keys().filter(|name| name.as_str().starts_with("x-amz-")).cloned().collect();
    for name in &own {
        headers.remove(name);
    }
    for name in [header::AUTHORIZATION, header::HOST, header::CONTENT_LENGTH, header::EXPECT, header::COOKIE]
    {
        headers.remove(name);
    }
    let forwarded = HeaderName::from_static("x-forwarded-for");
    let before =
        headers.get(&forwarded).and_then(|value| value.to_str().ok()).map(|value| format!("{value}, "));
    if let Ok(value) = HeaderValue::from_str(&format!("{}{sender}", before.unwrap_or_default())) {
        headers.insert(forwarded, value);
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorization_and_connection_headers_do_not_pass() {
        let sent = [
            ("authorization", "AWS4-HMAC-SHA256 x"),
            ("x-amz-date", "20200101T000000Z"),
            ("x-amz-security-token", "theirs"),
            ("connection", "close, X-Hop"),
            ("x-hop", "1"),
            ("host", "127.0.0.1:2000"),
            ("content-type", "application/json"),
            ("user-agent", "xray-sdk"),
            ("x-amzn-trace-id", "Root=1"),
        ];
        let headers = sent
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), HeaderValue::from_static(value)));
        let passed = for_upstream(headers.collect(), IpAddr::from([127, 0, 0, 1]));
        let mut names: Vec<&str> = passed.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["content-type", "user-agent", "x-amzn-trace-id", "x-forwarded-for"]);
        assert_eq!(passed["x-forwarded-for"], "127.0.0.1");
    }
}
