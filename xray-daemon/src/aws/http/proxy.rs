//! The HTTP proxy that uploads go through, with the exceptions of `NO_PROXY`.
//!
//! The original sends uploads and relayed calls through the proxy. Here the calls for credentials (STS, SSO) use the
//! proxy too; instance and container metadata never do.

use std::str::FromStr;
use std::sync::Arc;

use aws_smithy_http_client::proxy::ProxyConfig;
use hyper::Uri;
use hyper::http::HeaderValue;
use hyper_util::client::proxy::matcher::Matcher;

use crate::config::Environment;

/// The proxy for each destination, if there is one.
#[derive(Debug, Clone)]
pub struct Proxy {
    matcher: Option<Arc<Matcher>>,
    url: String,
    exceptions: String,
}

/// A way to a destination through a proxy.
#[derive(Debug, Clone)]
pub(super) struct Hop {
    pub(super) uri: Uri,
    pub(super) authorization: Option<HeaderValue>,
}

/// A proxy address that is no URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyError {
    value: String,
    source: &'static str,
}

impl std::fmt::Display for ProxyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Bad proxy URL: `{}` ({}); `http://host:port` and `https://host:port` are accepted",
            self.value, self.source
        )
    }
}

impl std::error::Error for ProxyError {}

impl Proxy {
    /// The configured proxy, or that of `HTTPS_PROXY`, or none.
    ///
    /// # Errors
    ///
    /// If the address is not a URL with the scheme `http` or `https`. An address without a scheme gets `http://`.
    pub fn new(configured: Option<&str>, environment: &Environment) -> Result<Self, ProxyError> {
        let configured = configured.filter(|value| !value.is_empty()).map(|value| (value, "ProxyAddress"));
        let from_environment = || environment.get("HTTPS_PROXY").map(|value| (value, "HTTPS_PROXY"));
        let Some((value, source)) = configured.or_else(from_environment) else {
            return Ok(Self { matcher: None, url: String::new(), exceptions: String::new() });
        };
        let error = || ProxyError { value: redact(value), source };
        let url = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
        let uri = Uri::from_str(&url).map_err(|_| error())?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || !uri.host().is_some_and(is_host) {
            return Err(error());
        }
        let exceptions = environment.get("NO_PROXY").unwrap_or_default().to_owned();
        let matcher = Matcher::builder().http(url.clone()).https(url.clone()).no(exceptions.clone()).build();
        Ok(Self { matcher: Some(Arc::new(matcher)), url, exceptions })
    }

    /// The proxy's address without user and password, if there is one.
    #[must_use]
    pub fn address(&self) -> Option<String> {
        self.matcher.as_ref().map(|_| redact(&self.url))
    }

    pub(super) fn hop(&self, destination: &Uri) -> Option<Hop> {
        let found = self.matcher.as_ref()?.intercept(destination)?;
        Some(Hop { uri: found.uri().clone(), authorization: found.basic_auth().cloned() })
    }

    /// Returns this proxy for the clients of `aws-config`, for `https` destinations only.
    pub(in crate::aws) fn for_credentials(&self) -> ProxyConfig {
        match ProxyConfig::https(self.url.clone()) {
            Ok(config) if self.matcher.is_some() => config.no_proxy(&self.exceptions),
            _ => ProxyConfig::disabled(),
        }
    }
}

/// Returns whether a URL's host is a name or an address; the parser takes more than that.
pub(in crate::aws) fn is_host(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && !host.contains(['%', '[', ']']),
    }
}

fn redact(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        (None, Some((_, host))) => host.to_owned(),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment() -> Environment {
        [("HTTPS_PROXY", "https://127.0.0.1:8888")].into_iter().collect()
    }

    #[test]
    fn configuration_overrides_the_environment() {
        let address =
            |configured, environment: &Environment| Proxy::new(configured, environment).unwrap().address();
        assert_eq!(address(None, &environment()).as_deref(), Some("https://127.0.0.1:8888"));
        assert_eq!(
            address(Some("https://127.0.0.1:9999"), &environment()).as_deref(),
            Some("https://127.0.0.1:9999")
        );
        assert_eq!(
            address(Some("https://127.0.0.1:8888"), &Environment::default()).as_deref(),
            Some("https://127.0.0.1:8888")
        );
        assert_eq!(address(None, &Environment::default()), None);
        assert_eq!(address(Some(""), &Environment::default()), None);
    }

    #[test]
    fn a_bad_url_is_refused() {
        for value in ["http://[%10::1]", "http://%41:8080/", "http://a b.com/", "socks5://host:1"] {
            let error = Proxy::new(Some(value), &Environment::default()).unwrap_err();
            assert!(error.to_string().starts_with("Bad proxy URL: "), "{error}");
        }
    }

    #[test]
    fn a_password_is_neither_shown_nor_lost() {
        let proxy = Proxy::new(Some("http://user:secret@proxy:3128"), &Environment::default()).unwrap();
        assert_eq!(proxy.address().as_deref(), Some("http://proxy:3128"));
        let hop = proxy.hop(&Uri::from_static("https://xray.us-east-1.amazonaws.com/")).unwrap();
        assert_eq!(hop.authorization.unwrap(), "Basic dXNlcjpzZWNyZXQ=");
    }

    #[test]
    fn exceptions_are_reached_directly() {
        let variables =
            [("HTTPS_PROXY", "https://127.0.0.1:8888"), ("NO_PROXY", "127.0.0.1,.internal.example")];
        let environment = variables.into_iter().collect();
        let proxy = Proxy::new(None, &environment).unwrap();
        assert!(proxy.hop(&Uri::from_static("http://127.0.0.1:2001/TraceSegments")).is_none());
        assert!(proxy.hop(&Uri::from_static("https://xray.internal.example/")).is_none());
        assert!(proxy.hop(&Uri::from_static("https://xray.us-east-1.amazonaws.com/")).is_some());
    }
}
