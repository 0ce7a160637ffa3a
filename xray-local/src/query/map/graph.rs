//! The service map in neutral types: nodes, edges, statistics and histograms.

use crate::model::{EdgeKind, Length, NodeName, Time};

/// A map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// The nodes. A node's position is its `ReferenceId`.
    pub nodes: Vec<Node>,
    /// The earliest start of all nodes; `None` without nodes.
    pub start: Option<Time>,
    /// True if the group's expression changed within the range (`ContainsOldGroupVersions`).
    pub old_group_versions: bool,
}

/// A node of the map.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Name, type and account.
    pub name: NodeName,
    /// True if it served a root segment.
    pub root: bool,
    /// True if it sent segments itself (`State` is `active`); clients and inferred nodes are `unknown`.
    pub active: bool,
    /// Earliest start.
    pub start: Time,
    /// Latest end.
    pub end: Time,
    /// Connections to other nodes.
    pub edges: Vec<Edge>,
    /// Statistics of the served requests; `None` for a client.
    pub statistics: Option<Statistics>,
    /// Times until the response; empty for a client.
    pub responses: Histogram,
    /// Times until everything ended, asynchronous work included; empty for a client.
    pub durations: Histogram,
}

/// A connection between two nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// Position of the called node in [`Graph::nodes`].
    pub target: usize,
    /// A call or a link.
    pub kind: EdgeKind,
    /// Earliest start.
    pub start: Time,
    /// Latest end.
    pub end: Time,
    /// Statistics as the caller saw them.
    pub statistics: Statistics,
    /// Times until the response as the caller saw them; empty for a link.
    pub responses: Histogram,
    /// Ages of received events; only for a link.
    pub ages: Histogram,
    /// Names that callers use for the node, where they differ from its own.
    pub aliases: Vec<String>,
}

/// Completed requests, each counted in one class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Without error, throttle and fault.
    pub ok: u64,
    /// 4xx, but for throttles.
    pub error: u64,
    /// 429.
    pub throttle: u64,
    /// 5xx.
    pub fault: u64,
    /// Sum of the response times.
    pub total_time: Length,
}

impl Statistics {
    /// All completed requests.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.ok + self.error + self.throttle + self.fault
    }

    /// The mean response time, in seconds; `None` without a request.
    #[must_use]
    pub fn mean_seconds(&self) -> Option<f64> {
        (self.total() > 0).then(|| self.total_time.seconds() / self.total() as f64)
    }
}

/// Counts of times, in whole milliseconds, ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// A time in milliseconds, and how many had it.
    pub counts: Vec<(i64, u64)>,
}

impl Histogram {
    /// Counts all times.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().map(|(_, count)| count).sum()
    }

    /// The time in milliseconds that a share of the counts, from 0 to 1, does not exceed; `None` when empty.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<i64> {
        let rank = (share.clamp(0.0, 1.0) * self.total() as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        self.counts
            .iter()
            .find(|(_, count)| {
                seen += count;
                seen >= rank
            })
            .map(|(milliseconds, _)| *milliseconds)
    }
}
