//! Links from a batch to the traces of its senders, for the events of `aws_lambda_events`.
//!
//! ```
//! use aws_lambda_events::sqs::SqsEvent;
//! use xray_tracing_layer::lambda_events::link_senders;
//!
//! #[tracing::instrument(skip_all)]
//! async fn handle(event: SqsEvent) {
//!     link_senders(&event);
//! }
//! ```
//!
//! | event | where the header is |
//! |---|---|
//! | `SqsEvent`, `SqsEventObj`, `SqsMessage`, `SqsMessageObj` | the system attribute `AWSTraceHeader`; else a message attribute |
//! | `SnsEvent`, `SnsEventObj`, `SnsRecord`, `SnsRecordObj` | a message attribute, that the publisher has put there |
//! | `EventBridgeEvent` | a member of `detail`, that the publisher has put there |
//! | `serde_json::Value` | any of these; else a member of the event, of its `input` or of `Execution.Input`, as Step Functions passes them |
//!
//! Message attributes and members are found by these names, without regard to case, `-` and `_`:
//! `AWSTraceHeader`, `TraceHeader`, `X-Amzn-Trace-Id`, `traceparent`.
//!
//! SNS, EventBridge and Step Functions pass their own header on to a Lambda function they invoke, beside the event. The
//! function is in the sender's trace then, and needs no link.

use std::collections::HashMap;

use aws_lambda_events::eventbridge::EventBridgeEvent;
use aws_lambda_events::sns::{MessageAttribute, SnsEvent, SnsEventObj, SnsRecord, SnsRecordObj};
use aws_lambda_events::sqs::{SqsEvent, SqsEventObj, SqsMessage, SqsMessageAttribute, SqsMessageObj};
use serde_core::Serialize;
use serde_core::de::DeserializeOwned;
use serde_json::Value;
use tracing::Span;
use xray_sdk::document::Links;
use xray_sdk::{SamplingDecision, TraceHeader, sqs};

use crate::span_ext::XraySpanExt;

/// Links the current span to the (sub)segments that have sent an event. Returns the number of links.
///
/// Senders whose trace is not recorded, and those of the current trace, are ignored. X-Ray accepts links to 20
/// traces, and 100 links.
pub fn link_senders(event: &impl Senders) -> usize {
    let span = Span::current();
    let own = span.trace_header().map(|header| header.root());
    let mut links = Links::new();
    for header in event.trace_headers() {
        if header.sampled() == SamplingDecision::Sampled && Some(header.root()) != own {
            links.add(&header);
        }
    }
    span.set_links(&links);
    links.len()
}

/// Events that carry the trace headers of their senders.
pub trait Senders {
    /// Returns the headers that can be read, in the order of the records.
    ///
    /// To continue the trace of a single sender outside of Lambda, put the first one into the field
    /// `xray.trace_header` of a span without a parent.
    fn trace_headers(&self) -> Vec<TraceHeader>;
}

macro_rules! batches {
    ($($event:ident $(<$type:ident>)?),*) => {$(
        impl$(<$type: Serialize>)? Senders for $event$(<$type>)? {
            fn trace_headers(&self) -> Vec<TraceHeader> {
                self.records.iter().flat_map(Senders::trace_headers).collect()
            }
        }
    )*};
}

batches!(SqsEvent, SqsEventObj<T>, SnsEvent, SnsEventObj<T>);

impl Senders for SqsMessage {
    fn trace_headers(&self) -> Vec<TraceHeader> {
        of_message(&self.attributes, &self.message_attributes)
    }
}

impl<T: Serialize> Senders for SqsMessageObj<T> {
    fn trace_headers(&self) -> Vec<TraceHeader> {
        of_message(&self.attributes, &self.message_attributes)
    }
}

impl Senders for SnsRecord {
    fn trace_headers(&self) -> Vec<TraceHeader> {
        of_attributes(&self.sns.message_attributes)
    }
}

impl<T: Serialize> Senders for SnsRecordObj<T> {
    fn trace_headers(&self) -> Vec<TraceHeader> {
        of_attributes(&self.sns.message_attributes)
    }
}

impl<T: Serialize + DeserializeOwned> Senders for EventBridgeEvent<T> {
    fn trace_headers(&self) -> Vec<TraceHeader> {
        let detail = serde_json::to_value(&self.detail).unwrap_or_default();
        of_members(&detail).into_iter().collect()
    }
}

