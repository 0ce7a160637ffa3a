//! A trace put together, and a view of one span in it.
//!
//! The spans lie in one list in the order in which they are drawn, parents before their children: a chain of ten
//! thousand is a list, not a tower of calls. Nothing is computed here: the assembly makes traces, users and the
//! waterfall read them.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use serde_json::Value;

/// All that was received of one trace.
#[derive(Clone, Debug)]
pub struct Trace {
    pub(super) id: String,
    /// In drawing order.
    pub(super) spans: Vec<Span>,
}

/// A span's place and content. `children` and `parent` are positions in [`Trace::spans`].
#[derive(Clone, Debug)]
pub(super) struct Span {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) parent_id: Option<String>,
    pub(super) start: f64,
    pub(super) end: Option<f64>,
    pub(super) is_subsegment: bool,
    pub(super) json: Value,
    pub(super) depth: usize,
    pub(super) parent: Option<usize>,
    pub(super) children: Vec<usize>,
}

impl Trace {
    /// The trace's id: `1-66f1a2b3-0123456789abcdef01234567`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the spans without a parent here: the segment at the top, and all whose parent was not received. In order
    /// of their start.
    pub fn roots(&self) -> impl Iterator<Item = Node<'_>> {
        self.nodes().filter(|node| node.span().parent.is_none())
    }

    /// Every segment and subsegment, each before its children, these in order of their start.
    pub fn nodes(&self) -> impl Iterator<Item = Node<'_>> {
        (0..self.spans.len()).map(|index| Node { trace: self, index })
    }

    /// The first span of this name, in the order of [`nodes`](Self::nodes).
    ///
    /// A segment, which X-Ray names by its service, is found by the name of its root span as well, unless another
    /// span has that name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Node<'_>> {
        let operation =
            |node: &Node<'_>| node.json()["metadata"]["default"]["operation"].as_str() == Some(name);
        self.nodes().find(|node| node.name() == name).or_else(|| self.nodes().find(operation))
    }

    /// Segments and subsegments together.
    #[must_use]
    pub fn span_count(&self) -> usize {
        self.spans.len()
    }

    /// Returns the time when the first span started, in seconds since 1970.
    #[must_use]
    pub fn start(&self) -> f64 {
        self.spans.iter().map(|span| span.start).min_by(f64::total_cmp).unwrap_or_default()
    }

    /// Returns the time when the last span ended, in seconds since 1970. One in progress counts as ended at its start.
    #[must_use]
    pub fn end(&self) -> f64 {
        let ends = self.spans.iter().map(|span| span.end.unwrap_or(span.start).max(span.start));
        ends.max_by(f64::total_cmp).unwrap_or_default()
    }

    /// From the first start to the last end.
    #[must_use]
    pub fn duration(&self) -> Duration {
        Duration::try_from_secs_f64(self.end() - self.start()).unwrap_or_default()
    }

    /// The ids of parents that are named but were not received, in order, each once.
    #[must_use]
    pub fn missing_parents(&self) -> Vec<&str> {
        let missing = self.nodes().filter(Node::parent_missing).filter_map(|node| node.parent_id());
        missing.collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// A segment or subsegment within its [`Trace`].
#[derive(Clone, Copy)]
pub struct Node<'a> {
    trace: &'a Trace,
    index: usize,
}

impl<'a> Node<'a> {
    /// The name of the service, for a segment; of what was called, for a subsegment.
    #[must_use]
    pub fn name(&self) -> &'a str {
        &self.span().name
    }

    /// Its id, 16 hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> &'a str {
        &self.span().id
    }

    /// The id of its parent, received or not.
    #[must_use]
    pub fn parent_id(&self) -> Option<&'a str> {
        self.span().parent_id.as_deref()
    }

    /// Returns the span's start, in seconds since 1970.
    #[must_use]
    pub fn start(&self) -> f64 {
        self.span().start
    }

    /// Returns the span's end, in seconds since 1970; `None` while the span is in progress.
    #[must_use]
    pub fn end(&self) -> Option<f64> {
        self.span().end
    }

    /// From start to end; `None` while it is in progress.
    #[must_use]
    pub fn duration(&self) -> Option<Duration> {
        self.end().map(|end| Duration::try_from_secs_f64(end - self.start()).unwrap_or_default())
    }

    /// Returns whether the span is a subsegment, nested or sent on its own.
    #[must_use]
    pub fn is_subsegment(&self) -> bool {
        self.span().is_subsegment
    }

    /// Returns whether the span names a parent that was not received. That is no fault in itself: the parent may belong to a
    /// service that sends elsewhere, as in Lambda.
    #[must_use]
    pub fn parent_missing(&self) -> bool {
        self.span().parent_id.is_some() && self.span().parent.is_none()
    }

    /// Returns how many ancestors of the span were received.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.span().depth
    }

    /// Its parent, if that was received: possibly in another document, possibly another service's.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        self.span().parent.map(|index| Self { trace: self.trace, index })
    }

    /// Its children, in order of their start.
    pub fn children(&self) -> impl Iterator<Item = Self> {
        let trace = self.trace;
        self.span().children.iter().map(move |&index| Self { trace, index })
    }

    /// Its own JSON, without `subsegments`.
    #[must_use]
    pub fn json(&self) -> &'a Value {
        &self.span().json
    }

    /// Its position in [`Trace::nodes`].
    pub(super) fn index(&self) -> usize {
        self.index
    }

    fn span(&self) -> &'a Span {
        &self.trace.spans[self.index]
    }
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("name", &self.name()).field("id", &self.id()).finish_non_exhaustive()
    }
}
