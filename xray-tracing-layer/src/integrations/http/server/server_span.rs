//! The span of an incoming request, with the facts of its head.
//!
//! All values come from the sender: they are bounded where the layer writes them, and never trusted to be
//! well-formed.

use std::borrow::Cow;
use std::cell::LazyCell;
use std::net::SocketAddr;

use ::http::header::{HOST, USER_AGENT};
use ::http::uri::Authority;
use ::http::{Extensions, HeaderMap, HeaderName, Request, Uri};
use tracing::field::Empty;
use tracing::{Span, info_span};
use xray_sdk::{SamplingDecision, TraceHeader};

use crate::fields::sanitize::host::{HostPort, first_address, is_plain_name};
use crate::integrations::http::grpc::{is_grpc, rpc_of};
use crate::integrations::http::headers::{TRACEPARENT, X_AMZN_TRACE_ID};
use crate::layer::find::{count_bad_header, keeps_query};

/// A function that returns the peer's address from a request's extensions.
pub(super) type PeerAddress = fn(&Extensions) -> Option<SocketAddr>;

/// The span of a request, and what the response needs.
pub(super) struct ServerSpan {
    pub(super) span: Span,
    /// The caller's header, if the caller requests the sampling decision.
    pub(super) requested: Option<Box<TraceHeader>>,
    pub(super) is_grpc: bool,
}

impl ServerSpan {
    pub(super) fn of<B>(request: &Request<B>, peer: PeerAddress) -> Self {
        let (headers, extensions) = (request.headers(), request.extensions());
        let uri = original_uri(extensions).unwrap_or_else(|| request.uri());
        let is_grpc = is_grpc(headers);
        let rpc = if is_grpc { rpc_of(uri.path()) } else { None };
        let route = route(extensions);
        let method = request.method().as_str();
        let mut incoming = None;
        let client = LazyCell::new(|| client_of(headers, extensions, peer));
        let (host, port) = host_of(headers, uri).map_or((None, None), |host| address_of(host));
        // The expressions are evaluated only if the span is enabled. First those that decide about the span; members of the
        // document that belong together stand together.
        let span = info_span!(
            target: "xray_tracing_layer::http",
            "HTTP request",
            otel.kind = "server",
            xray.trace_header = incoming.insert(IncomingHeader::of(headers)).text.as_deref(),
            rpc.system = is_grpc.then_some("grpc"),
            otel.name = &*operation(method, route, rpc),
            http.request.method = method,
            client.address = client.as_ref().map(|(address, _)| &**address),
            http.request.x_forwarded_for = client.as_ref().map(|(_, is_forwarded)| is_forwarded),
            user_agent.original = text_of(headers, USER_AGENT),
            url.scheme = scheme_of(headers, uri),
            // What is not understood is left out, and counted, where the field is written.
            server.address = host,
            server.port = port,
            url.path = Some(uri.path()).filter(|path| path.starts_with('/')),
            url.query = Empty,
            http.route = route,
            rpc.service = rpc.map(|(service, _)| service),
            rpc.method = rpc.map(|(_, method)| method),
            http.response.status_code = Empty,
            http.response.body.size = Empty,
            rpc.grpc.status_code = Empty,
            error.type = Empty,
            error.message = Empty,
        );
        let incoming = incoming.unwrap_or_default();
        if incoming.ignored {
            count_bad_header(&span);
        }
        if let Some(query) = uri.query()
            && keeps_query(&span)
        {
            span.record("url.query", query);
        }
        Self { span, requested: incoming.requested, is_grpc }
    }
}

/// The trace header of a request.
#[derive(Default)]
struct IncomingHeader<'a> {
    /// The header in X-Ray's form, or an invalid header for the layer to count.
    text: Option<Cow<'a, str>>,
    requested: Option<Box<TraceHeader>>,
    /// Set if X-Ray's header is invalid and W3C's is used.
    ignored: bool,
}

impl<'a> IncomingHeader<'a> {
    fn of(headers: &'a HeaderMap) -> Self {
        let mut unread = None;
        for value in headers.get_all(X_AMZN_TRACE_ID) {
            let text = value.to_str().unwrap_or_default();
            match text.parse::<TraceHeader>() {
                Ok(header) => {
                    let is_requested = header.sampled() == SamplingDecision::Requested;
                    let requested = is_requested.then(|| Box::new(header));
                    return Self { text: Some(text.into()), requested, ignored: false };
                }
                Err(_) => unread = unread.or(Some(text)),
            }
        }
        let ignored = unread.is_some();
        let w3c = headers.get(TRACEPARENT).map(|value| value.to_str().unwrap_or_default());
        match w3c.map(|text| TraceHeader::from_traceparent(text).map_err(|_| text)) {
            Some(Ok(header)) => Self { text: Some(header.to_string().into()), requested: None, ignored },
            Some(Err(text)) => Self { text: Some(unread.unwrap_or(text).into()), ..Self::default() },
            None => Self { text: unread.map(Cow::Borrowed), ..Self::default() },
        }
    }
}

