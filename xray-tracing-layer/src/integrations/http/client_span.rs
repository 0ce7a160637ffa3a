//! A request to another service, before it leaves: its span, and the trace header that goes with it. The clients'
//! integrations call this, each with what its library calls a URL.

use std::fmt::Display;

use ::http::{HeaderMap, Method};
use tracing::field::Empty;
use tracing::{Span, info_span};

use super::exchange::Exchange;
use super::grpc::{is_grpc, rpc_of};
use super::headers::inject_header;
use crate::fields::url::{without_query, without_user};
use crate::span_ext::{XraySpanExt, current_trace_header, keeps_query};

/// Where a request goes.
pub(super) struct Target<'a> {
    pub(super) url: &'a dyn Display,
    pub(super) host: Option<&'a str>,
    pub(super) port: Option<u16>,
    pub(super) path: &'a str,
}

impl Exchange {
    /// Opens the span, and puts its header among the request's.
    pub(super) fn begin_client(method: &Method, target: &Target<'_>, headers: &mut HeaderMap) -> Self {
        let is_grpc = is_grpc(headers);
        let call = if is_grpc { rpc_of(target.path) } else { None };
        // Logs show the span's fields, too, and are no place for a password or a query either.
        let url = target.url.to_string();
        let url = without_user(&url);
        let bare = without_query(&url);
        let span = info_span!(
            target: "xray_tracing_layer::http",
            "HTTP client request",
            otel.kind = "client",
            // For a request that names no host.
            otel.name = call.map_or(method.as_str(), |(service, _)| service),
            http.request.method = method.as_str(),
            url.full = bare,
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
        if bare.len() < url.len() && keeps_query(&span) {
            span.record("url.full", &*url);
        }
        send_header_of(&span, headers);
        Self::call(span, is_grpc)
    }
}

/// Puts a span's trace header among a request's, or the current span's, if a filter has switched off this one. Where
/// there is no trace, a header that is there stays.
pub(super) fn send_header_of(span: &Span, headers: &mut HeaderMap) {
    if let Some(header) = span.trace_header().or_else(current_trace_header) {
        inject_header(headers, &header);
    }
}

/// The address in `[::1]`, which would be mended in a name.
fn without_brackets(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_named_without_its_brackets() {
        for (host, expected) in [("[::1]", "::1"), ("shop.example", "shop.example"), ("[::1", "[::1")] {
            assert_eq!(without_brackets(host), expected);
        }
    }
}
