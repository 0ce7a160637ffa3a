//! The relay's rules for requests: by `Host`, by `Origin`, by path.
//!
//! A page in a browser on this machine can reach the port, by its address or by a name of its own that resolves to
//! 127.0.0.1. Such a request carries the page's name in `Host`, or the page's `Origin`. SDKs send neither.

use std::fmt;
use std::net::IpAddr;

use http::request::Parts;
use http::{Version, header, uri::Authority};

use crate::config::Environment;

/// The relay's rules.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    hosts: Vec<String>,
    paths: Vec<String>,
    is_kubernetes: bool,
}

/// The reason why a request is refused, a sentence for the sender and for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// No header `Host`, two of them, or one that is no host.
    NoHost,
    /// A name that is not one of this machine's.
    UnknownHost(String),
    /// A page in a browser asks.
    ForeignOrigin(String),
    /// A path that is not among those allowed.
    Path(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHost => f.write_str("the header `Host` is missing or not valid"),
            Self::UnknownHost(host) => {
                write!(
                    f,
                    "unknown host `{host}`; if programs use this name for the daemon, allow it with --allow-host {host}"
                )
            }
            Self::ForeignOrigin(origin) => {
                write!(f, "foreign origin `{origin}`; browsers may not use the daemon's credentials")
            }
            Self::Path(path) => write!(f, "path `{path}` is not among those of XrayDaemon.Relay.AllowPaths"),
        }
    }
}

impl Guard {
    /// Rules with hosts and paths of the configuration.
    ///
    /// Of `environment`, `HOSTNAME` is a known name, and `KUBERNETES_SERVICE_HOST` makes `service.namespace` one.
    ///
    /// | name in `Host` | taken |
    /// |---|---|
    /// | an IP address, `localhost`, a name without a dot, `HOSTNAME` | yes |
    /// | below `.localhost`, `.local`, `.internal`, `.svc` | yes: no name of the public DNS |
    /// | `service.namespace` | in Kubernetes |
    /// | in `hosts`; `*.example.com` stands for all below, `*` for any | yes |
    /// | any other | no |
    #[must_use]
    pub fn new(hosts: &[String], paths: &[String], environment: &Environment) -> Self {
        let own = environment.get("HOSTNAME").map(str::to_owned);
        Self {
            hosts: hosts.iter().cloned().chain(own).map(|host| host.to_ascii_lowercase()).collect(),
            paths: paths.to_vec(),
            is_kubernetes: environment.get("KUBERNETES_SERVICE_HOST").is_some(),
        }
    }

    /// Judges a request by its head.
    ///
    /// # Errors
    ///
    /// The [`Refusal`], if the request is not to be forwarded.
    pub fn check(&self, request: &Parts) -> Result<(), Refusal> {
        if request.headers.get_all(header::HOST).iter().count() > 1 {
            return Err(Refusal::NoHost);
        }
        let header = request.headers.get(header::HOST).map(|host| host.to_str().unwrap_or_default());
        let host = request.uri.authority().map(Authority::as_str).or(header);
        let origin = request.headers.get(header::ORIGIN);
        match host {
            None if request.version == Version::HTTP_10 => {}
            None => return Err(Refusal::NoHost),
            Some(host) => self.check_host(host, origin.is_some())?,
        }
        if let Some(origin) = origin {
            let origin = origin.to_str().unwrap_or_default();
            if origin.strip_prefix("http://") != host.filter(|host| !host.is_empty()) {
                return Err(Refusal::ForeignOrigin(shorten(origin)));
            }
        }
        let path = request.uri.path();
        if self.paths.is_empty() || self.paths.iter().any(|allowed| allowed == path) {
            return Ok(());
        }
        Err(Refusal::Path(shorten(path)))
    }

    fn check_host(&self, host: &str, has_origin: bool) -> Result<(), Refusal> {
        let authority: Authority = host.parse().map_err(|_| Refusal::NoHost)?;
        let name = authority.host().trim_end_matches('.').to_ascii_lowercase();
        let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let labels = name.split('.').count();
        let is_private = PRIVATE_SUFFIXES.iter().any(|suffix| name.ends_with(suffix));
        let is_service = self.is_kubernetes && labels == 2 && !has_origin;
        // A user's name before the host is for URLs, not for `Host`.
        if name.is_empty() || host.contains('@') {
            return Err(Refusal::NoHost);
        }
        if address.is_ok() || labels == 1 || is_private || is_service || self.is_configured(&name) {
            return Ok(());
        }
        Err(Refusal::UnknownHost(shorten(&name)))
    }

    fn is_configured(&self, name: &str) -> bool {
        self.hosts.iter().any(|allowed| match allowed.strip_prefix('*') {
            Some("") => true,
            Some(suffix) => suffix.starts_with('.') && name.ends_with(suffix),
            None => allowed == name,
        })
    }
}

