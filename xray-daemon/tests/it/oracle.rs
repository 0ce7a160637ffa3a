//! AWS's own client as the judge of the wire: what it sends through the relay arrives, what the daemon sends is what it
//! would send, and both read an answer alike.

use std::net::UdpSocket;

use aws_sdk_xray::Client;
use aws_sdk_xray::config::retry::RetryConfig;
use aws_sdk_xray::config::{BehaviorVersion, Region};
use aws_sdk_xray::error::ProvideErrorMetadata;
use aws_sdk_xray::primitives::DateTime;
use aws_sdk_xray::types::{BackendConnectionErrors, SamplingStatisticsDocument, TelemetryRecord};
use aws_smithy_http_client::Builder;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use xray_daemon::aws::Reply;
use xray_daemon::upload::{Verdict, judge};

use crate::edge::daemon::Daemon;
use crate::edge::xray::{Answer, Recorded, XRay, error, ok, status};
use crate::edge::{credentials, daemons_credentials};

/// AWS's client, for an endpoint over plain HTTP. It tries once.
fn client(url: &str) -> Client {
    let config = aws_sdk_xray::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(url)
        .region(Region::new("eu-central-1"))
        .credentials_provider(credentials())
        .retry_config(RetryConfig::disabled())
        .http_client(Builder::new().build_http())
        .build();
    Client::from_conf(config)
}

fn body(request: &Recorded) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

/// A body with the times of telemetry in whole milliseconds: AWS's client keeps them as nanoseconds, not as a float.
fn in_milliseconds(mut body: Value) -> Value {
    for record in body["TelemetryRecords"].as_array_mut().into_iter().flatten() {
        record["Timestamp"] = json!((record["Timestamp"].as_f64().unwrap() * 1000.0).round());
    }
    body
}

/// The one request to a path.
fn request_to(xray: &XRay, path: &str) -> Recorded {
    let mut requests = xray.requests();
    requests.retain(|request| request.path == path);
    assert_eq!(requests.len(), 1, "{requests:?}");
    requests.remove(0)
}

/// A request of the daemon's is what AWS's client sends: method, path, content type, body, and scope of the signature.
#[track_caller]
fn assert_same_wire(daemons: &Recorded, clients: &Recorded) {
    assert_eq!((&daemons.method, &daemons.path), (&clients.method, &clients.path));
    assert_eq!(in_milliseconds(body(daemons)), in_milliseconds(body(clients)));
    assert_eq!(daemons.header("content-type"), clients.header("content-type"));
    assert_eq!(daemons.header("content-length"), Some(&*daemons.body.len().to_string()));
    let scope = |request: &Recorded| {
        let authorization = request.header("authorization").unwrap().to_owned();
        let (algorithm, rest) = authorization.split_once(" Credential=").unwrap();
        let credential = rest.split(',').next().unwrap();
        let scope: Vec<&str> = credential.split('/').skip(2).collect();
        (algorithm.to_owned(), scope.join("/"))
    };
    assert_eq!(scope(daemons), scope(clients));
    assert_eq!(scope(daemons).1, "eu-central-1/xray/aws4_request");
    assert!(clients.is_signed_with("http", "eu-central-1", "xray", &credentials()));
    assert!(daemons.is_signed_with("http", "eu-central-1", "xray", &daemons_credentials()));
}

/// Documents that a serializer can stumble over, byte for byte as an SDK sends them.
fn documents() -> Vec<String> {
    let odd =
        ["plain", "\\\"quoted\\\"", "\u{1F980}\u{2028}</script>&", "\\u0007\\\\", "\u{7f}é", "'%s' ${x}"];
    odd.iter()
        .enumerate()
        .map(|(number, name)| {
            format!(
                "{{\"id\":\"{number:016x}\",\"trace_id\":\"1-5f84c7a1-{number:024x}\",\"name\":\"{name}\",\
                 \"start_time\":1.5E9,\"end_time\":1.6E9}}"
            )
        })
        .collect()
}

#[tokio::test]
async fn a_batch_of_the_daemons_is_on_the_wire_what_awss_client_makes_of_it() {
    let documents = documents();
    let xray = XRay::start(|_| ok("{}"));
    let daemon = Daemon::start(&xray.url(), &[]);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for document in &documents {
        let datagram = format!("{{\"format\":\"json\",\"version\":1}}\n{document}");
        socket.send_to(datagram.as_bytes(), daemon.udp()).unwrap();
    }
    // A slow machine may make more than one batch of them.
    let batches = daemon.wait("documents", || {
        let requests = xray.requests();
        let sent =
            requests.iter().map(|request| body(request)["TraceSegmentDocuments"].as_array().unwrap().len());
        (sent.sum::<usize>() == documents.len()).then_some(requests)
    });
    let mut sent = Vec::new();
    for daemons in &batches {
        let batch: Vec<String> =
            serde_json::from_value(body(daemons)["TraceSegmentDocuments"].clone()).unwrap();
        let oracle = XRay::start(|_| ok("{}"));
        let put = client(&oracle.url()).put_trace_segments().set_trace_segment_documents(Some(batch.clone()));
        put.send().await.unwrap();
        assert_same_wire(daemons, &request_to(&oracle, "/TraceSegments"));
        sent.extend(batch);
    }
    sent.sort();
    let mut expected = documents;
    expected.sort();
    assert_eq!(sent, expected);
}

