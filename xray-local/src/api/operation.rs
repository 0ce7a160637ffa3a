//! All operations of X-Ray's API: name, path, members of the request, and the function that answers.
//!
//! One table. The router, the checks of requests, and the actions that policies are asked about follow from it; tests hold
//! it against X-Ray's public model.

use serde_json::Value;

use super::call::Call;
use super::error::ApiError;
use super::operations::{graphs, groups, insights, rules, settings, tags, traces};
use super::shape::Form::{Any, PolicyName, Uuid};
use super::shape::Kind::{Boolean, Double, Integer, List, OneOf, Strings, Structure, Text, Time};
use super::shape::{Kind, Member};

/// An operation.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// The name, which is also that of the action: `xray:NAME`.
    pub name: &'static str,
    /// The path that requests are posted to.
    pub path: &'static str,
    /// Members of the request.
    pub members: &'static [Member],
    /// Answers a request that signature, policies and members allow. Blocks.
    pub answer: fn(&Call) -> Result<Value, ApiError>,
}

const fn op(
    name: &'static str,
    path: &'static str,
    members: &'static [Member],
    answer: fn(&Call) -> Result<Value, ApiError>,
) -> Operation {
    Operation { name, path, members, answer }
}

const fn need(name: &'static str, kind: Kind) -> Member {
    Member { name, required: true, kind }
}

const fn may(name: &'static str, kind: Kind) -> Member {
    Member { name, required: false, kind }
}

const fn text(min: u64, max: u64) -> Kind {
    Text(Some(min), Some(max), Any)
}

const fn up_to(max: u64) -> Kind {
    Text(None, Some(max), Any)
}

const FREE: Kind = Text(None, None, Any);
const COUNT: Kind = Integer(Some(0), None);
const NEXT: Member = may("NextToken", FREE);
const NEXT_100: Member = may("NextToken", text(1, 100));
const NEXT_2000: Member = may("NextToken", text(1, 2000));
const START: Member = need("StartTime", Time);
const END: Member = need("EndTime", Time);
const GROUP_NAME: Member = may("GroupName", text(1, 32));
const GROUP_ARN: Member = may("GroupARN", text(1, 400));
const TRACE_ID: Kind = text(1, 35);
const RESOURCE_ARN: Member = need("ResourceARN", text(1, 1011));
const RETRIEVAL: Member = need("RetrievalToken", text(0, 1020));
const INSIGHT: Member = need("InsightId", Text(None, None, Uuid));
const POLICY_NAME: Member = need("PolicyName", Text(Some(1), Some(128), PolicyName));
const TAG: Kind = Structure(&[need("Key", text(1, 128)), need("Value", text(0, 256))]);
const TAGS: Kind = List(&TAG, Some(0), Some(200));
const INSIGHTS: Kind = Structure(&[may("InsightsEnabled", Boolean), may("NotificationsEnabled", Boolean)]);
const ATTRIBUTES: Kind = Strings(Some(1), Some(32), Some(5));
const BOOST: Kind = Structure(&[
    need("MaxRate", Double(Some(0), Some(1))),
    need("CooldownWindowMinutes", Integer(Some(0), None)),
]);

const RULE: Kind = Structure(&[
    may("RuleName", text(1, 32)),
    may("RuleARN", FREE),
    need("ResourceARN", up_to(500)),
    need("Priority", Integer(Some(1), Some(9999))),
    need("FixedRate", Double(Some(0), Some(1))),
    need("ReservoirSize", Integer(Some(0), None)),
    need("ServiceName", up_to(64)),
    need("ServiceType", up_to(64)),
    need("Host", up_to(64)),
    need("HTTPMethod", up_to(10)),
    need("URLPath", up_to(128)),
    need("Version", Integer(Some(1), None)),
    may("Attributes", ATTRIBUTES),
    may("SamplingRateBoost", BOOST),
]);

const RULE_UPDATE: Kind = Structure(&[
    may("RuleName", text(1, 32)),
    may("RuleARN", FREE),
    may("ResourceARN", up_to(500)),
    may("Priority", Integer(None, None)),
    may("FixedRate", Double(None, None)),
    may("ReservoirSize", Integer(None, None)),
    may("Host", up_to(64)),
    may("ServiceName", up_to(64)),
    may("ServiceType", up_to(64)),
    may("HTTPMethod", up_to(10)),
    may("URLPath", up_to(128)),
    may("Attributes", ATTRIBUTES),
    may("SamplingRateBoost", BOOST),
]);