/// Returns the client's address, and whether a proxy reported it: the first that one reported, or else the peer's. Proxies
/// also report ports, `unknown` and names of their own, and any client may write the header.
fn client_of<'a>(
    headers: &'a HeaderMap,
    extensions: &Extensions,
    peer: PeerAddress,
) -> Option<(Cow<'a, str>, bool)> {
    let mut lists = headers.get_all(X_FORWARDED_FOR).into_iter().filter_map(|list| list.to_str().ok());
    let forwarded = lists.find_map(first_address).map(|address| (address, true));
    forwarded.or_else(|| Some((peer(extensions)?.ip().to_canonical().to_string().into(), false)))
}

/// Returns the operation, in few distinct strings.
fn operation<'a>(method: &'a str, route: Option<&str>, rpc: Option<(&str, &str)>) -> Cow<'a, str> {
    match (rpc, route) {
        (Some((service, method)), _) => [service, "/", method].concat().into(),
        (None, Some(route)) => [method, " ", route].concat().into(),
        (None, None) => method.into(),
    }
}

/// Returns the peer's address, from the extensions that common servers add.
pub(super) fn peer_address(extensions: &Extensions) -> Option<SocketAddr> {
    #[cfg(feature = "axum")]
    if let Some(info) = extensions.get::<axum::extract::ConnectInfo<SocketAddr>>() {
        return Some(info.0);
    }
    extensions.get().copied()
}

/// Returns the matched route, if a router has matched it already.
fn route(extensions: &Extensions) -> Option<&str> {
    #[cfg(feature = "axum")]
    return extensions.get::<axum::extract::MatchedPath>().map(axum::extract::MatchedPath::as_str);
    #[cfg(not(feature = "axum"))]
    {
        let _ = extensions;
        None
    }
}

/// Returns the original URI: a nested router sees only the rest of the path.
fn original_uri(extensions: &Extensions) -> Option<&Uri> {
    #[cfg(feature = "axum")]
    return extensions.get::<axum::extract::OriginalUri>().map(|uri| &uri.0);
    #[cfg(not(feature = "axum"))]
    {
        let _ = extensions;
        None
    }
}

/// Returns the scheme. Most servers do not report TLS, and most use none, behind a proxy that does.
fn scheme_of<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> &'a str {
    let forwarded = text_of(headers, X_FORWARDED_PROTO).map(first_of);
    let known = forwarded.filter(|scheme| matches!(*scheme, "http" | "https"));
    known.or_else(|| uri.scheme_str()).unwrap_or("http")
}

fn host_of<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Option<&'a str> {
    let host = text_of(headers, HOST).filter(|host| !host.is_empty());
    host.or_else(|| uri.authority().map(Authority::as_str))
}

/// Returns the host and the port of an authority, or the whole if it is not understood.
fn address_of(text: &str) -> (Option<&str>, Option<u16>) {
    // Behind a proxy, most are names alone.
    let authority = if is_plain_name(text) { None } else { HostPort::of_authority(text) };
    match authority {
        Some(authority) => (Some(authority.in_url()), authority.port.parse().ok()),
        None => (Some(text), None),
    }
}

