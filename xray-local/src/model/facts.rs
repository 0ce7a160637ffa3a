//! The facts of a compiled trace: what compilation finds and the store keeps in columns.
//!
//! [`ingest`](crate::ingest) makes a [`Compiled`] from all documents of a trace; [`store`](crate::store) writes its
//! parts into the tables of the same names. Columns and members mean the same; `store/file/schema.sql` documents both.

use xray_sdk::TraceId;

use super::{Cause, Length, NodeName, Time};

/// A trace, compiled from the documents that are there so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Compiled {
    /// Facts of trace level.
    pub trace: Trace,
    /// Segments and inferred segments. Other members refer to them by position.
    pub segments: Vec<Segment>,
    /// Calls between nodes, those of clients included. The store adds those of links, which need other traces.
    pub calls: Vec<Call>,
    /// Indexed annotations.
    pub annotations: Vec<Annotation>,
    /// Users.
    pub users: Vec<User>,
    /// Availability zones, instance ids, resource ARNs.
    pub places: Vec<Place>,
    /// Links to other traces.
    pub links: Vec<Link>,
    /// Root causes.
    pub causes: Vec<Cause>,
}

/// Facts of trace level.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// Its id.
    pub id: TraceId,
    /// Earliest start of all segments.
    pub start: Time,
    /// Latest end; a segment in progress counts as ended when it started.
    pub end: Time,
    /// The root segment's time from start to end; `None` without a completed root.
    pub response: Option<Length>,
    /// Flags of the root segment; `partial` and `inferred` are set if any segment has them.
    pub flags: Flags,
    /// True if any segment was throttled.
    pub throttled: bool,
    /// Position of the root segment.
    pub root: Option<usize>,
    /// Segments and subsegments together, without inferred ones.
    pub spans: usize,
}

/// The state of a trace, a segment or a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// Completed, without error and fault.
    pub ok: bool,
    /// A 4xx, throttling included.
    pub error: bool,
    /// A 429.
    pub throttle: bool,
    /// A 5xx.
    pub fault: bool,
    /// In progress.
    pub partial: bool,
    /// Made from the caller's view.
    pub inferred: bool,
}

/// Kept part of an `http` block.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Http {
    /// `response.status`.
    pub status: Option<i64>,
    /// `request.method`.
    pub method: Option<String>,
    /// `request.url`.
    pub url: Option<String>,
    /// `request.client_ip`.
    pub client_ip: Option<String>,
    /// `request.user_agent`.
    pub agent: Option<String>,
}

/// A compiled or inferred segment.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// Its node.
    pub node: NodeName,
    /// Its id's 64 bits.
    pub id: u64,
    /// Start.
    pub start: Time,
    /// End.
    pub end: Option<Time>,
    /// To the last end of what is in it, asynchronous subsegments included.
    pub duration: Option<Length>,
    /// Its state.
    pub flags: Flags,
    /// True if it has no parent.
    pub root: bool,
    /// Its `http` block.
    pub http: Http,
}

/// Meaning of an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EdgeKind {
    /// A call.
    Call = 0,
    /// A link: from the queue that an event came through to the segment that received the event.
    Link = 1,
}

/// One call from one node to another, as the caller saw it.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The calling node; of type `client` for callers of root segments.
    pub source: NodeName,
    /// The called node.
    pub target: NodeName,
    /// Call or link.
    pub kind: EdgeKind,
    /// Position of the calling segment; `None` for a client.
    pub caller: Option<usize>,
    /// Position of the called segment.
    pub callee: Option<usize>,
    /// Id of the caller's subsegment; of the root segment, for a client.
    pub span: u64,
    /// The caller's name for the callee, where it differs from the node's.
    pub alias: Option<String>,
    /// Start.
    pub start: Time,
    /// End.
    pub end: Option<Time>,
    /// Links only: age of the event when it was received.
    pub age: Option<Length>,
    /// Its state.
    pub flags: Flags,
}

/// An indexed annotation.
#[derive(Clone, Debug, PartialEq)]
pub struct Annotation {
    /// Its key.
    pub key: String,
    /// Its value: a boolean, a number or a string.
    pub value: serde_json::Value,
    /// Position of the segment that set it, in itself or in a subsegment.
    pub segment: usize,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    /// Position of the segment that set it.
    pub segment: usize,
}

/// Kind of a [`Place`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PlaceKind {
    /// An availability zone.
    Zone = 0,
    /// An EC2 instance id.
    Instance = 1,
    /// A resource ARN.
    Resource = 2,
}

/// Zone, instance or resource in which a segment ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Kind of the value.
    pub kind: PlaceKind,
    /// The name.
    pub value: String,
    /// Position of the segment.
    pub segment: usize,
}

/// A link to another trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Position of the segment.
    pub segment: usize,
    /// Id of the segment or subsegment with the link.
    pub span: u64,
    /// The other trace.
    pub trace: TraceId,
    /// The segment or subsegment in the other trace.
    pub other: u64,
}
