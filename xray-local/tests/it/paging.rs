//! Pages: how long they are, that their tokens lead through all of them, and that a token belongs to its request.

use serde_json::{Value, json};
use xray_local::control::Limits;

use crate::program::seconds;
use crate::server::Running;

/// Operations that take a `NextToken`, with a request that each accepts. `RETRIEVAL` stands for a retrieval's token.
fn paged(now: f64) -> [(&'static str, Value); 14] {
    let range = json!({"StartTime": now - 3_600.0, "EndTime": now + 60.0});
    let traces = json!({"TraceIds": ["1-5759e988-bd862e3fe1be46a994272793"]});
    [
        ("/Traces", traces.clone()),
        ("/Groups", json!({})),
        ("/GetIndexingRules", json!({})),
        ("/InsightSummaries", range.clone()),
        ("/GetRetrievedTracesGraph", json!({"RetrievalToken": "RETRIEVAL"})),
        ("/GetSamplingRules", json!({})),
        ("/SamplingStatisticSummaries", json!({})),
        ("/ServiceGraph", range.clone()),
        ("/TimeSeriesServiceStatistics", range.clone()),
        ("/TraceGraph", traces),
        ("/TraceSummaries", range),
        ("/ListResourcePolicies", json!({})),
        ("/ListRetrievedTraces", json!({"RetrievalToken": "RETRIEVAL"})),
        ("/ListTagsForResource", json!({"ResourceARN": "GROUP"})),
    ]
}

/// Follows the tokens of a request. Returns the length of each page, and all items of a member.
fn pages(server: &Running, path: &str, request: &Value, member: &str) -> (Vec<usize>, Vec<Value>) {
    let (mut lengths, mut items, mut request) = (Vec::new(), Vec::new(), request.clone());
    loop {
        let page = server.call(path, &request);
        let page_items = page[member].as_array().unwrap();
        lengths.push(page_items.len());
        items.extend(page_items.iter().cloned());
        match page.get("NextToken") {
            Some(token) => request["NextToken"] = token.clone(),
            None => return (lengths, items),
        }
        assert!(lengths.len() < 100, "{path} has no last page");
    }
}

fn put(server: &Running, documents: &[Value]) {
    for documents in documents.chunks(50) {
        let texts: Vec<String> = documents.iter().map(Value::to_string).collect();
        let answer = server.call("/TraceSegments", &json!({"TraceSegmentDocuments": texts}));
        assert_eq!(answer["UnprocessedTraceSegments"], json!([]));
    }
}

fn segment(trace: &str, id: usize, name: &str, start: f64) -> Value {
    json!({"trace_id": trace, "id": format!("{id:016x}"), "name": name, "start_time": start, "end_time": start + 0.01})
}

fn id(second: f64, number: usize) -> String {
    format!("1-{:08x}-{number:024x}", second as u64)
}

#[test]
fn graphs_have_pages_of_a_thousand_nodes() {
    let server = Running::start();
    let now = seconds().floor();
    let trace = id(now, 1);
    let root = segment(&trace, 1, "root", now);
    // With the root and its client, 1,002 nodes.
    let calls = (2..=1_001).map(|number| {
        let mut called = segment(&trace, number, &format!("service{number}"), now);
        called["parent_id"] = json!("0000000000000001");
        called
    });
    let documents: Vec<Value> = std::iter::once(root).chain(calls).collect();
    put(&server, &documents);
    let range = json!({"StartTime": now - 60.0, "EndTime": now + 60.0});
    let retrieval = json!({"TraceIds": [trace], "StartTime": now - 60.0, "EndTime": now + 60.0});
    let token = server.call("/StartTraceRetrieval", &retrieval)["RetrievalToken"].clone();
    for (path, request, reference) in [
        ("/ServiceGraph", range, "/ReferenceId"),
        ("/TraceGraph", json!({"TraceIds": [trace]}), "/ReferenceId"),
        ("/GetRetrievedTracesGraph", json!({"RetrievalToken": token}), "/Service/ReferenceId"),
    ] {
        let (lengths, nodes) = pages(&server, path, &request, "Services");
        assert_eq!(lengths, [1_000, 2], "{path}");
        // References count on from page to page, so that edges lead over them.
        let references: Vec<u64> =
            nodes.iter().map(|node| node.pointer(reference).unwrap().as_u64().unwrap()).collect();
        assert!(references.iter().copied().eq(0..1_002), "{path} {references:?}");
    }
}

#[test]
fn series_have_pages_of_a_thousand_periods_and_summaries_of_a_hundred_traces() {
    let server = Running::start();
    let now = (seconds() / 60.0).floor() * 60.0;
    let start = |number: usize| now - 60.0 * (1_001 - number) as f64;
    let documents: Vec<Value> = (0..1_001)
        .map(|number| segment(&id(start(number), number), number + 1, "shop", start(number)))
        .collect();
    put(&server, &documents);
    let range = json!({"StartTime": now - 60.0 * 1_002.0, "EndTime": now + 60.0});
    let (lengths, periods) =
        pages(&server, "/TimeSeriesServiceStatistics", &range, "TimeSeriesServiceStatistics");
    assert_eq!(lengths, [1_000, 1]);
    assert!(periods.is_sorted_by_key(|period| period["Timestamp"].as_f64().unwrap() as i64));
    let (lengths, summaries) = pages(&server, "/TraceSummaries", &range, "TraceSummaries");
    assert_eq!(lengths, [vec![100; 10], vec![1]].concat());
    let mut ids: Vec<&str> = summaries.iter().map(|summary| summary["Id"].as_str().unwrap()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 1_001);

    let retrieved: Vec<String> = (0..7).map(|number| id(start(number), number)).collect();
    let mut retrieval = range;
    retrieval["TraceIds"] = json!(retrieved);
    let token = server.call("/StartTraceRetrieval", &retrieval)["RetrievalToken"].clone();
    let (lengths, traces) =
        pages(&server, "/ListRetrievedTraces", &json!({"RetrievalToken": token}), "Traces");
    assert_eq!(lengths, [5, 2]);
    assert!(
        traces.iter().map(|trace| trace["Id"].as_str().unwrap()).eq(retrieved.iter().map(String::as_str))
    );
}

#[test]
fn lists_have_pages_of_fifty_and_statistics_of_a_hundred() {
    let server = Running::with(Limits::Off);
    let now = seconds();
    let policy = json!({"Version": "2012-10-17", "Statement":
        {"Effect": "Allow", "Principal": "*", "Action": "xray:*", "Resource": "*"}})
    .to_string();
    let mut reports = Vec::new();
    for number in 0..101 {
        let name = format!("n{number:03}");
        let rule = json!({"RuleName": name, "ResourceARN": "*", "Priority": 1, "FixedRate": 0.5, "ReservoirSize": 1,
            "ServiceName": "*", "ServiceType": "*", "Host": "*", "HTTPMethod": "*", "URLPath": "*", "Version": 1});
        server.call("/CreateSamplingRule", &json!({"SamplingRule": rule}));
        server.call("/CreateGroup", &json!({"GroupName": name}));
        server.call("/PutResourcePolicy", &json!({"PolicyName": name, "PolicyDocument": policy}));
        reports
            .push(json!({"RuleName": name, "ClientID": "a".repeat(24), "Timestamp": now, "RequestCount": 1,
            "SampledCount": 1}));
    }
    let arn = server.call("/GetGroup", &json!({"GroupName": "n000"}))["Group"]["GroupARN"].clone();
    let tags: Vec<Value> = (0..101).map(|n| json!({"Key": format!("k{n:03}"), "Value": "v"})).collect();
    server.call("/TagResource", &json!({"ResourceARN": arn, "Tags": tags}));
    for reports in reports.chunks(25) {
        server.call("/SamplingTargets", &json!({"SamplingStatisticsDocuments": reports}));
    }
    for (path, request, member, name, expected) in [
        ("/GetSamplingRules", json!({}), "SamplingRuleRecords", "/SamplingRule/RuleName", vec![50, 50, 2]),
        ("/Groups", json!({}), "Groups", "/GroupName", vec![50, 50, 1]),
        ("/ListResourcePolicies", json!({}), "ResourcePolicies", "/PolicyName", vec![50, 50, 1]),
        ("/ListTagsForResource", json!({"ResourceARN": arn}), "Tags", "/Key", vec![50, 50, 1]),
    ] {
        let (lengths, items) = pages(&server, path, &request, member);
        assert_eq!(lengths, expected, "{path}");
        let mut names: Vec<&str> =
            items.iter().map(|item| item.pointer(name).unwrap().as_str().unwrap()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), items.len(), "{path} {names:?}");
    }
    // A second window may have begun meanwhile.
    let (lengths, windows) =
        pages(&server, "/SamplingStatisticSummaries", &json!({}), "SamplingStatisticSummaries");
    assert_eq!((lengths[0], windows.len()), (100, 101));
}