fn text_of(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn first_of(list: &str) -> &str {
    list.bytes().position(|byte| byte == b',').map_or(list, |end| &list[..end]).trim_ascii()
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

#[cfg(test)]
mod tests {
    use super::*;
    use ::http::HeaderValue;

    const OURS: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    const W3C: &str = "00-5759e988bd862e3fe1be46a994272793-00f067aa0ba902b7-00";
    const FROM_W3C: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=00f067aa0ba902b7;Sampled=0";

    type Pair = (HeaderName, &'static str);

    fn headers(pairs: &[Pair]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn a_header_that_cant_be_read_gives_way_to_one_that_can_and_is_counted_once() {
        let (ours, w3c) = (X_AMZN_TRACE_ID, TRACEPARENT);
        let cases: &[(&[Pair], Option<&str>, bool)] = &[
            (&[], None, false),
            (&[(ours.clone(), OURS)], Some(OURS), false),
            (&[(w3c.clone(), W3C)], Some(FROM_W3C), false),
            (&[(w3c.clone(), W3C), (ours.clone(), OURS)], Some(OURS), false),
            (&[(ours.clone(), "nonsense"), (w3c.clone(), W3C)], Some(FROM_W3C), true),
            (&[(ours.clone(), "nonsense"), (ours.clone(), OURS)], Some(OURS), false),
            (&[(ours.clone(), "nonsense")], Some("nonsense"), false),
            (&[(w3c.clone(), "nonsense")], Some("nonsense"), false),
            (&[(ours, "nonsense"), (w3c, "more of it")], Some("nonsense"), false),
        ];
        for (pairs, text, ignored) in cases {
            let headers = headers(pairs);
            let incoming = IncomingHeader::of(&headers);
            assert_eq!((incoming.text.as_deref(), incoming.ignored), (*text, *ignored), "{pairs:?}");
        }
        let bytes = HeaderMap::from_iter([(X_AMZN_TRACE_ID, HeaderValue::from_bytes(b"Root=\xff").unwrap())]);
        assert_eq!(IncomingHeader::of(&bytes).text.as_deref(), Some(""), "for the layer to count");
    }

    #[test]
    fn only_a_question_is_kept_for_the_answer() {
        let requested = |text: &str| {
            let headers =
                HeaderMap::from_iter([(X_AMZN_TRACE_ID, HeaderValue::try_from(text.to_owned()).unwrap())]);
            IncomingHeader::of(&headers).requested.is_some()
        };
        assert!(requested("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=?"));
        assert!(!requested("Root=1-5759e988-bd862e3fe1be46a994272793"));
        assert!(!requested(OURS));
    }

    #[test]
    fn an_authority_is_taken_apart() {
        for (authority, expected) in [
            ("shop.example", Some(("shop.example", ""))),
            ("shop.example:8080", Some(("shop.example", "8080"))),
            ("shop.example:", Some(("shop.example", ""))),
            ("shop.example:many", None),
            ("[::1]:8080", Some(("[::1]", "8080"))),
            ("[::1]", Some(("[::1]", ""))),
            ("me:secret@shop.example", Some(("shop.example", ""))),
            ("", None),
        ] {
            let found = HostPort::of_authority(authority);
            assert_eq!(found.map(|found| (found.in_url(), found.port)), expected, "{authority}");
        }
    }

    #[test]
    fn the_scheme_is_the_proxys_if_it_is_one() {
        let uri = |text: &str| text.parse::<Uri>().unwrap();
        let forwarded = |value| headers(&[(X_FORWARDED_PROTO, value)]);
        assert_eq!(scheme_of(&headers(&[]), &uri("/")), "http");
        assert_eq!(scheme_of(&headers(&[]), &uri("https://shop.example/")), "https");
        assert_eq!(scheme_of(&forwarded("https, http"), &uri("/")), "https");
        assert_eq!(scheme_of(&forwarded("javascript"), &uri("/")), "http");
    }

    #[test]
    fn a_client_is_the_first_that_is_forwarded_or_else_the_peer() {
        let client = |headers: &HeaderMap, extensions: &Extensions| {
            let client = client_of(headers, extensions, peer_address);
            client.map(|(address, is_forwarded)| (address.into_owned(), is_forwarded))
        };
        let mut extensions = Extensions::new();
        assert_eq!(client(&headers(&[]), &extensions), None);
        extensions.insert(SocketAddr::from(([0, 0, 0, 0, 0, 0xffff, 0xcb00, 0x7107], 80)));
        assert_eq!(client(&headers(&[]), &extensions), Some(("203.0.113.7".to_owned(), false)));
        let forwarded = headers(&[(X_FORWARDED_FOR, " 198.51.100.4 , 10.0.0.1")]);
        assert_eq!(client(&forwarded, &extensions), Some(("198.51.100.4".to_owned(), true)));
        for (text, expected, forwarded) in [
            ("203.0.113.9:41234", "203.0.113.9", true),
            ("[2001:db8::7]:41234", "2001:db8::7", true),
            ("2001:DB8::7", "2001:db8::7", true),
            ("::ffff:203.0.113.9", "203.0.113.9", true),
            ("unknown, 198.51.100.4", "198.51.100.4", true),
            ("_hidden,, <script> , [2001:db8::7]", "2001:db8::7", true),
            ("", "203.0.113.7", false),
            ("unknown", "203.0.113.7", false),
            ("any text at all", "203.0.113.7", false),
        ] {
            let found = client(&headers(&[(X_FORWARDED_FOR, text)]), &extensions);
            assert_eq!(found, Some((expected.to_owned(), forwarded)), "{text}");
        }
        let mut lines = HeaderMap::new();
        lines.append(X_FORWARDED_FOR, HeaderValue::from_static("unknown"));
        lines.append(X_FORWARDED_FOR, HeaderValue::from_static("198.51.100.4, 10.0.0.1"));
        assert_eq!(client(&lines, &extensions), Some(("198.51.100.4".to_owned(), true)));
    }
}
