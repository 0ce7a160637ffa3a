//! The headers of an exchange that the builder asks for, as fields of its span.

use ::http::{HeaderMap, HeaderName};
use tracing::Span;

use super::pass_on::{Unreadable, joined};
use crate::layer::headers::{HeaderSide, HeaderText, record_headers};

/// Records the request headers in a span that [`Builder::record_request_headers`] names.
///
/// The layers and middlewares of [`http`](crate::http) do that by themselves. Does nothing on a span that is not
/// recorded.
///
/// ```
/// let (headers, span) = (http::HeaderMap::new(), tracing::info_span!("request"));
/// xray_tracing_layer::http::record_request_headers(&span, &headers);
/// ```
///
/// [`Builder::record_request_headers`]: crate::Builder::record_request_headers
pub fn record_request_headers(span: &Span, headers: &HeaderMap) {
    record(span, HeaderSide::Request, headers);
}

/// Records the response headers in a span that [`Builder::record_response_headers`] names. See
/// [`record_request_headers`].
///
/// ```
/// let (headers, span) = (http::HeaderMap::new(), tracing::info_span!("request"));
/// xray_tracing_layer::http::record_response_headers(&span, &headers);
/// ```
///
/// [`Builder::record_response_headers`]: crate::Builder::record_response_headers
pub fn record_response_headers(span: &Span, headers: &HeaderMap) {
    record(span, HeaderSide::Response, headers);
}

fn record(span: &Span, side: HeaderSide, headers: &HeaderMap) {
    record_headers(span, side, |name| {
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else { return HeaderText::Absent };
        match joined(headers, name) {
            Ok(Some(text)) => HeaderText::Text(text.into()),
            Ok(None) => HeaderText::Absent,
            Err(Unreadable) => HeaderText::Unreadable,
        }
    });
}
