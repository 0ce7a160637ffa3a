//! The span of an outgoing request, and the trace header that it carries. Called by the clients'
//! integrations.

use std::borrow::Cow;

use ::http::{HeaderMap, Method};
use tracing::field::Empty;
use tracing::{Span, info_span};

use super::exchange::Exchange;
use super::grpc::{is_grpc, rpc_of};
use super::headers::inject_header;
use super::pass_on::pass_on;
use super::recorded_headers::record_request_headers;
use crate::fields::sanitize::host::HostPort;
use crate::fields::sanitize::url::SafeUrl;
use crate::layer::find::keeps_query;
use crate::span_ext::{XraySpanExt, current_trace_header};

/// The destination of a request.
pub(super) struct Target<'a> {
    /// Returns the URL, which is written only for a span that is enabled.
    pub(super) url: &'a dyn Fn() -> Cow<'a, str>,
    pub(super) host: Option<&'a str>,
    pub(super) port: Option<u16>,
    pub(super) path: &'a str,
}

impl Exchange {
    /// Opens the span, and adds its header to the request.
    pub(super) fn begin_client(method: &Method, target: &Target<'_>, headers: &mut HeaderMap) -> Self {
        let is_grpc = is_grpc(headers);
        let call = if is_grpc { rpc_of(target.path) } else { None };
        let (mut url, mut bare) = (None, None);
        // The expressions are evaluated only if the span is enabled.
        let span = info_span!(
            target: "xray_tracing_layer::http",
            "HTTP client request",
            otel.kind = "client",
            // The name for a request without a host.
            otel.name = call.map_or(method.as_str(), |(service, _)| service),
            http.request.method = method.as_str(),
            // Logs show the span's fields as well, so password and query are removed here already.
            url.full = bare.insert(safe_url(url.insert((target.url)()), false)).as_deref(),
            server.address = target.host.map(without_brackets),
            server.port = target.port,
            rpc.system = is_grpc.then_some("grpc"),
            rpc.service = call.map(|(service, _)| service),
            rpc.method = call.map(|(_, method)| method),
            http.response.status_code = Empty,
            http.response.body.size = Empty,
            rpc.grpc.status_code = Empty,
            error.type = Empty,
            error.message = Empty,
        );
        if let Some(url) = &url
            && url.contains('?')
            && keeps_query(&span)
            && let Some(whole) = safe_url(url, true)
        {
            span.record("url.full", &*whole);
        }
        send_header_of(&span, headers);
        record_request_headers(&span, headers);
        Self::call(span, is_grpc)
    }
}

fn safe_url(url: &str, keep_query: bool) -> Option<Cow<'_, str>> {
    SafeUrl::parse(url, keep_query).map(SafeUrl::to_text)
}

/// Returns a host without the brackets of an address of IPv6.
fn without_brackets(host: &str) -> &str {
    if !host.starts_with('[') {
        return host;
    }
    HostPort::parse(host).map_or(host, |found| found.host)
}

/// Adds a span's trace header to a request, or the current span's, if a filter rejected this span. Without a
/// trace, existing headers stay.
pub(super) fn send_header_of(span: &Span, headers: &mut HeaderMap) {
    if let Some(header) = span.trace_header().or_else(current_trace_header) {
        inject_header(headers, &header);
        let carrier = if span.is_disabled() { &Span::current() } else { span };
        pass_on(carrier, headers);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_are_no_part_of_an_address() {
        for (host, expected) in
            [("[2001:db8::1]", "2001:db8::1"), ("shop.example", "shop.example"), ("[x]", "[x]"), ("", "")]
        {
            assert_eq!(without_brackets(host), expected);
        }
    }
}