impl Senders for Value {
    fn trace_headers(&self) -> Vec<TraceHeader> {
        if let Some(Self::Array(records)) = self.get("Records") {
            return records.iter().filter_map(of_record).collect();
        }
        PLACES.iter().find_map(|place| of_members(self.pointer(place)?)).into_iter().collect()
    }
}

/// Places, as JSON pointers, at which an event of one sender has members that a person chooses.
const PLACES: &[&str] = &["", "/detail", "/input", "/Input", "/Execution/Input"];

fn of_message(
    system: &HashMap<String, String>,
    own: &HashMap<String, SqsMessageAttribute>,
) -> Vec<TraceHeader> {
    let by_sender =
        || own.iter().find_map(|(name, attribute)| read(name, attribute.string_value.as_deref()?));
    sqs::header(system).or_else(by_sender).into_iter().collect()
}

fn of_attributes(attributes: &HashMap<String, MessageAttribute>) -> Vec<TraceHeader> {
    attributes.iter().find_map(|(name, attribute)| read(name, &attribute.value)).into_iter().collect()
}

/// Returns the header of a record of SQS or SNS.
fn of_record(record: &Value) -> Option<TraceHeader> {
    let system = record.get("attributes").and_then(of_members);
    let of_own = |attributes: &Value| {
        let mut attributes = attributes.as_object()?.iter();
        attributes.find_map(|(name, attribute)| {
            let value = attribute.get("stringValue").or_else(|| attribute.get("Value"))?;
            read(name, value.as_str()?)
        })
    };
    system
        .or_else(|| of_own(record.get("messageAttributes")?))
        .or_else(|| of_own(record.pointer("/Sns/MessageAttributes")?))
}

fn of_members(value: &Value) -> Option<TraceHeader> {
    value.as_object()?.iter().find_map(|(name, value)| read(name, value.as_str()?))
}

/// Reads a header, if it has the name of one.
fn read(name: &str, value: &str) -> Option<TraceHeader> {
    let is = |known: &str| {
        let name = name.bytes().filter(|byte| !matches!(byte, b'-' | b'_'));
        name.map(|byte| byte.to_ascii_lowercase()).eq(known.bytes())
    };
    if ["awstraceheader", "traceheader", "xamzntraceid"].into_iter().any(is) {
        return value.parse().ok();
    }
    if is("traceparent") { TraceHeader::from_traceparent(value).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const OURS: &str = "Root=1-66f1a2b3-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled=1";
    const W3C: &str = "00-66f1a2b30123456789abcdef01234567-00f067aa0ba902b7-01";

    fn parents(event: &impl Senders) -> Vec<String> {
        event.trace_headers().iter().map(|header| header.parent().unwrap().to_string()).collect()
    }

    #[test]
    fn json_of_any_service_is_searched_where_its_header_is() {
        let (ours, w3c) = ("53995c3f42cd8ad8", "00f067aa0ba902b7");
        for (event, expected) in [
            (json!({}), &[][..]),
            (json!([1]), &[]),
            (json!({"TraceHeader": 7, "traceparent": "nonsense"}), &[]),
            (json!({"TraceHeader": OURS}), &[ours]),
            (json!({"x-amzn-trace-id": OURS}), &[ours]),
            (json!({"_X_AMZN_TRACE_ID": OURS}), &[ours]),
            (json!({"trace_header": OURS}), &[ours]),
            (json!({"detail-type": "x", "detail": {"traceparent": W3C}}), &[w3c]),
            (json!({"Execution": {"Id": "e", "Input": {"traceHeader": OURS}}}), &[ours]),
            (json!({"input": {"traceHeader": OURS}}), &[ours]),
            (json!({"deep": {"TraceHeader": OURS}}), &[]),
            (json!({"Records": [{"body": OURS}, {"attributes": {"AWSTraceHeader": OURS}}]}), &[ours]),
            (json!({"Records": [{"messageAttributes": {"traceparent": {"stringValue": W3C}}}]}), &[w3c]),
            (json!({"Records": [{"Sns": {"MessageAttributes": {"traceparent": {"Value": W3C}}}}]}), &[w3c]),
            (json!({"Records": [{}, null, 7]}), &[]),
        ] {
            assert_eq!(parents(&event), expected, "{event}");
        }
    }
}
