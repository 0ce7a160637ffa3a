//! X-Ray's actions, what each is asked for, and the condition keys that requests have here.
//!
//! Source: the service authorization reference of X-Ray. The list of operations in `api` is held against this one.

/// The kind of resource that a policy's `Resource` is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceKind {
    /// None: the request is made on `*`.
    None,
    /// A group's ARN.
    Group,
    /// A sampling rule's ARN.
    SamplingRule,
    /// The ARN in `ResourceARN`, of a group or a sampling rule.
    Tagged,
}

/// Actions with an operation of the API, by name.
pub const ACTIONS: [(&str, ResourceKind); 38] = [
    ("BatchGetTraces", ResourceKind::None),
    ("CancelTraceRetrieval", ResourceKind::None),
    ("CreateGroup", ResourceKind::Group),
    ("CreateSamplingRule", ResourceKind::SamplingRule),
    ("DeleteGroup", ResourceKind::Group),
    ("DeleteResourcePolicy", ResourceKind::None),
    ("DeleteSamplingRule", ResourceKind::SamplingRule),
    ("GetEncryptionConfig", ResourceKind::None),
    ("GetGroup", ResourceKind::Group),
    ("GetGroups", ResourceKind::None),
    ("GetIndexingRules", ResourceKind::None),
    ("GetInsight", ResourceKind::None),
    ("GetInsightEvents", ResourceKind::None),
    ("GetInsightImpactGraph", ResourceKind::None),
    ("GetInsightSummaries", ResourceKind::None),
    ("GetRetrievedTracesGraph", ResourceKind::None),
    ("GetSamplingRules", ResourceKind::None),
    ("GetSamplingStatisticSummaries", ResourceKind::None),
    ("GetSamplingTargets", ResourceKind::None),
    ("GetServiceGraph", ResourceKind::None),
    ("GetTimeSeriesServiceStatistics", ResourceKind::None),
    ("GetTraceGraph", ResourceKind::None),
    ("GetTraceSegmentDestination", ResourceKind::None),
    ("GetTraceSummaries", ResourceKind::None),
    ("ListResourcePolicies", ResourceKind::None),
    ("ListRetrievedTraces", ResourceKind::None),
    ("ListTagsForResource", ResourceKind::Tagged),
    ("PutEncryptionConfig", ResourceKind::None),
    ("PutResourcePolicy", ResourceKind::None),
    ("PutTelemetryRecords", ResourceKind::None),
    ("PutTraceSegments", ResourceKind::None),
    ("StartTraceRetrieval", ResourceKind::None),
    ("TagResource", ResourceKind::Tagged),
    ("UntagResource", ResourceKind::Tagged),
    ("UpdateGroup", ResourceKind::Group),
    ("UpdateIndexingRule", ResourceKind::None),
    ("UpdateSamplingRule", ResourceKind::SamplingRule),
    ("UpdateTraceSegmentDestination", ResourceKind::None),
];

/// Actions that policies may name though the API has no operation for them.
pub const PERMISSION_ONLY: [&str; 5] =
    ["BatchGetTraceSummaryById", "GetDistinctTraceGraphs", "Link", "PutSpans", "PutSpansForIndexing"];

/// All actions, as policies write them.
pub fn xray_actions() -> Vec<String> {
    let operations = ACTIONS.iter().map(|(name, _)| *name);
    operations.chain(PERMISSION_ONLY).map(|name| format!("xray:{name}")).collect()
}

/// Returns the kind of resource that an operation's action is asked for.
pub fn resource_kind(operation: &str) -> ResourceKind {
    ACTIONS.iter().find(|(name, _)| *name == operation).map_or(ResourceKind::None, |(_, kind)| *kind)
}

/// Condition keys that requests can have here. A name that ends in `/` is followed by a tag's key.
pub const CONDITION_KEYS: [&str; 24] = [
    "aws:CurrentTime",
    "aws:EpochTime",
    "aws:MultiFactorAuthPresent",
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalIsAWSService",
    "aws:PrincipalTag/",
    "aws:PrincipalType",
    "aws:RequestTag/",
    "aws:RequestedRegion",
    "aws:ResourceAccount",
    "aws:ResourceTag/",
    "aws:SecureTransport",
    "aws:SourceIp",
    "aws:TagKeys",
    "aws:TokenIssueTime",
    "aws:UserAgent",
    "aws:ViaAWSService",
    "aws:userid",
    "aws:username",
    "sts:ExternalId",
    "sts:RoleSessionName",
    "xray:ResourcePolicyName",
    "xray:TraceSegmentDestination",
];
