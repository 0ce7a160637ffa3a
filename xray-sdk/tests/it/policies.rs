//! The policies that the guide's chapter on deployment tells people to copy: each is a policy, allows what it is meant to and
//! no more, and is spoken of in the chapter; and the chapter speaks of no other.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helpers")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

const SEND: [&str; 2] = ["PutTraceSegments", "PutTelemetryRecords"];
const RULES: [&str; 2] = ["GetSamplingRules", "GetSamplingTargets"];
const LOOK: [&str; 6] = [
    "BatchGetTraces",
    "GetGroups",
    "GetServiceGraph",
    "GetTimeSeriesServiceStatistics",
    "GetTraceGraph",
    "GetTraceSummaries",
];

/// What each file allows.
const POLICIES: [(&str, &[&[&str]]); 4] = [
    ("daemon.json", &[&SEND, &RULES]),
    ("daemon-local-sampling.json", &[&SEND]),
    ("lambda.json", &[&SEND]),
    ("read-traces.json", &[&LOOK]),
];

/// The API's operations, with those of the managed policies that grant them: the daemon's, write only, read only.
/// Full access grants all. From the service authorization reference and the managed policies' own text.
const ACTIONS: [(&str, &str); 41] = [
    ("PutTraceSegments", "DW"),
    ("PutTelemetryRecords", "DW"),
    ("GetSamplingRules", "DWR"),
    ("GetSamplingTargets", "DWR"),
    ("GetSamplingStatisticSummaries", "DWR"),
    ("GetTraceSummaries", "R"),
    ("BatchGetTraces", "R"),
    ("GetServiceGraph", "R"),
    ("GetTraceGraph", "R"),
    ("GetTimeSeriesServiceStatistics", "R"),
    ("GetGroups", "R"),
    ("GetGroup", "R"),
    ("GetInsight", "R"),
    ("GetInsightEvents", "R"),
    ("GetInsightImpactGraph", "R"),
    ("GetInsightSummaries", "R"),
    ("ListResourcePolicies", "R"),
    ("ListTagsForResource", "R"),
    ("BatchGetTraceSummaryById", "R"),
    ("GetDistinctTraceGraphs", "R"),
    ("CreateGroup", ""),
    ("UpdateGroup", ""),
    ("DeleteGroup", ""),
    ("CreateSamplingRule", ""),
    ("UpdateSamplingRule", ""),
    ("DeleteSamplingRule", ""),
    ("GetEncryptionConfig", ""),
    ("PutEncryptionConfig", ""),
    ("StartTraceRetrieval", ""),
    ("CancelTraceRetrieval", ""),
    ("GetRetrievedTracesGraph", ""),
    ("ListRetrievedTraces", ""),
    ("GetTraceSegmentDestination", ""),
    ("UpdateTraceSegmentDestination", ""),
    ("GetIndexingRules", ""),
    ("UpdateIndexingRule", ""),
    ("PutResourcePolicy", ""),
    ("DeleteResourcePolicy", ""),
    ("TagResource", ""),
    ("UntagResource", ""),
    ("PutSpans", ""),
];

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

fn policy(file: &str) -> Value {
    let text = fs::read_to_string(docs().join("policies").join(file)).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|err| panic!("{file}: {err}"))
}

/// Every action that a policy allows, after checking that it is one and says nothing but "allow".
fn allowed(file: &str, resource: &str) -> BTreeSet<String> {
    let policy = policy(file);
    assert_eq!(policy["Version"], "2012-10-17", "{file}");
    let mut actions = BTreeSet::new();
    let mut names = BTreeSet::new();
    for statement in policy["Statement"].as_array().unwrap() {
        let members: Vec<_> = statement.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(
            members.iter().copied().collect::<BTreeSet<_>>(),
            BTreeSet::from(["Action", "Effect", "Resource", "Sid"])
        );
        assert_eq!(
            (&statement["Effect"], &statement["Resource"]),
            (&"Allow".into(), &resource.into()),
            "{file}"
        );
        let sid = statement["Sid"].as_str().unwrap();
        assert!(
            sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) && names.insert(sid.to_owned()),
            "{file}: {sid}"
        );
        let listed = match &statement["Action"] {
            Value::Array(listed) => listed.clone(),
            one => vec![one.clone()],
        };
        for action in listed {
            assert!(actions.insert(action.as_str().unwrap().to_owned()), "{file} lists {action} twice");
        }
    }
    actions
}

#[test]
fn every_policy_allows_what_it_is_for_and_no_more() {
    for (file, groups) in POLICIES {
        let expected: BTreeSet<_> =
            groups.iter().copied().flatten().map(|action| format!("xray:{action}")).collect();
        assert_eq!(allowed(file, "*"), expected, "{file}");
        for action in expected {
            let name = action.trim_start_matches("xray:");
            assert!(ACTIONS.iter().any(|(known, _)| *known == name), "{file}: there is no action {action}");
        }
    }
    let role = "arn:aws:iam::111122223333:role/xray-daemon";
    assert_eq!(allowed("assume-daemon-role.json", role), BTreeSet::from(["sts:AssumeRole".to_owned()]));
}

#[test]
fn our_policies_give_less_than_the_managed_ones_for_the_same_people() {
    let granted = |policy: char| -> BTreeSet<String> {
        let by = ACTIONS.iter().filter(|(_, policies)| policies.contains(policy));
        by.map(|(action, _)| format!("xray:{action}")).collect()
    };
    assert_eq!(granted('D'), granted('W'), "both write policies have the same five actions");
    assert_eq!(granted('D').len(), 5);
    for (file, managed) in [
        ("daemon.json", 'D'),
        ("daemon-local-sampling.json", 'D'),
        ("lambda.json", 'D'),
        ("read-traces.json", 'R'),
    ] {
        let ours = allowed(file, "*");
        assert!(ours.is_subset(&granted(managed)) && ours.len() < granted(managed).len(), "{file}");
    }
    assert!(allowed("daemon.json", "*").is_disjoint(&LOOK.map(|action| format!("xray:{action}")).into()));
}

#[test]
fn the_chapter_speaks_of_every_policy_and_of_no_other() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../xray-tracing-layer/src/guide");
    let chapter = fs::read_to_string(guide.join("deployment.md")).unwrap();
    let links = chapter.split("/docs/policies/").skip(1).filter_map(|rest| rest.split(')').next());
    let linked: BTreeSet<String> = links.map(str::to_owned).collect();
    let files = fs::read_dir(docs().join("policies")).unwrap();
    let there: BTreeSet<String> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(linked, there);
    for managed in
        ["AWSXRayDaemonWriteAccess", "AWSXrayWriteOnlyAccess", "AWSXrayReadOnlyAccess", "AWSXrayFullAccess"]
    {
        assert!(chapter.contains(managed), "{managed}");
    }
}
