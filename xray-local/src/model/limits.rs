//! Numbers that no source states, and the limits that X-Ray publishes.
//!
//! A constant with the comment "chosen, not known" is a decision of this crate: the service has such a number, but
//! no public page says which. `docs/local.md` lists the same names. The others name their source.

// ------------------------------------------------------------------ chosen, not known

/// Traces on one page of `GetTraceSummaries`. Chosen, not known.
pub const SUMMARIES_PAGE: usize = 100;

/// Longest time range of `GetTraceSummaries`, in seconds. Chosen, not known.
pub const SUMMARIES_WINDOW_SECONDS: i64 = 24 * 3_600;

/// Traces that `GetTraceSummaries` looks at with the sampling strategy `PartialScan`. Chosen, not known.
pub const PARTIAL_SCAN_TRACES: usize = 10_000;

/// Standard deviations on either side of the mean of a forecast. Chosen, not known.
pub const FORECAST_DEVIATIONS: f64 = 3.0;

/// Nodes on one page of a graph. Chosen, not known.
pub const GRAPH_PAGE: usize = 1_000;

/// Distinct milliseconds that a histogram lists one by one; above, values have two significant digits. Chosen, not
/// known.
pub const EXACT_HISTOGRAM_VALUES: usize = 200;

/// Least share of the root's time at which a path of response-time root causes goes on. Chosen, not known.
pub const ROOT_CAUSE_COVERAGE: f64 = 0.5;

/// Characters of a filter expression. Chosen, not known.
pub const FILTER_CHARACTERS: usize = 2_000;

/// Depth of parentheses and braces in a filter expression. Chosen, not known.
pub const FILTER_DEPTH: usize = 32;

/// Conditions in a filter expression. Chosen, not known.
pub const FILTER_PREDICATES: usize = 200;

/// A trace id's second may lie this long before its first segment's start; beyond, the id is taken for one of
/// W3C's, which holds no time. Chosen, not known; 30 days are how long X-Ray keeps traces.
pub const ID_BEFORE_START_SECONDS: i64 = 30 * 86_400;

/// Likewise, how long after the start. Chosen, not known.
pub const ID_AFTER_START_SECONDS: i64 = 86_400;

/// Bytes of one document: "64 KB" is published, 64,000 or 65,536 is not. Chosen, not known: the larger one, so that
/// nothing is refused here that X-Ray may take.
pub const DOCUMENT_BYTES: usize = 65_536;

/// Levels of objects and arrays of one document: what the parser of JSON reads. Chosen, not known.
pub const DOCUMENT_DEPTH: usize = 127;

/// Bytes of a request's body. Chosen, not known: 50 documents of [`DOCUMENT_BYTES`] and their escapes.
pub const REQUEST_BYTES: usize = 6 * 1024 * 1024;

/// Bytes of one trace's documents: X-Ray publishes "100 to 500 KB". Chosen, not known: the upper end.
pub const TRACE_BYTES: usize = 500_000;

/// Groups, rules, policies and tags on one page of their lists. Chosen, not known; more than the rules that an account
/// can have, since the official SDKs read only the first page of those.
pub const LIST_PAGE: usize = 50;

/// Windows on one page of `GetSamplingStatisticSummaries`. Chosen, not known.
pub const STATISTICS_PAGE: usize = 100;

/// Seconds for which windows of sampling statistics are kept. Chosen, not known.
pub const STATISTICS_SECONDS: i64 = 24 * 3_600;

/// Age in seconds at which a sampling report is not counted any more. Chosen, not known.
pub const STATISTICS_TOO_OLD_SECONDS: i64 = 600;

/// Seconds for which a client's part of a reservoir holds. Chosen, not known: the developer guide's example shows five
/// minutes. Half a minute is enough for clients that ask every ten seconds, and a program that is started anew gets its
/// part soon.
pub const QUOTA_SECONDS: i64 = 30;

/// Clients that are remembered of one sampling rule. Chosen, not known.
pub const SAMPLING_CLIENTS: usize = 10_000;

/// Codes in `UnprocessedStatistics`: the rule does not exist, the report is too old. Chosen, not known.
pub const UNPROCESSED_STATISTICS: (&str, &str) = ("InvalidSamplingRule", "StatisticsTooOld");

/// Periods on one page of `GetTimeSeriesServiceStatistics`. Chosen, not known.
pub const SERIES_PAGE: usize = 1_000;

/// Seconds of a period that the request does not state. Chosen, not known: what Grafana's data source asks for.
pub const SERIES_PERIOD_SECONDS: i64 = 60;

/// Seconds for which a retrieval's token is good. Chosen, not known.
pub const RETRIEVAL_SECONDS: i64 = 3_600;

/// Telemetry records that are kept. Chosen, not known.
pub const TELEMETRY_RECORDS: i64 = 10_000;

/// Decisions of access control that are kept. Chosen, not known.
pub const DECISIONS: i64 = 10_000;

// ------------------------------------------------------------------ published

/// Documents of one `PutTraceSegments` (message of the service: "Exceeding maximum segment count: 50").
pub const DOCUMENTS_PER_REQUEST: usize = 50;

/// Trace ids of one `BatchGetTraces` or `GetTraceGraph` (API reference: 1 to 5).
pub const TRACE_IDS_PER_REQUEST: usize = 5;

/// Longest time range of `GetServiceGraph` (message of the service: "Time range cannot be longer than 6 hours").
pub const GRAPH_WINDOW_SECONDS: i64 = 6 * 3_600;

/// Indexed annotation keys of a trace (X-Ray quotas).
pub const ANNOTATION_KEYS: usize = 50;

/// Custom sampling rules (X-Ray quotas).
pub const SAMPLING_RULES: usize = 25;

/// Groups (X-Ray quotas).
pub const GROUPS: usize = 25;

/// Resource policies, and bytes of each (X-Ray quotas).
pub const RESOURCE_POLICIES: (usize, usize) = (5, 5_120);

/// Traces on one page of a retrieval (API reference: 0 to 5).
pub const RETRIEVAL_PAGE: usize = 5;

/// Seconds of a window of sampling statistics (API reference).
pub const STATISTICS_WINDOW_SECONDS: i64 = 10;

/// Seconds after which clients ask for targets again (developer guide, example of `GetSamplingTargets`).
pub const TARGETS_INTERVAL_SECONDS: i64 = 10;

/// Seconds of a boost (developer guide, "adaptive sampling": at most a minute).
pub const BOOST_SECONDS: i64 = 60;

/// Tags of a resource (X-Ray quotas).
pub const TAGS: usize = 50;

/// Links of a service in a retrieved graph (`LinksList` of the API's model).
pub const GRAPH_LINKS: usize = 100;

/// `ReferenceType` of a link in a retrieved graph: the linked trace is the parent. Chosen, not known.
pub const LINK_REFERENCE: &str = "parent";

/// Links of a segment (developer guide, "linking traces").
pub const LINKS_PER_SEGMENT: usize = 20;

/// Links of a trace (developer guide, "linking traces").
pub const LINKS_PER_TRACE: usize = 100;
