//! The trace header among HTTP's headers, in X-Ray's form and in W3C's. No span is known here but the one that
//! [`inject`] asks for its header.

use ::http::{HeaderMap, HeaderName, HeaderValue};
use xray_sdk::TraceHeader;

use crate::span_ext::current_trace_header;

/// X-Ray's header.
pub const X_AMZN_TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");

/// W3C Trace Context's header.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Puts the current span's trace header among a request's headers, in both forms, in place of any that is there.
/// `false`, and nothing is put, where no span is current that the layer knows of.
///
/// The span is the caller to whoever gets the request. To have the call in the trace as well, with its time and
/// its status, it needs a span of its own: see the clients in [`http`](crate::http).
pub fn inject(headers: &mut HeaderMap) -> bool {
    let header = current_trace_header();
    header.inspect(|header| inject_header(headers, header)).is_some()
}

/// Puts a trace header among a request's headers: as `x-amzn-trace-id`, and as `traceparent` for whoever speaks
/// only W3C's form, unless it names no parent, for which W3C has no form.
pub fn inject_header(headers: &mut HeaderMap, header: &TraceHeader) {
    if let Ok(value) = HeaderValue::try_from(header.to_string()) {
        headers.insert(X_AMZN_TRACE_ID, value);
    }
    match header.traceparent().map(|header| HeaderValue::from_str(header.as_str())) {
        Some(Ok(value)) => headers.insert(TRACEPARENT, value),
        _ => headers.remove(TRACEPARENT),
    };
}

/// Reads the trace header of a request: `x-amzn-trace-id`, or `traceparent` if there is none that can be read.
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
