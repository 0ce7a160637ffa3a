//! The span of an outgoing request, and the trace header that it carries. Called by the clients'
//! integrations.

use std::fmt::Display;

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
    pub(super) url: &'a dyn Display,
    pub(super) host: Option<&'a str>,
    pub(super) port: Option<u16>,
    pub(super) path: &'a str,
}

impl Exchange {
    /// Opens the span, and adds its header to the request.
    pub(super) fn begin_client(method: &Method, target: &Target<'_>, headers: &mut HeaderMap) -> Self {
        let is_grpc = is_grpc(headers);
        let call = if is_grpc { rpc_of(target.path) } else { None };
        // Logs show the span's fields as well, so password and query are removed here already.
        let url = target.url.to_string();
        let safe = |keep_query| SafeUrl::parse(&url, keep_query).map(SafeUrl::to_text);
        let bare = safe(false);
        let span = info_span!(
            target: "xray_tracing_layer::http",
            "HTTP client request",
            otel.kind = "client",
            // The name for a request without a host.
            otel.name = call.map_or(method.as_str(), |(service, _)| service),
            http.request.method = method.as_str(),
            url.full = bare.as_deref(),
            server.address = target.host.map(|host| HostPort::parse(host).map_or(host, |found| found.host)),
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
        if url.contains('?')
            && keeps_query(&span)
            && let Some(whole) = safe(true)
        {
            span.record("url.full", &*whole);
        }
        send_header_of(&span, headers);
        record_request_headers(&span, headers);
        Self::call(span, is_grpc)
    }
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
