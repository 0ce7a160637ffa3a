//! [`DaemonAddress`]: `AWS_XRAY_DAEMON_ADDRESS` and its like, parsed into hosts and ports.
//!
//! Only the grammar. The layer's configuration reads the variable, and the emitter resolves the name.

use crate::text::text_form;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6};
use std::str::FromStr;

/// The daemon's two endpoints: UDP for documents, TCP for sampling rules.
///
/// Defaults to `127.0.0.1:2000` for both. Parses the forms that the official SDKs document for
/// `AWS_XRAY_DAEMON_ADDRESS`, and a few more:
///
/// | string | UDP | TCP |
/// |---|---|---|
/// | `host:port` | that | that |
/// | `tcp:host:port udp:host:port`, in either order | its own | its own |
/// | `udp:host:port` or `tcp:host:port` alone | that | that |
///
/// A host is an IPv4 address, an IPv6 address in brackets, or a name. `udp:2000` is port 2000 of a host that is
/// called `udp`.
///
/// ```
/// use xray_sdk::DaemonAddress;
///
/// let address: DaemonAddress = "tcp:xray.internal:3000 udp:127.0.0.1:2000".parse()?;
/// assert_eq!(address.udp(), ("127.0.0.1", 2000));
/// assert_eq!(address.tcp(), ("xray.internal", 3000));
/// assert_eq!(DaemonAddress::default().to_string(), "127.0.0.1:2000");
/// # Ok::<(), xray_sdk::daemon::ParseAddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DaemonAddress {
    udp: Endpoint,
    tcp: Endpoint,
}

impl DaemonAddress {
    /// Returns host and port for documents. The host has no brackets, so the pair is a [`ToSocketAddrs`].
    ///
    /// [`ToSocketAddrs`]: std::net::ToSocketAddrs
    #[must_use]
    pub fn udp(&self) -> (&str, u16) {
        (&self.udp.host, self.udp.port)
    }

    /// Returns host and port for sampling rules and targets, over HTTP. The host has no brackets.
    #[must_use]
    pub fn tcp(&self) -> (&str, u16) {
        (&self.tcp.host, self.tcp.port)
    }

    /// The UDP endpoint, where it needs no resolving.
    pub(super) fn udp_literal(&self) -> Option<SocketAddr> {
        self.udp.literal
    }
}

impl Default for DaemonAddress {
    fn default() -> Self {
        Self::from(SocketAddr::from((Ipv4Addr::LOCALHOST, 2000)))
    }
}

/// Takes one address for both endpoints.
impl From<SocketAddr> for DaemonAddress {
    fn from(address: SocketAddr) -> Self {
        let endpoint = Endpoint::from(address);
        Self { udp: endpoint.clone(), tcp: endpoint }
    }
}

impl FromStr for DaemonAddress {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<Self, ParseAddressError> {
        let mut parts = text.split_ascii_whitespace();
        match (parts.next(), parts.next(), parts.next()) {
            (None, ..) => Err(ParseAddressError::Empty),
            (Some(one), None, _) => {
                // A host's name can't hold a colon, so one that is left over separates a protocol from a host.
                let endpoint = match split_protocol(one) {
                    Some((_, rest)) if rest.contains(':') => rest.parse()?,
                    _ => one.parse::<Endpoint>()?,
                };
                Ok(Self { udp: endpoint.clone(), tcp: endpoint })
            }
            (Some(first), Some(second), None) => {
                let missing = |part: &str| ParseAddressError::NoProtocol { part: part.into() };
                let (protocol, first_rest) = split_protocol(first).ok_or_else(|| missing(first))?;
                let (other, second_rest) = split_protocol(second).ok_or_else(|| missing(second))?;
                let (first, second) = (first_rest.parse()?, second_rest.parse()?);
                match (protocol, other) {
                    (Protocol::Udp, Protocol::Tcp) => Ok(Self { udp: first, tcp: second }),
                    (Protocol::Tcp, Protocol::Udp) => Ok(Self { udp: second, tcp: first }),
                    _ => Err(ParseAddressError::SameProtocol),
                }
            }
            _ => Err(ParseAddressError::TooManyParts),
        }
    }
}

/// Writes the shortest form that parses to an equal address.
impl fmt::Display for DaemonAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.udp == self.tcp {
            write!(f, "{}", self.udp)
        } else {
            write!(f, "tcp:{} udp:{}", self.tcp, self.udp)
        }
    }
}

