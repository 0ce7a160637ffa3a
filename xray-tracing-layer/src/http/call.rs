//! A request to another service: its span, and the header that names the span to whoever gets it. Which client makes
//! the request is not known here.

use std::fmt;

use ::http::{HeaderMap, Method};
use tracing::field::{self, Empty};
use tracing::{Span, info_span};

use super::headers::inject_header;
use crate::span_ext::{XraySpanExt, current_trace_header};

/// What a request says of itself.
pub(super) struct Outgoing<'a> {
    pub(super) method: &'a Method,
    /// Whole or not; the layer leaves out passwords and, unless the user wants it, the query.
    pub(super) url: &'a dyn fmt::Display,
    pub(super) host: Option<&'a str>,
    pub(super) port: Option<u16>,
    /// Service and method of a gRPC call.
    pub(super) call: Option<(&'a str, &'a str)>,
}

impl Outgoing<'_> {
    /// Opens the request's span and tells of it in the request's headers, in place of what was there.
    ///
    /// The header goes out also where the span is not recorded: the decision has to be known everywhere.
    pub(super) fn open(&self, headers: &mut HeaderMap) -> Span {
        // A gRPC client may know its server by a channel only.
        let nameless = self.call.filter(|_| self.host.is_none());
        let span = info_span!(
            "HTTP call",
            otel.kind = "client",
            peer.service = nameless.map(|(service, _)| service),
            http.request.method = self.method.as_str(),
            url.full = field::display(self.url),
            server.address = self.host,
            server.port = self.port,
            rpc.system = self.call.map(|_| "grpc"),
            rpc.service = self.call.map(|(service, _)| service),
            rpc.method = self.call.map(|(_, method)| method),
            http.response.status_code = Empty,
            http.response.body.size = Empty,
            rpc.grpc.status_code = Empty,
            error.type = Empty,
            error.message = Empty,
        );
        if let Some(header) = span.trace_header().or_else(current_trace_header) {
            inject_header(headers, &header);
        }
        span
    }
}
