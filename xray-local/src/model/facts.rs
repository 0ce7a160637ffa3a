//! The facts of a compiled trace: what compilation finds and the store keeps in columns.
//!
//! [`ingest`](crate::ingest) makes a [`Compiled`] from all documents of a trace; [`store`](crate::store) writes its
//! parts into the tables of the same names. Columns and members mean the same; `store/file/schema.sql` documents both.
//! Names and other strings are borrowed from the documents.

use std::borrow::Cow;

use xray_sdk::TraceId;

use super::{Cause, Length, NodeRef, Time};

/// A trace, compiled from the documents that are there so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Compiled<'a> {
    /// Facts of trace level.
    pub trace: Trace,
    /// Segments and inferred segments. Other members refer to them by position.
    pub segments: Vec<Segment<'a>>,
    /// Calls between nodes, those of clients included. The store adds those of links, which need other traces.
    pub calls: Vec<Call<'a>>,
    /// Indexed annotations.
    pub annotations: Vec<Annotation<'a>>,
    /// Users.
    pub users: Vec<User<'a>>,
    /// Availability zones, instance ids, resource ARNs.
    pub places: Vec<Place<'a>>,
    /// Links to other traces.
    pub links: Vec<Link>,
    /// Root causes.
    pub causes: Vec<Cause<'a>>,
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Http<'a> {
    /// `response.status`.
    pub status: Option<i64>,
    /// `request.method`.
    pub method: Option<&'a str>,
    /// `request.url`.
    pub url: Option<&'a str>,
    /// `request.client_ip`.
    pub client_ip: Option<&'a str>,
    /// `request.user_agent`.
    pub agent: Option<&'a str>,
}

/// A compiled or inferred segment.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment<'a> {
    /// Its node.
    pub node: NodeRef<'a>,
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
    pub http: Http<'a>,
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
pub struct Call<'a> {
    /// Position of the calling segment; `None` for the [clients](NodeRef::clients) of the called one.
    pub caller: Option<usize>,
    /// Position of the called segment.
    pub callee: usize,
    /// Id of the caller's subsegment; of the root segment, for a client.
    pub span: u64,
    /// The caller's name for the callee, where it differs from the node's.
    pub alias: Option<&'a str>,
    /// Start.
    pub start: Time,
    /// End.
    pub end: Option<Time>,
    /// Its state.
    pub flags: Flags,
}

/// An annotation's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar<'a> {
    /// `true` or `false`.
    Boolean(bool),
    /// A number.
    Number(f64),
    /// A string.
    String(Cow<'a, str>),
}

/// An indexed annotation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Annotation<'a> {
    /// Its key.
    pub key: &'a str,
    /// Its value.
    pub value: &'a Scalar<'a>,
    /// Position of the segment that set it, in itself or in a subsegment.
    pub segment: usize,
}

/// A user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User<'a> {
    /// The name.
    pub name: &'a str,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// Kind of the value.
    pub kind: PlaceKind,
    /// The name.
    pub value: &'a str,
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