/// The reason why a string is not a daemon address. The configuration is at fault.
///
/// `part` is the endpoint that is wrong, without its protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseAddressError {
    /// The string is empty, or holds only blanks.
    Empty,
    /// The string holds more than two addresses.
    TooManyParts,
    /// One of two addresses begins with neither `udp:` nor `tcp:`.
    NoProtocol {
        /// The address as it was written.
        part: Box<str>,
    },
    /// Two addresses for the same protocol.
    SameProtocol,
    /// No port after the host.
    NoPort {
        /// The endpoint as it was written.
        part: Box<str>,
    },
    /// The port is no number from 1 to 65535.
    Port {
        /// The endpoint as it was written.
        part: Box<str>,
    },
    /// The host is neither an IPv4 address, nor an IPv6 address in brackets, nor a name.
    Host {
        /// The endpoint as it was written.
        part: Box<str>,
    },
}

impl fmt::Display for ParseAddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("daemon address is empty, expected `host:port`"),
            Self::TooManyParts => {
                f.write_str("daemon address has more than two parts, expected `tcp:host:port udp:host:port`")
            }
            Self::NoProtocol { part } => {
                write!(f, "daemon address has two parts, but {part:?} begins with neither `udp:` nor `tcp:`")
            }
            Self::SameProtocol => f.write_str(
                "daemon address has two parts for one protocol, expected one `udp:` and one `tcp:`",
            ),
            Self::NoPort { part } => write!(f, "daemon address {part:?} has no port, expected `host:port`"),
            Self::Port { part } => {
                write!(f, "port of daemon address {part:?} is not a number from 1 to 65535")
            }
            Self::Host { part } => write!(
                f,
                "host of daemon address {part:?} is not an IPv4 address, a bracketed IPv6 address or a host name"
            ),
        }
    }
}

impl std::error::Error for ParseAddressError {}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Endpoint {
    /// Without brackets.
    host: Box<str>,
    port: u16,
    /// Host and port, where the host is an address and no name.
    literal: Option<SocketAddr>,
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        let host = match address {
            SocketAddr::V6(v6) if v6.scope_id() != 0 => format!("{}%{}", v6.ip(), v6.scope_id()),
            _ => address.ip().to_string(),
        };
        Self { host: host.into(), port: address.port(), literal: Some(address) }
    }
}

impl FromStr for Endpoint {
    type Err = ParseAddressError;