#[cfg(unix)]
#[tokio::test]
async fn a_telemetry_record_is_on_the_wire_what_awss_client_makes_of_it() {
    let xray = XRay::start(|_| ok("{}"));
    let mut daemon = Daemon::start(&xray.url(), &["-a", "arn:aws:ec2:eu-central-1:1:instance/i-1"]);
    daemon.send(3);
    daemon.line("Starting proxy http server on ");
    daemon.signal("TERM");
    assert!(daemon.ended().success());
    let daemons = request_to(&xray, "/TelemetryRecords");
    let sent = body(&daemons);
    let record = &sent["TelemetryRecords"][0];
    let number = |value: &Value| i32::try_from(value.as_i64().unwrap()).unwrap();
    let errors = &record["BackendConnectionErrors"];
    let errors = BackendConnectionErrors::builder()
        .timeout_count(number(&errors["TimeoutCount"]))
        .connection_refused_count(number(&errors["ConnectionRefusedCount"]))
        .http_code4_xx_count(number(&errors["HTTPCode4XXCount"]))
        .http_code5_xx_count(number(&errors["HTTPCode5XXCount"]))
        .unknown_host_count(number(&errors["UnknownHostCount"]))
        .other_count(number(&errors["OtherCount"]))
        .build();
    let built = TelemetryRecord::builder()
        .timestamp(DateTime::from_secs_f64(record["Timestamp"].as_f64().unwrap()))
        .segments_received_count(number(&record["SegmentsReceivedCount"]))
        .segments_sent_count(number(&record["SegmentsSentCount"]))
        .segments_spillover_count(number(&record["SegmentsSpilloverCount"]))
        .segments_rejected_count(number(&record["SegmentsRejectedCount"]))
        .backend_connection_errors(errors)
        .build()
        .unwrap();
    assert_eq!(built.segments_received_count(), Some(3));
    let oracle = XRay::start(|_| ok("{}"));
    let put = client(&oracle.url())
        .put_telemetry_records()
        .telemetry_records(built)
        .ec2_instance_id(sent["EC2InstanceId"].as_str().unwrap())
        .hostname(sent["Hostname"].as_str().unwrap())
        .resource_arn(sent["ResourceARN"].as_str().unwrap());
    put.send().await.unwrap();
    assert_same_wire(&daemons, &request_to(&oracle, "/TelemetryRecords"));
}

/// X-Ray as the relay's clients use it.
fn service() -> XRay {
    XRay::start(|request| {
        match request.path.as_str() {
        "/TraceSegments" => ok(
            json!({"UnprocessedTraceSegments": [{"Id": "1", "ErrorCode": "ParseError", "Message": "m"}]})
                .to_string(),
        ),
        "/GetSamplingRules" => ok(json!({"NextToken": "more", "SamplingRuleRecords": [{"SamplingRule": {
            "RuleName": "checkout", "ResourceARN": "*", "Priority": 7, "FixedRate": 0.25, "ReservoirSize": 3,
            "ServiceName": "shop", "ServiceType": "*", "Host": "*", "HTTPMethod": "*", "URLPath": "*", "Version": 1
        }}]})
        .to_string()),
        "/SamplingTargets" => ok(json!({"SamplingTargetDocuments": [
            {"RuleName": "checkout", "FixedRate": 0.5, "ReservoirQuota": 2, "Interval": 10}
        ], "LastRuleModification": 1.5e9})
        .to_string()),
        _ => error(404, "UnknownOperationException"),
    }
    })
}

