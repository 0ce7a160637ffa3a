//! One invocation: its event, its ids, and the trace header that Lambda gives it.

use std::time::{Duration, SystemTime};

use serde_json::Value;
use xray_sdk::{SegmentId, TraceId};

/// What Lambda says of the trace that an invocation belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tracing {
    /// Active tracing, and this invocation is recorded.
    Active,
    /// Active tracing, and this one is not recorded.
    Unsampled,
    /// No active tracing, and the caller decided nothing: the header names a trace only.
    PassThrough,
    /// No header at all.
    Off,
}

#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) request_id: String,
    pub(crate) tracing: Tracing,
    pub(crate) trace_id: TraceId,
    /// The segment of Lambda, the service.
    pub(crate) service: SegmentId,
    /// The function's segment, below the former.
    pub(crate) function: SegmentId,
    pub(crate) function_arn: String,
    /// The time that the function has for it.
    pub(crate) timeout: Duration,
    pub(crate) payload: Value,
}

impl Event {
    pub(crate) fn new(tracing: Tracing, payload: Value, name: &str, timeout: Duration) -> Self {
        let (function, random) = (SegmentId::random(), SegmentId::random());
        let request_id = format!("00000000-0000-4000-8000-{}", &random.to_string()[4..]);
        let function_arn = format!("arn:aws:lambda:eu-central-1:123456789012:function:{name}");
        let (trace_id, service) = (TraceId::new(), random);
        Self { request_id, tracing, trace_id, service, function, function_arn, timeout, payload }
    }

    /// The header, as Lambda sends it.
    pub(crate) fn header(&self) -> Option<String> {
        let (root, parent) = (self.trace_id, self.function);
        match self.tracing {
            Tracing::Active => Some(format!("Root={root};Parent={parent};Sampled=1;Lineage=1:5cc8b1ed:0")),
            Tracing::Unsampled => Some(format!("Root={root};Parent={parent};Sampled=0;Lineage=1:5cc8b1ed:0")),
            Tracing::PassThrough => Some(format!("Root={root};Lineage=1:5cc8b1ed:0")),
            Tracing::Off => None,
        }
    }

    /// When its time is up, if it is handed over now: in milliseconds since 1970.
    pub(crate) fn deadline_ms(&self) -> u128 {
        (Duration::from_secs_f64(now()) + self.timeout).as_millis()
    }

    /// Lambda's own two segments, as documents.
    pub(crate) fn segments(&self, name: &str, start: f64, end: f64, failed: bool) -> [Value; 2] {
        let segment = |id: SegmentId, parent: Option<SegmentId>, origin: &str| {
            let mut document = serde_json::json!({
                "id": id.to_string(),
                "trace_id": self.trace_id.to_string(),
                "name": name,
                "start_time": start,
                "end_time": end,
                "origin": origin,
                "aws": {"request_id": self.request_id, "xray": {"sdk": "Lambda"}},
            });
            if let Some(parent) = parent {
                document["parent_id"] = parent.to_string().into();
            }
            if failed {
                document["fault"] = true.into();
                document["http"] = serde_json::json!({"response": {"status": 502}});
            }
            document
        };
        [
            segment(self.service, None, "AWS::Lambda"),
            segment(self.function, Some(self.service), "AWS::Lambda::Function"),
        ]
    }
}

/// The time in seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "this stands in for Lambda")]
pub(crate) fn now() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
