//! Check that only the server's own pages drive it from a browser.
//!
//! A page of some other site can make a browser send requests to loopback, by a form or by a name that resolves to
//! 127.0.0.1 ("DNS rebinding"). Such requests carry the site's name, in `Origin` or in `Host`. Both are checked on every
//! TCP door before anything else, whatever the mode of access.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, Method};

/// Names under which the server may be addressed.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    allowed: Vec<String>,
    bound: Vec<IpAddr>,
}

impl Hosts {
    /// Loopback names and addresses, the addresses that the server listens at, and names that the user allows.
    ///
    /// A server that listens at all addresses takes any address, since an address can't be rebound as a name can.
    pub fn new(bound: &[SocketAddr], allowed: &[String]) -> Self {
        Self {
            allowed: allowed.iter().map(|name| name.trim_end_matches('.').to_ascii_lowercase()).collect(),
            bound: bound.iter().map(SocketAddr::ip).collect(),
        }
    }

    /// # Errors
    /// Why the request is refused.
    pub fn check(&self, method: &Method, headers: &HeaderMap) -> Result<(), String> {
        let mut hosts = headers.get_all("host").iter();
        let (Some(Ok(host)), None) = (hosts.next().map(|host| host.to_str()), hosts.next()) else {
            return Err("the request must have one Host header".to_owned());
        };
        if !self.is_known(host) {
            return Err(format!("the host \"{host}\" is not allowed here; --allow-host NAME allows it"));
        }
        for origin in headers.get_all("origin") {
            let is_own = origin.to_str().is_ok_and(|origin| {
                origin.strip_prefix("http://").is_some_and(|authority| authority.eq_ignore_ascii_case(host))
            });
            if !is_own {
                return Err(format!("pages of the origin {origin:?} may not use this server"));
            }
        }
        let is_read = matches!(*method, Method::GET | Method::HEAD);
        let site = headers.get("sec-fetch-site").and_then(|site| site.to_str().ok());
        if !is_read && !matches!(site, None | Some("same-origin" | "none")) {
            return Err("pages of other sites may not use this server".to_owned());
        }
        Ok(())
    }

    /// Reports whether a `Host` header, with or without a port, names this server.
    fn is_known(&self, host: &str) -> bool {
        let Some(name) = without_port(host) else { return false };
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let address: Option<IpAddr> = name.trim_start_matches('[').trim_end_matches(']').parse().ok();
        if let Some(address) = address.map(|address| address.to_canonical()) {
            return address.is_loopback()
                || self.bound.iter().any(|bound| bound.is_unspecified() || *bound == address)
                || self.allowed.contains(&name);
        }
        name == "localhost" || name.ends_with(".localhost") || self.allowed.contains(&name)
    }
}

/// `name:2001` → `name`, `[::1]:2001` → `[::1]`. `None` if the port is none.
fn without_port(host: &str) -> Option<&str> {
    let at = if host.starts_with('[') { host.find(']')? + 1 } else { host.find(':').unwrap_or(host.len()) };
    let (name, port) = host.split_at(at);
    let is_port = port.is_empty()
        || port.strip_prefix(':').is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()));
    (is_port && !name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bound: &str, headers: &[(&'static str, &str)]) -> bool {
        let hosts = Hosts::new(&[bound.parse().unwrap()], &["Xray".to_owned()]);
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        hosts.check(&Method::POST, &map).is_ok()
    }

    #[test]
    fn only_loopback_the_own_address_and_allowed_names_are_hosts() {
        for (bound, host, expected) in [
            ("127.0.0.1:2001", "127.0.0.1:2001", true),
            ("127.0.0.1:2001", "127.0.0.1", true),
            ("127.0.0.1:2001", "localhost:1", true),
            ("127.0.0.1:2001", "LOCALHOST.", true),
            ("127.0.0.1:2001", "console.localhost:2001", true),
            ("127.0.0.1:2001", "[::1]:2001", true),
            ("127.0.0.1:2001", "xray:2001", true),
            ("127.0.0.1:2001", "evil.example", false),
            ("127.0.0.1:2001", "localhost.evil.example", false),
            ("127.0.0.1:2001", "notlocalhost", false),
            ("127.0.0.1:2001", "192.0.2.7:2001", false),
            ("127.0.0.1:2001", "localhost:evil", false),
            ("127.0.0.1:2001", "[::1", false),
            ("127.0.0.1:2001", "", false),
            ("192.0.2.7:2001", "192.0.2.7:2001", true),
            ("192.0.2.7:2001", "192.0.2.8:2001", false),
            ("0.0.0.0:2001", "192.0.2.8:2001", true),
            ("0.0.0.0:2001", "evil.example:2001", false),
        ] {
            assert_eq!(check(bound, &[("host", host)]), expected, "{bound} {host}");
        }
        assert!(!check("127.0.0.1:2001", &[]));
        assert!(!check("127.0.0.1:2001", &[("host", "localhost"), ("host", "localhost")]));
    }

    #[test]
    fn no_page_but_the_own_one_is_an_origin() {
        for (origin, expected) in [
            ("http://localhost:2001", true),
            ("http://localhost:3000", false),
            ("https://localhost:2001", false),
            ("http://evil.example", false),
            ("null", false),
            ("", false),
        ] {
            let headers = [("host", "localhost:2001"), ("origin", origin)];
            assert_eq!(check("127.0.0.1:2001", &headers), expected, "{origin}");
        }
        assert!(!check("127.0.0.1:2001", &[("host", "localhost"), ("sec-fetch-site", "cross-site")]));
        assert!(check("127.0.0.1:2001", &[("host", "localhost"), ("sec-fetch-site", "same-origin")]));
    }
}