#[tokio::test]
async fn awss_client_works_through_the_relay() {
    let xray = service();
    let daemon = Daemon::start(&xray.url(), &["--allow-host", "relay.test"]);
    let client = client(&format!("http://{}", daemon.tcp()));

    let put = client.put_trace_segments().trace_segment_documents("{\"id\":\"1\"}").send().await.unwrap();
    let unprocessed = &put.unprocessed_trace_segments()[0];
    assert_eq!((unprocessed.id(), unprocessed.error_code()), (Some("1"), Some("ParseError")));

    let rules = client.get_sampling_rules().next_token("page").send().await.unwrap();
    let rule = rules.sampling_rule_records()[0].sampling_rule().unwrap();
    assert_eq!((rule.rule_name(), rule.priority(), rule.reservoir_size()), (Some("checkout"), 7, 3));
    assert_eq!(rules.next_token(), Some("more"));

    let statistics = SamplingStatisticsDocument::builder()
        .rule_name("checkout")
        .client_id("0123456789abcdef01234567")
        .timestamp(DateTime::from_secs(1_500_000_000))
        .request_count(10)
        .sampled_count(3)
        .borrow_count(1)
        .build()
        .unwrap();
    let targets =
        client.get_sampling_targets().sampling_statistics_documents(statistics).send().await.unwrap();
    let target = &targets.sampling_target_documents()[0];
    assert_eq!((target.fixed_rate(), target.reservoir_quota()), (0.5, Some(2)));

    // What X-Ray got is what the client sent, under the daemon's name.
    let requests = xray.requests();
    let paths: Vec<&str> = requests.iter().map(|request| request.path.as_str()).collect();
    assert_eq!(paths, ["/TraceSegments", "/GetSamplingRules", "/SamplingTargets"]);
    assert_eq!(body(&requests[0]), json!({"TraceSegmentDocuments": ["{\"id\":\"1\"}"]}));
    assert_eq!(body(&requests[1]), json!({"NextToken": "page"}));
    assert_eq!(body(&requests[2])["SamplingStatisticsDocuments"][0]["RequestCount"], 10);
    for request in &requests {
        assert!(request.is_signed_with("http", "eu-central-1", "xray", &daemons_credentials()));
        assert_eq!(request.header("x-amz-security-token"), None, "the client's token stays here");
        assert_eq!(request.header("content-type"), Some("application/json"));
    }
}

#[tokio::test]
async fn awss_client_understands_the_relays_refusals_and_x_rays_errors() {
    let xray = XRay::start(|_| error(429, "ThrottledException"));
    let daemon = Daemon::start(&xray.url(), &["--allow-path", "/GetSamplingRules"]);
    let client = client(&format!("http://{}", daemon.tcp()));
    let throttled = client.get_sampling_rules().send().await.unwrap_err();
    assert!(throttled.as_service_error().unwrap().is_throttled_exception(), "{throttled:?}");
    let refused =
        client.get_trace_summaries().start_time(DateTime::from_secs(1)).end_time(DateTime::from_secs(2));
    let refused = refused.send().await.unwrap_err();
    assert_eq!(refused.raw_response().unwrap().status().as_u16(), 403);
    let message = refused.as_service_error().unwrap().message().unwrap().to_owned();
    assert!(message.contains("/TraceSummaries"), "{message}");
}

/// Error codes stand in a header or in one of several members, alone or with a name space and a URL around them.
#[tokio::test]
async fn the_daemon_reads_error_codes_as_awss_client_does() {
    let with_header = |code: &str, value: &str| Answer::Reply {
        status: 400,
        headers: vec![("x-amzn-errortype", value.to_owned())],
        body: format!("{{\"Message\":\"{code}\"}}"),
    };
    for answer in [
        with_header("a", "InvalidRequestException"),
        with_header("b", "InvalidRequestException:http://internal.amazon.com/coral/com.amazonaws.xray/"),
        with_header("c", "com.amazonaws.xray#ThrottledException"),
        status(400, r#"{"__type":"ThrottledException","Message":"d"}"#),
        status(400, r#"{"__type":"com.amazonaws.xray#InvalidRequestException","message":"e"}"#),
        status(400, r#"{"code":"AccessDeniedException","message":"f"}"#),
        status(403, r#"{"__type":"ExpiredTokenException","message":"g"}"#),
        status(500, r#"{"message":"h"}"#),
        status(502, "<html>"),
    ] {
        let shown = format!("{answer:?}");
        let Answer::Reply { status, headers, body } = answer.clone() else { unreachable!() };
        let xray = XRay::start(move |_| answer.clone());
        let failed = client(&xray.url()).put_trace_segments().trace_segment_documents("{}").send().await;
        let failed = failed.unwrap_err();
        let expected = failed.as_service_error().and_then(|error| error.code().map(str::to_owned));
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(name, value.parse().unwrap());
        }
        let reply = Reply { status: StatusCode::from_u16(status).unwrap(), headers: map, body: body.into() };
        let why = match judge(&Ok(reply), 1_700_000_000) {
            Verdict::Invalid(why) | Verdict::Expired(why) | Verdict::Denied(why) => why,
            Verdict::Throttled(_, why) | Verdict::Unavailable(_, why) => why,
            verdict => panic!("{verdict:?} of {shown}"),
        };
        let ours = why.split_once(": ").map(|(code, _)| code.to_owned()).filter(|code| code != "no code");
        assert_eq!(ours, expected, "{why} of {shown}");
    }
}
