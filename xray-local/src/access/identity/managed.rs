//! AWS's managed policies for X-Ray, by name: those of today, and those of the guide's page of 2016.
//!
//! The older ones carry `@2016` behind their names, so that what the page of that year describes can be tried. Source of
//! today's: AWS managed policy reference, `AWSXRayDaemonWriteAccess` v2, `AWSXrayWriteOnlyAccess` v2,
//! `AWSXrayReadOnlyAccess` v8, `AWSXrayFullAccess` v2.

const WRITE: &[&str] = &[
    "PutTraceSegments",
    "PutTelemetryRecords",
    "GetSamplingRules",
    "GetSamplingTargets",
    "GetSamplingStatisticSummaries",
];

const READ: &[&str] = &[
    "GetSamplingRules",
    "GetSamplingTargets",
    "GetSamplingStatisticSummaries",
    "BatchGetTraces",
    "BatchGetTraceSummaryById",
    "GetDistinctTraceGraphs",
    "GetServiceGraph",
    "GetTraceGraph",
    "GetTraceSummaries",
    "GetGroups",
    "GetGroup",
    "ListTagsForResource",
    "ListResourcePolicies",
    "GetTimeSeriesServiceStatistics",
    "GetInsightSummaries",
    "GetInsight",
    "GetInsightEvents",
    "GetInsightImpactGraph",
];

const MANAGED: [(&str, &[&str]); 7] = [
    ("AWSXRayDaemonWriteAccess", WRITE),
    ("AWSXrayWriteOnlyAccess", WRITE),
    ("AWSXrayReadOnlyAccess", READ),
    ("AWSXrayFullAccess", &["*"]),
    ("AWSXrayWriteOnlyAccess@2016", &["PutTraceSegments", "PutTelemetryRecords"]),
    (
        "AWSXrayReadOnlyAccess@2016",
        &["BatchGetTraces", "GetServiceGraph", "GetTraceGraph", "GetTraceSummaries"],
    ),
    ("AWSXrayFullAccess@2016", &["*"]),
];

/// Names of all managed policies.
pub fn names() -> impl Iterator<Item = &'static str> {
    MANAGED.iter().map(|(name, _)| *name)
}

/// A managed policy's document, by its name or its ARN.
///
/// ```
/// use xray_local::access::managed;
///
/// let by_arn = managed::document("arn:aws:iam::aws:policy/AWSXrayFullAccess").unwrap();
/// assert_eq!(Some(by_arn), managed::document("AWSXrayFullAccess"));
/// assert_eq!(managed::document("AdministratorAccess"), None);
/// ```
pub fn document(name: &str) -> Option<String> {
    let name = match name.split_once(":policy/") {
        Some((prefix, name)) if prefix.starts_with("arn:") => name,
        _ => name,
    };
    let (_, actions) = MANAGED.iter().find(|(known, _)| *known == name)?;
    let actions: Vec<String> = actions.iter().map(|action| format!("xray:{action}")).collect();
    let document = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": actions, "Resource": ["*"]}],
    });
    Some(document.to_string())
}