const STATISTICS: Kind = Structure(&[
    need("RuleName", text(1, 32)),
    need("ClientID", text(24, 24)),
    need("Timestamp", Time),
    need("RequestCount", COUNT),
    need("SampledCount", COUNT),
    may("BorrowCount", COUNT),
]);

const BOOST_STATISTICS: Kind = Structure(&[
    need("RuleName", text(1, 32)),
    need("ServiceName", up_to(64)),
    need("Timestamp", Time),
    need("AnomalyCount", COUNT),
    need("TotalCount", COUNT),
    need("SampledAnomalyCount", COUNT),
]);

const ANY_COUNT: Kind = Integer(None, None);

const TELEMETRY: Kind = Structure(&[
    need("Timestamp", Time),
    may("SegmentsReceivedCount", ANY_COUNT),
    may("SegmentsSentCount", ANY_COUNT),
    may("SegmentsSpilloverCount", ANY_COUNT),
    may("SegmentsRejectedCount", ANY_COUNT),
    may(
        "BackendConnectionErrors",
        Structure(&[
            may("TimeoutCount", ANY_COUNT),
            may("ConnectionRefusedCount", ANY_COUNT),
            may("HTTPCode4XXCount", ANY_COUNT),
            may("HTTPCode5XXCount", ANY_COUNT),
            may("UnknownHostCount", ANY_COUNT),
            may("OtherCount", ANY_COUNT),
        ]),
    ),
]);