/// Top-level names that the public DNS does not have.
const PRIVATE_SUFFIXES: [&str; 4] = [".localhost", ".local", ".internal", ".svc"];

/// Returns what a stranger sent, short enough for a log.
fn shorten(value: &str) -> String {
    let printable = value.chars().filter(|character| !character.is_control());
    printable.take(100).collect()
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn check(guard: &Guard, host: &str, origin: Option<&str>, path: &str) -> Result<(), Refusal> {
        let mut request = Request::post(path).header("host", host);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        guard.check(&request.body(()).unwrap().into_parts().0)
    }

    fn takes(guard: &Guard, host: &str) -> bool {
        check(guard, host, None, "/GetSamplingRules").is_ok()
    }

    #[test]
    fn names_that_the_public_dns_cannot_have_are_taken() {
        let guard = Guard::default();
        for host in [
            "127.0.0.1:2000",
            "10.0.3.7",
            "[::1]:2000",
            "localhost:2000",
            "LocalHost",
            "xray-daemon:2000",
            "xray.monitoring.svc",
            "xray.monitoring.svc.cluster.local:2000",
            "ip-10-0-0-1.eu-west-1.compute.internal:2000",
        ] {
            assert!(takes(&guard, host), "{host}");
        }
        for host in [
            "evil.example.com:2000",
            "localhost.evil.com",
            "127.0.0.1.evil.com",
            "xray.monitoring:2000",
            "local.",
            "svc.evil",
        ] {
            assert_eq!(takes(&guard, host), host == "local.", "{host}");
        }
    }

    #[test]
    fn configured_names_are_taken() {
        let hosts = ["xray.corp.example.com".to_owned(), "*.shop.example".to_owned()];
        let environment = [("HOSTNAME", "Pod-7.example.org")].into_iter().collect();
        let guard = Guard::new(&hosts, &[], &environment);
        for (host, taken) in [
            ("XRAY.corp.example.com:2000", true),
            ("a.shop.example", true),
            ("shop.example", false),
            ("evilshop.example", false),
            ("pod-7.example.org", true),
        ] {
            assert_eq!(takes(&guard, host), taken, "{host}");
        }
        assert!(takes(&Guard::new(&["*".to_owned()], &[], &Environment::default()), "evil.example.com"));
    }

    #[test]
    fn in_kubernetes_a_service_of_another_namespace_is_taken_but_from_no_page() {
        let environment = [("KUBERNETES_SERVICE_HOST", "10.0.0.1")].into_iter().collect();
        let guard = Guard::new(&[], &[], &environment);
        assert!(takes(&guard, "xray-service.default:2000"));
        assert!(!takes(&guard, "xray.evil.com"));
        let page = check(&guard, "evil.com:2000", Some("http://evil.com:2000"), "/Traces");
        assert_eq!(page, Err(Refusal::UnknownHost("evil.com".into())));
    }

    #[test]
    fn a_foreign_origin_is_refused() {
        let guard = Guard::default();
        for origin in ["http://localhost:3000", "https://evil.com", "null", "http://127.0.0.1", ""] {
            let result = check(&guard, "127.0.0.1:2000", Some(origin), "/GetSamplingRules");
            assert_eq!(result, Err(Refusal::ForeignOrigin(origin.into())), "{origin}");
        }
        assert_eq!(check(&guard, "127.0.0.1:2000", Some("http://127.0.0.1:2000"), "/"), Ok(()));
    }

    #[test]
    fn a_request_without_a_host_is_refused_but_in_http_1_0() {
        let guard = Guard::default();
        let (mut parts, ()) = Request::post("/SamplingTargets").body(()).unwrap().into_parts();
        assert_eq!(guard.check(&parts), Err(Refusal::NoHost));
        parts.version = Version::HTTP_10;
        assert_eq!(guard.check(&parts), Ok(()));
        for host in ["a b", "evil.com@localhost", "a@localhost:2000"] {
            assert_eq!(check(&guard, host, None, "/"), Err(Refusal::NoHost), "{host}");
        }
        let two = Request::post("/").header("host", "localhost").header("host", "evil.com");
        assert_eq!(guard.check(&two.body(()).unwrap().into_parts().0), Err(Refusal::NoHost));
    }

    #[test]
    fn paths_are_restricted_when_a_list_is_there() {
        let paths = ["/GetSamplingRules".to_owned(), "/SamplingTargets".to_owned()];
        let guard = Guard::new(&[], &paths, &Environment::default());
        assert_eq!(check(&guard, "localhost", None, "/GetSamplingRules?x=1"), Ok(()));
        assert_eq!(
            check(&guard, "localhost", None, "/TraceSummaries"),
            Err(Refusal::Path("/TraceSummaries".into()))
        );
        assert_eq!(
            check(&guard, "localhost", None, "/GetSamplingRules/"),
            Err(Refusal::Path("/GetSamplingRules/".into()))
        );
    }
}
