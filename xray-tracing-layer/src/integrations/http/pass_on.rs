//! W3C's `tracestate` and `baggage`: from a served request to the requests that are made while it is served.

use ::http::{HeaderMap, HeaderName, HeaderValue};
use tracing::Span;
use xray_sdk::TraceHeader;
use xray_sdk::header::Traceparent;

use super::baggage::value_of;
use crate::layer::carried::{Carried, carried, carry as store, count_dropped};
use crate::layer::headers::record_baggage;

/// Makes the calls inside of a span pass on what a received request carries: `tracestate` and W3C's `baggage`.
///
/// Keys of the baggage that [`Builder::annotate_baggage`](crate::Builder::annotate_baggage) names become annotations.
/// [`XrayHttpLayer`](crate::XrayHttpLayer) does that by itself. This function is for servers without it. The clients
/// of [`http`](crate::http) and [`inject`](crate::http::inject) add the headers, unless a request has its own.
///
/// A `tracestate` belongs to a `traceparent`, and counts only with a valid one. A header that is no text, a
/// `tracestate` of more than 1,024 bytes and a `baggage` of more than 8,192 bytes are not passed on, which is counted in
/// [`Stats::headers_dropped`](crate::Stats::headers_dropped).
///
/// ```
/// use http::HeaderMap;
/// use tracing::info_span;
///
/// let mut headers = HeaderMap::new(); // of the received request
/// headers.insert("baggage", http::HeaderValue::from_static("tenant=blue"));
/// let span = info_span!("request");
/// xray_tracing_layer::http::carry(&span, &headers);
/// ```
pub fn carry(span: &Span, headers: &HeaderMap) {
    if !headers.contains_key(BAGGAGE) && !headers.contains_key(TRACESTATE) {
        return;
    }
    let read = |name, max| match joined(headers, name) {
        Ok(text) => text.filter(|text| {
            let fits = text.len() <= max;
            if !fits {
                count_dropped(span);
            }
            fits
        }),
        Err(Unreadable) => {
            count_dropped(span);
            None
        }
    };
    let parent = headers.get(TRACEPARENT).and_then(|value| value.to_str().ok());
    let has_parent = parent.is_some_and(|text| TraceHeader::from_traceparent(text).is_ok());
    let tracestate = if has_parent { read(TRACESTATE, MAX_TRACESTATE) } else { None };
    let baggage = read(BAGGAGE, MAX_BAGGAGE);
    if let Some(baggage) = &baggage {
        record_baggage(span, |key| value_of(baggage, key));
    }
    store(span, Carried { tracestate: tracestate.map(Into::into), baggage: baggage.map(Into::into) });
}

/// Adds to a request what the nearest span has to pass on. A `tracestate` goes out only beside a `traceparent`.
pub(super) fn pass_on(span: &Span, headers: &mut HeaderMap) {
    let Some(carried) = carried(span) else { return };
    add(headers, BAGGAGE, carried.baggage.as_deref());
    if headers.contains_key(TRACEPARENT) {
        add(headers, TRACESTATE, carried.tracestate.as_deref());
    }
}

fn add(headers: &mut HeaderMap, name: HeaderName, text: Option<&str>) {
    if let Some(Ok(value)) = text.map(HeaderValue::from_str)
        && !headers.contains_key(&name)
    {
        headers.insert(name, value);
    }
}

/// A header with bytes that are no text.
#[derive(Debug)]
pub(super) struct Unreadable;

/// Returns all values of a header as one list, as both W3C headers and RFC 9110 have them.
pub(super) fn joined(headers: &HeaderMap, name: HeaderName) -> Result<Option<String>, Unreadable> {
    let mut all = String::new();
    for value in headers.get_all(name) {
        let text = value.to_str().map_err(|_| Unreadable)?.trim_ascii();
        if !all.is_empty() && !text.is_empty() {
            all.push(',');
        }
        all.push_str(text);
    }
    Ok((!all.is_empty()).then_some(all))
}

const BAGGAGE: HeaderName = HeaderName::from_static("baggage");
const TRACEPARENT: HeaderName = HeaderName::from_static(Traceparent::NAME);
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Bytes of a `tracestate`: twice what the recommendation asks to propagate (W3C Trace Context, 3.3.1.5: 512).
const MAX_TRACESTATE: usize = 1024;

/// Bytes of a `baggage` (W3C Baggage, limits: 8192).
const MAX_BAGGAGE: usize = 8192;
