//! Traces that go through SQS.
//!
//! A sender puts its trace header into the system attribute `AWSTraceHeader` of each message (X-Ray developer
//! guide, Amazon SQS); it counts neither as a message attribute nor towards the size. A receiver has to ask for
//! it, with `MessageSystemAttributeNames`, and either goes on in the trace of one message or links those of a
//! batch. In Lambda the service links a batch to the function by itself.
//!
//! ```
//! use std::collections::HashMap;
//! use xray_sdk::{TraceHeader, sqs};
//!
//! // The sender: what its client takes as the message's system attributes.
//! let text = "Root=1-66f1a2b3-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled=1";
//! let header: TraceHeader = text.parse()?;
//! let mut message = HashMap::new();
//! sqs::put_header(&mut message, &header);
//!
//! // The receiver of one message, and of many.
//! assert_eq!(sqs::header(&message), Some(header));
//! assert_eq!(sqs::links([&message, &message]).len(), 1);
//! # Ok::<(), xray_sdk::header::ParseHeaderError>(())
//! ```

use crate::header::{Carrier, SamplingDecision, TraceHeader};
use crate::segment::Links;

/// The message system attribute that carries the trace header. Of the type `String`.
pub const ATTRIBUTE: &str = "AWSTraceHeader";

/// Returns a message's trace header, or `None` if there is none or it is invalid.
///
/// To go on in it, make a span with the field `xray.trace_header`, or a
/// [`Segment::continued`](crate::document::Segment::continued).
#[must_use]
pub fn header(message: &impl Carrier) -> Option<TraceHeader> {
    message.value(ATTRIBUTE)?.parse().ok()
}

/// Returns whether the sender of a message recorded its trace.
#[must_use]
pub fn is_sampled(message: &impl Carrier) -> bool {
    header(message).is_some_and(|header| header.sampled() == SamplingDecision::Sampled)
}

/// Puts a trace header into a message: that of the span that sends it.
pub fn put_header(message: &mut impl Carrier, header: &TraceHeader) {
    message.put(ATTRIBUTE, header.to_string());
}

/// Returns links to the senders of a batch, as many as X-Ray accepts. Senders whose trace isn't recorded are ignored:
/// there is nothing to link.
pub fn links<'a, M: Carrier + 'a>(messages: impl IntoIterator<Item = &'a M>) -> Links {
    let mut links = Links::new();
    for message in messages {
        if let Some(header) = header(message).filter(|header| header.sampled() == SamplingDecision::Sampled) {
            links.add(&header);
        }
    }
    links
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::document::internal::Body;

    fn message(trace: usize, parent: usize, sampled: u8) -> BTreeMap<String, String> {
        let header = format!("Root=1-66f1a2b3-{trace:024x};Parent={parent:016x};Sampled={sampled}");
        BTreeMap::from([(ATTRIBUTE.to_owned(), header)])
    }

    fn json(links: &Links) -> serde_json::Value {
        let mut body = Body::new();
        links.put(&mut body);
        let mut segment = crate::document::Segment::begin("queue", crate::TraceId::new());
        segment.set_links(links);
        let emitter = Keep::default();
        segment.emit(&emitter).unwrap();
        serde_json::from_slice(&emitter.0.into_inner().unwrap()).unwrap()
    }

    #[derive(Default)]
    struct Keep(std::sync::Mutex<Vec<u8>>);

    impl crate::Emitter for Keep {
        fn emit(&self, packet: &crate::Packet) -> Result<(), crate::EmitError> {
            *self.0.lock().unwrap() = packet.document().to_vec();
            Ok(())
        }
    }

    #[test]
    fn a_batch_links_each_recorded_sender_once() {
        let batch = [message(1, 1, 1), message(1, 1, 1), message(1, 2, 1), message(2, 3, 0), BTreeMap::new()];
        let links = links(&batch);
        assert_eq!((links.len(), links.left_out()), (2, 0));
        assert_eq!(
            json(&links)["links"],
            serde_json::json!([
                {"trace_id": "1-66f1a2b3-000000000000000000000001", "id": "0000000000000001"},
                {"trace_id": "1-66f1a2b3-000000000000000000000001", "id": "0000000000000002"},
            ])
        );
    }

    #[test]
    fn links_stay_within_the_services_limits() {
        let traces: Vec<_> = (1..=25).map(|trace| message(trace, trace, 1)).collect();
        let of_traces = links(&traces);
        assert_eq!((of_traces.len(), of_traces.left_out()), (Links::MAX_TRACES, 5));
        let one_trace: Vec<_> = (1..=130).map(|parent| message(1, parent, 1)).collect();
        let of_one = links(&one_trace);
        assert_eq!((of_one.len(), of_one.left_out()), (Links::MAX_LINKS, 30));
        assert_eq!(json(&of_one)["links"].as_array().map(Vec::len), Some(100));
    }

    #[test]
    fn a_header_without_a_sender_links_nothing() {
        let mut attributes = BTreeMap::new();
        attributes.put(ATTRIBUTE, "Root=1-66f1a2b3-0123456789abcdef01234567;Sampled=1".to_owned());
        assert!(is_sampled(&attributes) && links([&attributes]).is_empty());
        assert!(json(&Links::new()).get("links").is_none());
    }
}
