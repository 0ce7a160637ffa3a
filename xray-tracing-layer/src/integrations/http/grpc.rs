//! gRPC over HTTP, as far as headers and paths tell: whether a request is one, what it calls, how it went. Pure
//! reading; what a status means to X-Ray is `visit`'s affair, and no protocol buffer is known here.
//!
//! Servers and clients both call this. The status comes in the trailers behind the response's body, or, where
//! there is no body, among its headers (gRPC over HTTP2, "Trailers-Only").

use std::borrow::Cow;

use ::http::header::CONTENT_TYPE;
use ::http::{HeaderMap, HeaderName};

/// How a call went, as a number.
pub(crate) const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// Why it failed, percent-encoded.
pub(crate) const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// How a call went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GrpcStatus<'a> {
    pub(crate) code: u32,
    pub(crate) message: Cow<'a, str>,
}

impl<'a> GrpcStatus<'a> {
    /// The status among a response's headers, or its trailers. A status that is no number is as good as unknown, as
    /// the protocol asks of its clients.
    pub(crate) fn of(headers: &'a HeaderMap) -> Option<Self> {
        let code = headers.get(GRPC_STATUS)?.to_str().ok().and_then(|code| code.parse().ok());
        let message = headers.get(GRPC_MESSAGE).and_then(|message| message.to_str().ok());
        Some(Self { code: code.unwrap_or(UNKNOWN), message: percent_decoded(message.unwrap_or_default()) })
    }

    pub(crate) fn is_ok(&self) -> bool {
        self.code == 0
    }

    /// The code's name, in the spelling of gRPC's specification.
    pub(crate) fn name(&self) -> &'static str {
        NAMES.get(self.code as usize).copied().unwrap_or(NAMES[UNKNOWN as usize])
    }
}

/// Whether the headers are those of a gRPC request: `application/grpc`, `application/grpc+proto`,
/// `application/grpc-web` …
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

/// Service and method of a path, `/package.Service/Method`.
pub(crate) fn rpc_of(path: &str) -> Option<(&str, &str)> {
    let (service, method) = path.strip_prefix('/')?.rsplit_once('/')?;
    (!service.is_empty() && !method.is_empty()).then_some((service, method))
}

/// Undoes the encoding of `grpc-message`. What is no encoded byte stays as it is.
fn percent_decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return text.into();
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let byte = match (first, tail) {
            (b'%', [high, low, ..]) => digit(*high).zip(digit(*low)),
            _ => None,
        };
        decoded.push(byte.map_or(first, |(high, low)| high << 4 | low));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    Cow::Owned(String::from_utf8_lossy(&decoded).into_owned())
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

const UNKNOWN: u32 = 2;

/// gRPC's codes by their number (grpc/grpc, `doc/statuscodes.md`).
const NAMES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

#[cfg(test)]
mod tests {
    use super::*;
    use ::http::HeaderValue;

    #[test]
    fn a_status_is_read_with_its_name_and_message() {
        type Case = (&'static [u8], &'static str, (u32, &'static str, &'static str));
        let cases: &[Case] = &[
            (b"0", "", (0, "OK", "")),
            (b"5", "no such order", (5, "NOT_FOUND", "no such order")),
            (b"14", "gone%20%E2%82%AC%0a", (14, "UNAVAILABLE", "gone €\n")),
            (b"16", "100% sure%2", (16, "UNAUTHENTICATED", "100% sure%2")),
            (b"3", "%ff%zz", (3, "INVALID_ARGUMENT", "\u{fffd}%zz")),
            (b"99", "", (99, "UNKNOWN", "")),
            (b"five", "", (2, "UNKNOWN", "")),
            (b"\xff", "", (2, "UNKNOWN", "")),
        ];
        for (code, message, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(GRPC_STATUS, HeaderValue::from_bytes(code).unwrap());
            headers.insert(GRPC_MESSAGE, HeaderValue::from_static(message));
            let status = GrpcStatus::of(&headers).unwrap();
            assert_eq!((status.code, status.name(), &*status.message), *expected);
            assert_eq!(status.is_ok(), expected.0 == 0);
        }
        assert_eq!(GrpcStatus::of(&HeaderMap::new()), None);
    }

    #[test]
    fn a_path_names_service_and_method() {
        for (path, expected) in [
            ("/grpc.health.v1.Health/Check", Some(("grpc.health.v1.Health", "Check"))),
            ("/prefix/shop.Orders/Get", Some(("prefix/shop.Orders", "Get"))),
            ("/shop.Orders/", None),
            ("//Get", None),
            ("/", None),
            ("", None),
        ] {
            assert_eq!(rpc_of(path), expected, "{path:?}");
        }
    }

    #[test]
    fn a_request_is_grpc_by_its_content_type() {
        for (content_type, expected) in
            [("application/grpc", true), ("application/grpc+proto", true), ("application/json", false)]
        {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))]);
            assert_eq!(is_grpc(&headers), expected, "{content_type}");
        }
        assert!(!is_grpc(&HeaderMap::new()));
    }
}
