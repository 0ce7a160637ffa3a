//! Hosts, ports and IP addresses, read strictly.
//!
//! A host is what a resolver would take: a name of letters, digits, `.`, `-` and `_`, or an IP address. A
//! password that stands where a host is expected fails these rules by its port or its characters, and the
//! caller leaves the whole value out.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use xray_sdk::document::internal::{end_of_host, is_plain_path};

/// A host with its port, as `host:port` or `[address]:port`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HostPort<'a> {
    /// The name or address, without brackets.
    pub(crate) host: &'a str,
    /// The port as it was written; empty if there is none.
    pub(crate) port: &'a str,
    /// The whole, brackets included.
    pub(crate) whole: &'a str,
}

impl<'a> HostPort<'a> {
    /// Reads `host`, `host:port`, `[v6]` or `[v6]:port`. Returns `None` for anything else.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, after) = rest.split_once(']')?;
                host.parse::<Ipv6Addr>().ok()?;
                (host, if after.is_empty() { "" } else { after.strip_prefix(':')? })
            }
            None => {
                let (host, port) = text.split_once(':').unwrap_or((text, ""));
                (is_host_name(host).then_some(host)?, port)
            }
        };
        (port.is_empty() || is_port(port)).then_some(Self { host, port, whole: text })
    }

    /// Reads what [`parse`](Self::parse) does, without the user that may stand in front of it.
    #[cfg(feature = "http")]
    pub(crate) fn of_authority(text: &'a str) -> Option<Self> {
        Self::parse(text.rsplit_once('@').map_or(text, |(_, host)| host))
    }

    /// Returns the name or address as it stands in a URL: an address of IPv6 in brackets.
    #[cfg(feature = "tower-server")]
    pub(crate) fn in_url(self) -> &'a str {
        self.whole.strip_suffix(self.port).map_or(self.whole, |host| host.trim_end_matches(':'))
    }
}

/// Reads an IP address with or without a port, and returns the address in its canonical form.
///
/// An IPv4 address in IPv6's clothes (`::ffff:203.0.113.7`) becomes the IPv4 address. Returns `None` for
/// names, `unknown` and anything else that is no address.
pub(crate) fn ip_address(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse::<IpAddr>()
        .or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()))
        .ok()
        .map(|address| address.to_canonical())
}

/// Returns the first IP address of a list, in its canonical form, without a port.
pub(crate) fn first_address(list: &str) -> Option<Cow<'_, str>> {
    // An IPv4 address alone has one form only, and is what most lists are.
    if list.parse::<Ipv4Addr>().is_ok() {
        return Some(list.into());
    }
    list.split(',').find_map(ip_address).map(|address| address.to_string().into())
}

/// Returns whether a string is the path of a Unix socket.
pub(crate) fn is_socket_path(text: &str) -> bool {
    text.starts_with('/') && is_path(text)
}

/// Returns whether a string is the path of a file, without blanks.
pub(super) fn is_path(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '_'))
}

/// Returns whether a port is a decimal number of up to 16 bits.
pub(crate) fn is_port(text: &str) -> bool {
    text.len() <= 5 && text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// The longest name of a host (RFC 1035, section 2.3.4: 255 bytes, with two that are never written).
pub(super) const MAX_HOST: usize = 253;

/// Returns whether a string is a host of letters, digits, `.`, `-` and `_`, with no port.
///
/// Nothing is known of a string for which it is `false`.
#[inline]
pub(crate) fn is_plain_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..=MAX_HOST).contains(&bytes.len()) && is_plain_path(bytes) && end_of_host(bytes) == bytes.len()
}

/// Returns whether a name is one that resolvers take: letters of any language, digits, `.`, `-` and `_`.
fn is_host_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_HOST
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_plain_name_is_a_host_as_any_other(text in "[a-zA-Z0-9._/:@-]{0,20}") {
            if is_plain_name(&text) {
                let host = HostPort { host: &text, port: "", whole: &text };
                proptest::prop_assert_eq!(HostPort::parse(&text), Some(host));
            }
        }
    }

    #[test]
    fn hosts_and_ports_are_told_from_everything_else() {
        for (text, expected) in [
            ("shop.example", Some(("shop.example", ""))),
            ("shop.example:8080", Some(("shop.example", "8080"))),
            ("[2001:db8::1]:443", Some(("2001:db8::1", "443"))),
            ("[2001:db8::1]", Some(("2001:db8::1", ""))),
            ("127.0.0.1:", Some(("127.0.0.1", ""))),
            ("bücher.example", Some(("bücher.example", ""))),
            ("db_1:5432", Some(("db_1", "5432"))),
            ("bob:hunter2", None),
            ("bob:99999", None),
            ("bob:+1", None),
            ("a:b:c", None),
            (":80", None),
            ("a b", None),
            ("a@b", None),
            ("[hunter2]:1", None),
            ("[::1]x", None),
            ("", None),
        ] {
            let found = HostPort::parse(text);
            assert_eq!(found.map(|found| (found.host, found.port)), expected, "{text}");
        }
    }

    #[test]
    fn addresses_lose_ports_and_brackets() {
        for (text, expected) in [
            ("203.0.113.7", "203.0.113.7"),
            ("203.0.113.7:41234", "203.0.113.7"),
            ("[2001:db8::7]:41234", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            (" \"2001:DB8::7\" ", "2001:db8::7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("[::ffff:203.0.113.7]:1", "203.0.113.7"),
        ] {
            assert_eq!(ip_address(text).map(|ip| ip.to_string()).as_deref(), Some(expected), "{text}");
        }
        for text in ["unknown", "", "shop.example", "203.0.113", "203.0.113.7:", "_hidden", "1"] {
            assert_eq!(ip_address(text), None, "{text}");
        }
    }
}
