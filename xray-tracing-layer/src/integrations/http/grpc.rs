//! gRPC over HTTP, read from headers and paths: whether a request is gRPC, its method, its status.
//!
//! The status comes in the trailers after the body, or among the headers if there is no body (gRPC over
//! HTTP2, "Trailers-Only"). Its meaning is in [`fields::grpc`](crate::fields::grpc).

use std::borrow::Cow;

use ::http::header::CONTENT_TYPE;
use ::http::{HeaderMap, HeaderName};
use percent_encoding::percent_decode_str;

use crate::fields::grpc::{UNKNOWN, name_of};

/// The header with the status.
pub(crate) const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// The header with the percent-encoded message.
pub(crate) const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// The status of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GrpcStatus<'a> {
    pub(crate) code: u32,
    pub(crate) message: Cow<'a, str>,
}

impl<'a> GrpcStatus<'a> {
    /// Reads the status from headers or trailers. A status that is not a number is `UNKNOWN`, as the protocol
    /// requires of clients.
    pub(crate) fn of(headers: &'a HeaderMap) -> Option<Self> {
        let code = headers.get(GRPC_STATUS)?.to_str().ok().and_then(|code| code.parse().ok());
        let message = headers.get(GRPC_MESSAGE).and_then(|message| message.to_str().ok());
        Some(Self {
            code: code.unwrap_or(UNKNOWN),
            message: percent_decode_str(message.unwrap_or_default()).decode_utf8_lossy(),
        })
    }

    pub(crate) fn is_ok(&self) -> bool {
        self.code == 0
    }

    /// Returns the code's name, in the spelling of the specification.
    pub(crate) fn name(&self) -> &'static str {
        name_of(self.code)
    }
}

/// Returns whether the headers are those of a gRPC request: `application/grpc`, `application/grpc+proto`,
/// `application/grpc-web` …
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

/// Returns service and method of a path, `/package.Service/Method`.
pub(crate) fn rpc_of(path: &str) -> Option<(&str, &str)> {
    let (service, method) = path.strip_prefix('/')?.rsplit_once('/')?;
    (!service.is_empty() && !method.is_empty()).then_some((service, method))
}

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