#[test]
fn a_token_of_another_request_is_refused_by_every_operation() {
    let server = Running::with(Limits::Off);
    let now = seconds();
    let documents: Vec<Value> =
        (0..101).map(|number| segment(&id(now, number), number + 1, "shop", now)).collect();
    put(&server, &documents);
    let of_others = server
        .call("/TraceSummaries", &json!({"StartTime": now - 3_600.0, "EndTime": now + 59.0}))
        .get("NextToken")
        .unwrap()
        .clone();
    let group = server.call("/CreateGroup", &json!({"GroupName": "g"}))["Group"]["GroupARN"].clone();
    let retrieval = json!({"TraceIds": [id(now, 0)], "StartTime": now - 60.0, "EndTime": now + 60.0});
    let retrieval = server.call("/StartTraceRetrieval", &retrieval)["RetrievalToken"].clone();
    let operations = xray_local::api::OPERATIONS.iter().filter(|operation| {
        let takes = operation.members.iter().any(|member| member.name == "NextToken");
        // No insight exists whose events could have a second page.
        takes && !operation.name.starts_with("GetInsight") || operation.name == "GetInsightSummaries"
    });
    let mut paths: Vec<&str> = operations.map(|operation| operation.path).collect();
    paths.sort_unstable();
    let mut known: Vec<&str> = paged(now).iter().map(|(path, _)| *path).collect();
    known.sort_unstable();
    assert_eq!(known, paths);
    for (path, mut request) in paged(now) {
        for (member, stands_for, value) in
            [("RetrievalToken", "RETRIEVAL", &retrieval), ("ResourceARN", "GROUP", &group)]
        {
            if request[member] == stands_for {
                request[member] = value.clone();
            }
        }
        request.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        assert_eq!(server.ask(path, &request).0, 200, "{path} {request}");
        for token in [json!("nonsense"), json!("AAAA"), of_others.clone()] {
            request["NextToken"] = token;
            let (status, answer) = server.ask(path, &request);
            assert_eq!((status, &answer["__type"]), (400, &json!("InvalidRequestException")), "{path}");
            assert!(answer["Message"].as_str().unwrap().contains("NextToken"), "{path} {answer}");
        }
    }
}
