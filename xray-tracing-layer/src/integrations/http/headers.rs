//! The trace header in HTTP headers, in X-Ray's form and in W3C's.

use ::http::{HeaderMap, HeaderName, HeaderValue};
use tracing::Span;
use xray_sdk::TraceHeader;

use super::pass_on::pass_on;
use crate::span_ext::current_trace_header;

/// X-Ray's header.
pub const X_AMZN_TRACE_ID: HeaderName = HeaderName::from_static(TraceHeader::NAME);

/// W3C Trace Context's header.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Adds the current span's trace header to a request, in both forms, replacing existing ones.
///
/// `tracestate` and `baggage` of a served request are passed on; see [`carry`](crate::http::carry). Returns `false`,
/// and adds nothing, if no span with a record is current.
///
/// The current span becomes the parent of the callee's segment. A call with a duration and a status of its
/// own needs its own span: see the clients in [`http`](crate::http).
///
/// ```
/// use http::HeaderMap;
///
/// let mut headers = HeaderMap::new();
/// if !xray_tracing_layer::http::inject(&mut headers) {
///     // No span of the layer is current.
///     assert!(headers.is_empty());
/// }
/// ```
pub fn inject(headers: &mut HeaderMap) -> bool {
    let Some(header) = current_trace_header() else { return false };
    inject_header(headers, &header);
    pass_on(&Span::current(), headers);
    true
}

/// Adds a trace header to a request: as `x-amzn-trace-id`, and as `traceparent` for services that read only
/// W3C's form. W3C has no form for a header without a parent; then `traceparent` is removed.
///
/// ```
/// use http::HeaderMap;
/// use xray_tracing_layer::sdk::TraceHeader;
///
/// let text = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
/// let header: TraceHeader = text.parse()?;
/// let mut headers = HeaderMap::new();
/// xray_tracing_layer::http::inject_header(&mut headers, &header);
/// assert_eq!(headers["traceparent"], "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01");
/// # Ok::<(), xray_tracing_layer::sdk::header::ParseHeaderError>(())
/// ```
pub fn inject_header(headers: &mut HeaderMap, header: &TraceHeader) {
    if let Some(value) = value_of(header) {
        headers.insert(X_AMZN_TRACE_ID, value);
    }
    match header.traceparent().map(|header| HeaderValue::from_str(header.as_str())) {
        Some(Ok(value)) => headers.insert(TRACEPARENT, value),
        _ => headers.remove(TRACEPARENT),
    };
}

/// Returns a trace header as the value of [`X_AMZN_TRACE_ID`].
pub(super) fn value_of(header: &TraceHeader) -> Option<HeaderValue> {
    if header.extras().is_empty() {
        let mut line = [0; TraceHeader::KNOWN_PARTS];
        return HeaderValue::from_bytes(header.put_known_parts(&mut line)).ok();
    }
    HeaderValue::try_from(header.to_string()).ok()
}

/// Returns the trace header of a request: `x-amzn-trace-id`, or `traceparent` if the former is absent or
/// invalid.
///
/// ```
/// use http::HeaderMap;
///
/// let mut headers = HeaderMap::new();
/// headers.insert("x-amzn-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793".parse()?);
/// let header = xray_tracing_layer::http::extract(&headers);
/// let root = header.map(|header| header.root().to_string());
/// assert_eq!(root.as_deref(), Some("1-5759e988-bd862e3fe1be46a994272793"));
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
#[must_use]
pub fn extract(headers: &HeaderMap) -> Option<TraceHeader> {
    let texts = |name| headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    let ours = texts(X_AMZN_TRACE_ID).find_map(|text| text.parse().ok());
    ours.or_else(|| texts(TRACEPARENT).find_map(|text| TraceHeader::from_traceparent(text).ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Pair = (&'static str, &'static str);

    fn headers(pairs: &[Pair]) -> HeaderMap {
        let pair =
            |(name, value): &Pair| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn the_first_header_that_can_be_read_counts() {
        const OURS: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
        const W3C: &str = "00-5759e988bd862e3fe1be46a994272793-00f067aa0ba902b7-00";
        let parent =
            |pairs| extract(&headers(pairs)).and_then(|header| header.parent()).map(|id| id.to_string());
        let cases: &[(&[Pair], Option<&str>)] = &[
            (&[], None),
            (&[("x-amzn-trace-id", OURS)], Some("53995c3f42cd8ad8")),
            (&[("traceparent", W3C)], Some("00f067aa0ba902b7")),
            (&[("traceparent", W3C), ("x-amzn-trace-id", OURS)], Some("53995c3f42cd8ad8")),
            (&[("x-amzn-trace-id", "nonsense"), ("traceparent", W3C)], Some("00f067aa0ba902b7")),
            (&[("x-amzn-trace-id", "nonsense"), ("traceparent", "nonsense")], None),
        ];
        for (pairs, expected) in cases {
            assert_eq!(parent(pairs).as_deref(), *expected, "{pairs:?}");
        }
    }

    #[test]
    fn a_value_is_the_header_as_it_is_displayed() {
        const ROOT: &str = "Root=1-5759e988-bd862e3fe1be46a994272793";
        for rest in [
            "",
            ";Sampled=1",
            ";Parent=53995c3f42cd8ad8",
            ";Parent=53995c3f42cd8ad8;Sampled=1",
            ";Parent=53995c3f42cd8ad8;Sampled=0",
            ";Parent=53995c3f42cd8ad8;Sampled=?",
            ";Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:1",
        ] {
            let header: TraceHeader = format!("{ROOT}{rest}").parse().unwrap();
            assert_eq!(value_of(&header).unwrap(), format!("{ROOT}{rest}"));
        }
    }

    #[test]
    fn a_header_goes_out_in_both_forms_or_in_none_that_is_stale() {
        let mut map = headers(&[("traceparent", "00-5759e988bd862e3fe1be46a994272793-00f067aa0ba902b7-00")]);
        let rooted: TraceHeader = "Root=1-5759e988-bd862e3fe1be46a994272793".parse().unwrap();
        inject_header(&mut map, &rooted);
        assert_eq!(map.get(X_AMZN_TRACE_ID).unwrap(), "Root=1-5759e988-bd862e3fe1be46a994272793");
        assert_eq!(map.get(TRACEPARENT), None);
        inject_header(
            &mut map,
            &rooted.with_parent(7.into()).with_sampled(xray_sdk::SamplingDecision::Sampled),
        );
        assert_eq!(map.get(TRACEPARENT).unwrap(), "00-5759e988bd862e3fe1be46a994272793-0000000000000007-01");
        assert!(!inject(&mut map), "no span is current");
    }
}