    fn from_str(part: &str) -> Result<Self, ParseAddressError> {
        let bad_host = || ParseAddressError::Host { part: part.into() };
        // An IPv6 address's own colons end before its bracket does.
        let colon = part.rfind(':').filter(|colon| !part[*colon..].contains(']'));
        let colon = colon.ok_or_else(|| ParseAddressError::NoPort { part: part.into() })?;
        let (host, digits) = (&part[..colon], &part[colon + 1..]);
        if digits.is_empty() {
            return Err(ParseAddressError::NoPort { part: part.into() });
        }
        // `parse` alone would take a plus sign.
        let port = digits.parse().ok().filter(|port| *port != 0 && !digits.starts_with('+'));
        let port: u16 = port.ok_or_else(|| ParseAddressError::Port { part: part.into() })?;
        if host.starts_with('[') {
            // Read together with its port, since only that form knows scopes (`[fe80::1%2]`).
            return part
                .parse::<SocketAddrV6>()
                .map(|v6| Self::from(SocketAddr::V6(v6)))
                .map_err(|_| bad_host());
        }
        match host.parse::<Ipv4Addr>() {
            Ok(v4) => Ok(Self::from(SocketAddr::new(IpAddr::V4(v4), port))),
            Err(_) if is_name(host) => Ok(Self { host: host.into(), port, literal: None }),
            Err(_) => Err(bad_host()),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.literal {
            Some(address) => write!(f, "{address}"),
            None => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

#[derive(Clone, Copy)]
enum Protocol {
    Udp,
    Tcp,
}

fn split_protocol(part: &str) -> Option<(Protocol, &str)> {
    let (protocol, rest) = part.split_once(':')?;
    match protocol {
        _ if protocol.eq_ignore_ascii_case("udp") => Some((Protocol::Udp, rest)),
        _ if protocol.eq_ignore_ascii_case("tcp") => Some((Protocol::Tcp, rest)),
        _ => None,
    }
}

/// Returns whether this can be a host's name: letters, digits, dots, dashes, and underscores, which containers' names have.
fn is_name(host: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    // Resolvers take shortened IPv4 addresses ("127.1"), and no top-level domain is a number: a mistyped address.
    let like_ipv4 = host
        .rsplit_once('.')
        .is_some_and(|(_, last)| last.bytes().all(|b| b.is_ascii_digit()) && !last.is_empty());
    !host.is_empty() && host.len() <= MAX_NAME && host.bytes().all(legal) && !like_ipv4
}

/// RFC 1035's 255 octets, without the length octets that text leaves out.
const MAX_NAME: usize = 253;

text_form!(DaemonAddress, ParseAddressError, "a daemon address: host:port");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_form_is_read_and_written_again() {
        for (text, udp, tcp, written) in [
            ("127.0.0.1:2000", ("127.0.0.1", 2000), ("127.0.0.1", 2000), "127.0.0.1:2000"),
            ("  xray-daemon:1 \n", ("xray-daemon", 1), ("xray-daemon", 1), "xray-daemon:1"),
            ("tcp:a:1 udp:b:2", ("b", 2), ("a", 1), "tcp:a:1 udp:b:2"),
            ("udp:b:2 \t tcp:a:1", ("b", 2), ("a", 1), "tcp:a:1 udp:b:2"),
            ("UDP:a:1 TCP:a:1", ("a", 1), ("a", 1), "a:1"),
            ("udp:10.0.0.1:65535", ("10.0.0.1", 65535), ("10.0.0.1", 65535), "10.0.0.1:65535"),
            ("tcp:a:1", ("a", 1), ("a", 1), "a:1"),
            ("udp:2000", ("udp", 2000), ("udp", 2000), "udp:2000"),
            ("tcp:tcp:2000 udp:udp:2000", ("udp", 2000), ("tcp", 2000), "tcp:tcp:2000 udp:udp:2000"),
            (
                "my-udp-host_1.local.:2000",
                ("my-udp-host_1.local.", 2000),
                ("my-udp-host_1.local.", 2000),
                "my-udp-host_1.local.:2000",
            ),
            ("[::1]:2000", ("::1", 2000), ("::1", 2000), "[::1]:2000"),
            ("udp:[0:0:0:0:0:0:0:1]:2000", ("::1", 2000), ("::1", 2000), "[::1]:2000"),
            ("tcp:[::1]:1 udp:[fe80::1%3]:2", ("fe80::1%3", 2), ("::1", 1), "tcp:[::1]:1 udp:[fe80::1%3]:2"),
        ] {
            let address: DaemonAddress = text.parse().unwrap();
            assert_eq!((address.udp(), address.tcp()), (udp, tcp), "{text:?}");
            assert_eq!(address.to_string(), written, "{text:?}");
            assert_eq!(written.parse(), Ok(address));
        }
    }

    #[test]
    fn errors_name_the_part_that_is_wrong() {
        let part = |text: &str| Box::<str>::from(text);
        for (text, expected) in [
            ("", ParseAddressError::Empty),
            (" \t", ParseAddressError::Empty),
            ("a:1 b:2 c:3", ParseAddressError::TooManyParts),
            ("tcp:a:1 b:2", ParseAddressError::NoProtocol { part: part("b:2") }),
            ("a udp:b:2", ParseAddressError::NoProtocol { part: part("a") }),
            ("udp:a:1 udp:b:2", ParseAddressError::SameProtocol),
            ("udp:2000 tcp:a:1", ParseAddressError::NoPort { part: part("2000") }),
            ("localhost", ParseAddressError::NoPort { part: part("localhost") }),
            ("localhost:", ParseAddressError::NoPort { part: part("localhost:") }),
            ("[::1]", ParseAddressError::NoPort { part: part("[::1]") }),
            ("a:0", ParseAddressError::Port { part: part("a:0") }),
            ("a:+80", ParseAddressError::Port { part: part("a:+80") }),
            ("a:65536", ParseAddressError::Port { part: part("a:65536") }),
            ("tcp:a:1 udp:b:x", ParseAddressError::Port { part: part("b:x") }),
            (":2000", ParseAddressError::Host { part: part(":2000") }),
            ("::1:2000", ParseAddressError::Host { part: part("::1:2000") }),
            ("[localhost]:2000", ParseAddressError::Host { part: part("[localhost]:2000") }),
            ("[::1:2000", ParseAddressError::Host { part: part("[::1:2000") }),
            ("127.0.0.256:2000", ParseAddressError::Host { part: part("127.0.0.256:2000") }),
            ("http://a:2000", ParseAddressError::Host { part: part("http://a:2000") }),
            ("h\u{f6}st:2000", ParseAddressError::Host { part: part("h\u{f6}st:2000") }),
        ] {
            assert_eq!(text.parse::<DaemonAddress>(), Err(expected), "{text:?}");
        }
        assert!(format!("{}:1", "a".repeat(254)).parse::<DaemonAddress>().is_err());
    }

    #[test]
    fn the_default_is_the_daemons_own() {
        assert_eq!(DaemonAddress::default().to_string(), "127.0.0.1:2000");
        assert_eq!(DaemonAddress::default(), "127.0.0.1:2000".parse().unwrap());
    }

    #[test]
    fn literals_need_no_resolving_and_names_do() {
        for (text, literal) in [
            ("127.0.0.1:1", true),
            ("[::1]:1", true),
            ("tcp:a:1 udp:127.0.0.1:1", true),
            ("localhost:1", false),
        ] {
            assert_eq!(text.parse::<DaemonAddress>().unwrap().udp_literal().is_some(), literal, "{text}");
        }
    }
}