/// The table.
pub static OPERATIONS: [Operation; 38] = [
    op(
        "BatchGetTraces",
        "/Traces",
        &[need("TraceIds", List(&TRACE_ID, None, None)), NEXT],
        traces::batch_get_traces,
    ),
    op("CancelTraceRetrieval", "/CancelTraceRetrieval", &[RETRIEVAL], traces::cancel_retrieval),
    op(
        "CreateGroup",
        "/CreateGroup",
        &[
            need("GroupName", text(1, 32)),
            may("FilterExpression", FREE),
            may("InsightsConfiguration", INSIGHTS),
            may("Tags", TAGS),
        ],
        groups::create,
    ),
    op(
        "CreateSamplingRule",
        "/CreateSamplingRule",
        &[need("SamplingRule", RULE), may("Tags", TAGS)],
        rules::create,
    ),
    op("DeleteGroup", "/DeleteGroup", &[GROUP_NAME, GROUP_ARN], groups::delete),
    op(
        "DeleteResourcePolicy",
        "/DeleteResourcePolicy",
        &[POLICY_NAME, may("PolicyRevisionId", FREE)],
        settings::delete_policy,
    ),
    op(
        "DeleteSamplingRule",
        "/DeleteSamplingRule",
        &[may("RuleName", FREE), may("RuleARN", FREE)],
        rules::delete,
    ),
    op("GetEncryptionConfig", "/EncryptionConfig", &[], settings::encryption),
    op("GetGroup", "/GetGroup", &[GROUP_NAME, GROUP_ARN], groups::get),
    op("GetGroups", "/Groups", &[NEXT_100], groups::list),
    op("GetIndexingRules", "/GetIndexingRules", &[NEXT], settings::indexing_rules),
    op("GetInsight", "/Insight", &[INSIGHT], insights::one),
    op(
        "GetInsightEvents",
        "/InsightEvents",
        &[INSIGHT, may("MaxResults", Integer(Some(1), Some(50))), NEXT_2000],
        insights::one,
    ),
    op("GetInsightImpactGraph", "/InsightImpactGraph", &[INSIGHT, START, END, NEXT_2000], insights::one),
    op(
        "GetInsightSummaries",
        "/InsightSummaries",
        &[
            may("States", List(&OneOf(&["ACTIVE", "CLOSED"]), Some(0), Some(1))),
            GROUP_ARN,
            GROUP_NAME,
            START,
            END,
            may("MaxResults", Integer(Some(1), Some(100))),
            NEXT_2000,
        ],
        insights::summaries,
    ),
    op("GetRetrievedTracesGraph", "/GetRetrievedTracesGraph", &[RETRIEVAL, NEXT], graphs::retrieved),
    op("GetSamplingRules", "/GetSamplingRules", &[NEXT], rules::list),
    op("GetSamplingStatisticSummaries", "/SamplingStatisticSummaries", &[NEXT], rules::statistics),
    op(
        "GetSamplingTargets",
        "/SamplingTargets",
        &[
            need("SamplingStatisticsDocuments", List(&STATISTICS, None, Some(25))),
            may("SamplingBoostStatisticsDocuments", List(&BOOST_STATISTICS, None, Some(25))),
        ],
        rules::targets,
    ),
    op("GetServiceGraph", "/ServiceGraph", &[START, END, GROUP_NAME, GROUP_ARN, NEXT], graphs::service),
    op(
        "GetTimeSeriesServiceStatistics",
        "/TimeSeriesServiceStatistics",
        &[
            START,
            END,
            GROUP_NAME,
            GROUP_ARN,
            may("EntitySelectorExpression", text(1, 500)),
            may("Period", Integer(None, None)),
            may("ForecastStatistics", Boolean),
            NEXT,
        ],
        graphs::series,
    ),
    op(
        "GetTraceGraph",
        "/TraceGraph",
        &[need("TraceIds", List(&TRACE_ID, None, None)), NEXT],
        graphs::traces,
    ),
    op("GetTraceSegmentDestination", "/GetTraceSegmentDestination", &[], settings::destination),
    op(
        "GetTraceSummaries",
        "/TraceSummaries",
        &[
            START,
            END,
            may("TimeRangeType", OneOf(&["TraceId", "Event", "Service"])),
            may("Sampling", Boolean),
            may(
                "SamplingStrategy",
                Structure(&[
                    may("Name", OneOf(&["PartialScan", "FixedRate"])),
                    may("Value", Double(None, None)),
                ]),
            ),
            may("FilterExpression", FREE),
            NEXT,
        ],
        traces::summaries,
    ),
    op("ListResourcePolicies", "/ListResourcePolicies", &[NEXT_100], settings::list_policies),
    op(
        "ListRetrievedTraces",
        "/ListRetrievedTraces",
        &[RETRIEVAL, may("TraceFormat", OneOf(&["XRAY", "OTEL"])), NEXT],
        traces::list_retrieved,
    ),
    op("ListTagsForResource", "/ListTagsForResource", &[RESOURCE_ARN, NEXT], tags::list),
    op(
        "PutEncryptionConfig",
        "/PutEncryptionConfig",
        &[may("KeyId", text(1, 3000)), need("Type", OneOf(&["NONE", "KMS"]))],
        settings::put_encryption,
    ),
    op(
        "PutResourcePolicy",
        "/PutResourcePolicy",
        &[
            POLICY_NAME,
            need("PolicyDocument", FREE),
            may("PolicyRevisionId", FREE),
            may("BypassPolicyLockoutCheck", Boolean),
        ],
        settings::put_policy,
    ),
    op(
        "PutTelemetryRecords",
        "/TelemetryRecords",
        &[
            need("TelemetryRecords", List(&TELEMETRY, None, None)),
            may("EC2InstanceId", up_to(20)),
            may("Hostname", up_to(255)),
            may("ResourceARN", up_to(500)),
        ],
        traces::put_telemetry,
    ),
    op(
        "PutTraceSegments",
        "/TraceSegments",
        &[need("TraceSegmentDocuments", List(&FREE, None, None))],
        traces::put_segments,
    ),
    op(
        "StartTraceRetrieval",
        "/StartTraceRetrieval",
        &[need("TraceIds", List(&TRACE_ID, Some(0), Some(100))), START, END],
        traces::start_retrieval,
    ),
    op("TagResource", "/TagResource", &[RESOURCE_ARN, need("Tags", TAGS)], tags::add),
    op(
        "UntagResource",
        "/UntagResource",
        &[RESOURCE_ARN, need("TagKeys", List(&text(1, 128), Some(0), Some(200)))],
        tags::remove,
    ),
    op(
        "UpdateGroup",
        "/UpdateGroup",
        &[GROUP_NAME, GROUP_ARN, may("FilterExpression", FREE), may("InsightsConfiguration", INSIGHTS)],
        groups::update,
    ),
    op(
        "UpdateIndexingRule",
        "/UpdateIndexingRule",
        &[
            need("Name", FREE),
            need(
                "Rule",
                Structure(&[may(
                    "Probabilistic",
                    Structure(&[need("DesiredSamplingPercentage", Double(None, None))]),
                )]),
            ),
        ],
        settings::update_indexing_rule,
    ),
    op(
        "UpdateSamplingRule",
        "/UpdateSamplingRule",
        &[need("SamplingRuleUpdate", RULE_UPDATE)],
        rules::update,
    ),
    op(
        "UpdateTraceSegmentDestination",
        "/UpdateTraceSegmentDestination",
        &[
            may("Destination", OneOf(&["XRay", "CloudWatchLogs"])),
            may("CloudWatchLogsConfiguration", Structure(&[may("SpansLogGroupKmsKeyId", text(1, 256))])),
        ],
        settings::update_destination,
    ),
];

/// The operation of a path.
pub(super) fn find(path: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|operation| operation.path == path)
}
