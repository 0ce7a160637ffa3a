//! Facts of `GetTraceSummaries` about a trace, in neutral types.

use xray_sdk::TraceId;

use crate::model::{Length, NodeName, Time, TraceKey};

/// A page of summaries, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct SummaryPage {
    /// The summaries, at most as many as were asked for.
    pub summaries: Vec<Summary>,
    /// Start of the next page; `None` on the last page. Traces that arrive meanwhile don't shift it.
    pub next: Option<TraceKey>,
    /// Traces that were looked at for this page, matching or not.
    pub processed: u64,
    /// Start of the page's oldest trace, or of the range on an empty page (`ApproximateTime`).
    pub approximate: Time,
}

/// A trace in short.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The key in the store.
    pub key: TraceKey,
    /// The trace's id.
    pub id: TraceId,
    /// Earliest start of all segments.
    pub start: Time,
    /// From the earliest start to the latest end.
    pub duration: Length,
    /// From start to end of the root segment; `None` without a completed root segment.
    pub response: Option<Length>,
    /// The root segment has a 5xx.
    pub has_fault: bool,
    /// The root segment has a 4xx.
    pub has_error: bool,
    /// Any segment has a 429.
    pub has_throttle: bool,
    /// Any segment is in progress.
    pub is_partial: bool,
    /// HTTP data of the root segment.
    pub http: HttpSummary,
    /// Indexed annotations, keys in alphabetical order.
    pub annotations: Vec<AnnotationSummary>,
    /// Users in alphabetical order.
    pub users: Vec<UserSummary>,
    /// All nodes: services, inferred ones and the client.
    pub services: Vec<NodeName>,
    /// ARNs of resources in alphabetical order.
    pub resource_arns: Vec<String>,
    /// Ids of EC2 instances in alphabetical order.
    pub instance_ids: Vec<String>,
    /// Availability zones in alphabetical order.
    pub availability_zones: Vec<String>,
    /// The node of the root segment.
    pub entry_point: Option<NodeName>,
    /// Paths to faults.
    pub fault_causes: Vec<RootCause>,
    /// Paths to errors.
    pub error_causes: Vec<RootCause>,
    /// Paths to what took the time.
    pub response_time_causes: Vec<RootCause>,
    /// 1, and 1 more with each compilation.
    pub revision: i64,
    /// Time at which the trace was active in the range; only for [`RangeKind::Event`](crate::query::RangeKind::Event).
    pub matched_event_time: Option<Time>,
    /// Segments and subsegments, inferred ones not counted.
    pub spans: i64,
    /// Bytes of all documents.
    pub bytes: i64,
}

/// HTTP data of a root segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the members are those of `http` in documents")]
pub struct HttpSummary {
    pub url: Option<String>,
    pub status: Option<i64>,
    pub method: Option<String>,
    pub user_agent: Option<String>,
    pub client_ip: Option<String>,
}

/// The value of an annotation.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each variant is its own name")]
pub enum AnnotationValue {
    Bool(bool),
    Number(f64),
    String(String),
}

/// All values of one annotation key.
#[derive(Clone, Debug, PartialEq)]
pub struct AnnotationSummary {
    /// The key.
    pub key: String,
    /// Each value, and the services that set it.
    pub values: Vec<(AnnotationValue, Vec<NodeName>)>,
}

/// A user, and the services that named the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserSummary {
    /// The user's name.
    pub name: String,
    /// The services.
    pub services: Vec<NodeName>,
}

/// A path to what went wrong, or took the time, outermost service first.
#[derive(Clone, Debug, PartialEq)]
pub struct RootCause {
    /// The services of the path.
    pub services: Vec<CauseService>,
    /// True if the client felt it. Always true: the path begins at the root segment.
    pub client_impacting: bool,
}

/// A service on the path of a root cause.
#[derive(Clone, Debug, PartialEq)]
pub struct CauseService {
    /// The node. An empty type or account is absent.
    pub node: NodeName,
    /// True if its segment is inferred.
    pub inferred: bool,
    /// The segment, then the subsegments on the path.
    pub entities: Vec<CauseEntity>,
}

/// A segment or subsegment on the path of a root cause.
#[derive(Clone, Debug, PartialEq)]
pub struct CauseEntity {
    /// Its name.
    pub name: String,
    /// True if it calls another service.
    pub remote: bool,
    /// Its share of the root's time, from 0 to 1; only in root causes of response times.
    pub coverage: Option<f64>,
    /// Type and message of its exceptions; only in root causes of faults and errors.
    pub exceptions: Vec<(String, String)>,
}
