//! The TCP proxy: what it forwards, how it signs, what it refuses, and what it says when X-Ray does not answer.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use serde_json::json;
use xray_daemon::aws::{Aws, Settings};
use xray_daemon::config::Environment;
use xray_daemon::relay::{BindError, Guard, Relay, RelayOutcome, RelaySettings};
use xray_sdk::sampling::{CentralSampler, Sampler, SamplingRequest};

use crate::edge::relay::Running;
use crate::edge::tls::Authority;
use crate::edge::xray::{Answer, XRay, error, ok, status};
use crate::edge::{aws, credentials, environment, settings};

#[tokio::test]
async fn a_request_arrives_signed_and_its_answer_as_it_was() {
    let xray = XRay::start(|_| Answer::Reply {
        status: 429,
        headers: vec![("retry-after", "7".into()), ("x-amzn-requestid", "r-1".into())],
        body: "slow down".into(),
    });
    let relay = Running::start(aws(&settings(&xray.url())).await).await;
    let (status, answer) = relay
        .post("/GetSamplingRules?x=%20y", "Content-Type: application/json\r\nUser-Agent: sdk\r\n", "{}")
        .await;
    assert_eq!(status, 429);
    assert!(
        answer.contains("retry-after: 7\r\n") && answer.contains("x-amzn-requestid: r-1\r\n"),
        "{answer}"
    );
    assert!(answer.ends_with("slow down"), "{answer}");
    let request = xray.requests().remove(0);
    assert_eq!((request.path.as_str(), &request.body[..]), ("/GetSamplingRules?x=%20y", &b"{}"[..]));
    assert_eq!(request.header("host"), Some(&*xray.address().to_string()));
    assert_eq!(request.header("user-agent"), Some("sdk"));
    assert_eq!(request.header("x-forwarded-for"), Some("127.0.0.1"));
    assert!(request.is_signed_with("http", "eu-central-1", "xray", &credentials()));
    assert_eq!(relay.count(RelayOutcome::ClientError), 1);
}

#[tokio::test]
async fn the_senders_own_authorization_is_replaced() {
    let xray = XRay::start(|_| ok("{}"));
    let relay = Running::start(aws(&settings(&xray.url())).await).await;
    let theirs = "Authorization: AWS4-HMAC-SHA256 Credential=THEIRS\r\nX-Amz-Date: 20200101T000000Z\r\n\
                  X-Amz-Security-Token: theirs\r\nConnection: X-Drop\r\nX-Drop: 1\r\nCookie: c\r\n";
    assert_eq!(relay.post("/SamplingTargets", theirs, "{}").await.0, 200);
    let request = xray.requests().remove(0);
    assert!(request.is_signed_with("http", "eu-central-1", "xray", &credentials()));
    for header in ["connection", "x-drop", "cookie"] {
        assert_eq!(request.header(header), None, "{header}");
    }
}

#[tokio::test]
async fn without_a_token_of_its_own_the_senders_token_does_not_pass() {
    let xray = XRay::start(|_| ok("{}"));
    let plain = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    let aws = Aws::with_credentials(&settings(&xray.url()), plain.clone()).await.unwrap();
    let relay = Running::start(aws).await;
    relay.post("/GetSamplingRules", "X-Amz-Security-Token: theirs\r\n", "{}").await;
    let request = xray.requests().remove(0);
    assert!(request.is_signed_with("http", "eu-central-1", "xray", &plain));
}

#[tokio::test]
async fn any_method_and_http_1_0_are_forwarded() {
    let xray = XRay::start(|_| ok("[]"));
    let relay = Running::start(aws(&settings(&xray.url())).await).await;
    let (status, answer) = relay.send("GET /Groups HTTP/1.0\r\n\r\n").await;
    assert_eq!(status, 200, "{answer}");
    let (status, _) = relay.send("DELETE /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    assert_eq!(status, 200);
    let chunked = "POST /y HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    assert_eq!(relay.send(chunked).await.0, 200);
    let requests = xray.requests();
    let methods: Vec<&str> = requests.iter().map(|request| request.method.as_str()).collect();
    assert_eq!(methods, ["GET", "DELETE", "POST"]);
    assert_eq!(&requests[2].body[..], b"abc");
}

#[tokio::test]
async fn what_is_no_http_gets_400() {
    let xray = XRay::start(|_| ok("{}"));
    let relay = Running::start(aws(&settings(&xray.url())).await).await;
    assert_eq!(relay.send("\u{1}\u{2}\u{3}\r\n\r\n").await.0, 400);
    let connect = "CONNECT 10.0.0.1:443 HTTP/1.1\r\nHost: 10.0.0.1:443\r\nConnection: close\r\n\r\n";
    assert_eq!(relay.send(connect).await.0, 405);
    assert!(xray.requests().is_empty());
}

#[tokio::test]
async fn pages_in_a_browser_are_refused() {
    let xray = XRay::start(|_| ok("{}"));
    let relay = Running::start(aws(&settings(&xray.url())).await).await;
    for headers in [
        "Origin: https://evil.example\r\n",
        "Origin: null\r\n",
        "Host: evil.example:2000\r\n",
        "Host: evil.example:2000\r\nOrigin: http://evil.example:2000\r\n",
    ] {
        let (status, answer) = relay.post("/GetSamplingRules", headers, "{}").await;
        assert_eq!(status, 403, "{headers}");
        assert!(answer.contains("application/json") && answer.contains("\"message\""), "{answer}");
    }
    assert_eq!(relay.count(RelayOutcome::Refused), 4);
    assert!(xray.requests().is_empty());
}

#[tokio::test]
async fn an_allowed_host_and_an_allowed_path_pass() {
    let xray = XRay::start(|_| ok("{}"));
    let guard =
        Guard::new(&["xray.corp.example".into()], &["/GetSamplingRules".into()], &Environment::default());
    let relay =
        Running::start_with(aws(&settings(&xray.url())).await, |settings| settings.guard = guard).await;
    assert_eq!(relay.post("/GetSamplingRules", "Host: xray.corp.example:2000\r\n", "{}").await.0, 200);
    let (status, answer) = relay.post("/TraceSummaries", "", "{}").await;
    assert_eq!(status, 403);
    assert!(answer.contains("AllowPaths"), "{answer}");
    assert_eq!(xray.requests().len(), 1);
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_with_and_without_a_length() {
    let xray = XRay::start(|_| ok("{}"));
    let relay =
        Running::start_with(aws(&settings(&xray.url())).await, |settings| settings.max_body = 1000).await;
    assert_eq!(relay.post("/x", "", &"a".repeat(1000)).await.0, 200);
    assert_eq!(relay.post("/x", "", &"a".repeat(1001)).await.0, 413);
    let mut chunked = "POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned();
    for _ in 0..11 {
        chunked += &format!("64\r\n{}\r\n", "a".repeat(100));
    }
    chunked += "0\r\n\r\n";
    assert_eq!(relay.send(chunked).await.0, 413);
    assert_eq!(relay.count(RelayOutcome::BadBody), 2);
    assert_eq!(xray.requests().len(), 1);
}

#[tokio::test]
async fn bodies_wait_for_room_and_get_it() {
    let xray = XRay::start(|_| ok("{}"));
    let relay = Running::start(aws(&settings(&xray.url())).await).await;
    let body = "a".repeat(1 << 20);
    // Four bodies of 1 MB have room at a time.
    let posts = (0..12).map(|_| relay.post("/x", "", &body));
    let mut statuses = Vec::new();
    for post in futures(posts).await {
        statuses.push(post.0);
    }
    assert_eq!(statuses, [200; 12]);
    assert_eq!(xray.requests().len(), 12);
}

#[tokio::test]
async fn the_wait_for_room_is_no_part_of_a_bodys_time() {
    let xray = XRay::start(|request| if request.path == "/hang" { Answer::Hang } else { ok("{}") });
    let relay = Running::start_with(aws(&settings(&xray.url())).await, |settings| {
        settings.max_body = 4 << 20;
        settings.timeout = Duration::from_secs(6);
        settings.body_timeout = Duration::from_secs(2);
    })
    .await;
    // Takes all the room, until the relay gives up on X-Ray's answer.
    let all = "a".repeat((4 << 20) - 1);
    let second = async {
        while xray.requests().is_empty() {
            tokio::task::yield_now().await;
        }
        relay.post("/x", "", "{}").await
    };
    let (first, second) = tokio::join!(relay.post("/hang", "", &all), second);
    assert_eq!((first.0, second.0), (504, 200), "{second:?}");
}

/// Clients that keep their connections and use them over and over, more than there are places.
#[tokio::test]
async fn clients_that_keep_their_connections_leave_room_for_others() {
    let xray = XRay::start(|_| ok("{}"));
    let relay = Running::start(aws(&settings(&xray.url())).await).await;
    let address = relay.address;
    let (done, opened) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (is_done, count) = (Arc::clone(&done), Arc::clone(&opened));
    let keepers = std::thread::Builder::new()
        .spawn(move || {
            let request = b"POST /kept HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}";
            let ask = |mut stream: TcpStream| {
                stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
                stream.write_all(request).ok()?;
                let mut byte = [0; 1];
                match stream.read(&mut byte) {
                    // The end of the connection; one that waits for a place is kept.
                    Ok(0) => return None,
                    Ok(_) => {
                        let mut rest = [0; 4096];
                        let _ = stream.read(&mut rest);
                    }
                    Err(_) => {}
                }
                Some(stream)
            };
            let mut kept: Vec<TcpStream> = Vec::new();
            while !is_done.load(Ordering::SeqCst) {
                kept = kept.into_iter().filter_map(ask).collect();
                if kept.len() < 150 {
                    count.fetch_add(10, Ordering::SeqCst);
                    kept.extend((0..10).filter_map(|_| ask(TcpStream::connect(address).unwrap())));
                }
            }
        })
        .unwrap();
    while opened.load(Ordering::SeqCst) < 150 && !keepers.is_finished() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for _ in 0..3 {
        assert_eq!(relay.post("/other", "", "{}").await.0, 200);
    }
    done.store(true, Ordering::SeqCst);
    keepers.join().unwrap();
}

/// Waits for all, at the same time.
async fn futures<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut pending: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|cx| {
        let mut is_done = true;
        for (future, output) in &mut pending {
            if output.is_none() {
                match future.as_mut().poll(cx) {
                    std::task::Poll::Ready(value) => *output = Some(value),
                    std::task::Poll::Pending => is_done = false,
                }
            }
        }
        if is_done { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    pending.into_iter().filter_map(|(_, output)| output).collect()
}

#[tokio::test]
async fn no_answer_in_time_is_a_504() {
    let xray = XRay::start(|_| Answer::Hang);
    let short = |settings: &mut RelaySettings| settings.timeout = Duration::from_millis(300);
    let relay = Running::start_with(aws(&settings(&xray.url())).await, short).await;
    let (status, answer) = relay.post("/GetSamplingRules", "", "{}").await;
    assert_eq!(status, 504);
    assert!(answer.contains("timeout"), "{answer}");
    assert_eq!(relay.count(RelayOutcome::Timeout), 1);
}

#[tokio::test]
async fn an_answer_that_stalls_is_cut_off() {
    let xray = XRay::start(|_| Answer::HangInBody);
    let short = |settings: &mut RelaySettings| settings.timeout = Duration::from_millis(500);
    let relay = Running::start_with(aws(&settings(&xray.url())).await, short).await;
    let (status, answer) = relay.post("/GetSamplingRules", "", "{}").await;
    assert_eq!(status, 200);
    assert!(!answer.ends_with("0\r\n\r\n"), "the body must not look complete: {answer}");
}

#[tokio::test]
async fn an_x_ray_that_is_down_is_a_502_with_a_reason() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let relay = Running::start(aws(&settings(&format!("http://{free}"))).await).await;
    let (status, answer) = relay.post("/GetSamplingRules", "", "{}").await;
    assert_eq!(status, 502);
    assert!(answer.contains("connection refused"), "{answer}");
    assert_eq!(relay.count(RelayOutcome::Unreachable), 1);
}

#[tokio::test]
async fn without_credentials_nothing_is_forwarded() {
    let xray = XRay::start(|_| ok("{}"));
    let long_ago = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1));
    let expired = Credentials::new("AKIDEXAMPLE", "secret", None, long_ago, "test");
    let aws = Aws::with_credentials(&settings(&xray.url()), expired).await.unwrap();
    let relay = Running::start(aws).await;
    let (status, answer) = relay.post("/GetSamplingRules", "", "{}").await;
    assert_eq!(status, 503);
    assert!(answer.contains("no credentials"), "{answer}");
    assert_eq!(relay.count(RelayOutcome::NoCredentials), 1);
    assert!(xray.requests().is_empty());
}

#[tokio::test]
async fn the_original_directors_request_goes_to_the_region_over_tls() {
    // The original's test names xray.us-east-1.amazonaws.com; a proxy takes the connection for it here.
    let authority = Authority::new();
    let xray = XRay::start_tls(authority.server("localhost", false), |_| ok("{}"));
    let bundle = authority.file.to_str().unwrap();
    let settings =
        Settings { environment: environment(&[("AWS_CA_BUNDLE", bundle)]), ..settings(&xray.url_by_name()) };
    let relay = Running::start(aws(&settings).await).await;
    assert_eq!(relay.post("/GetSamplingRules", "", "Body").await.0, 200);
    let request = xray.requests().remove(0);
    assert_eq!(&request.body[..], b"Body");
    for header in ["authorization", "x-amz-security-token", "x-amz-date"] {
        assert!(request.header(header).is_some(), "{header}");
    }
    let direct = Settings { region: Some("us-east-1".into()), endpoint: None, ..settings };
    let endpoint = aws(&direct).await.client.endpoint().clone();
    assert_eq!((endpoint.scheme(), endpoint.authority()), ("https", "xray.us-east-1.amazonaws.com"));
}

#[tokio::test]
async fn a_taken_port_and_an_unusable_address_are_different_errors() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let second = Duration::from_secs(1);
    let bind = async |address: String| {
        let settings = RelaySettings {
            address,
            guard: Guard::default(),
            timeout: second,
            max_body: 1,
            body_timeout: second,
        };
        Relay::bind(settings, Arc::default()).await.err()
    };
    let listen = bind(taken.local_addr().unwrap().to_string()).await.unwrap();
    assert!(matches!(listen, BindError::Listen(..)), "{listen}");
    assert!(listen.to_string().starts_with("proxy http server failed to listen: "), "{listen}");
    let address = bind("no port here".into()).await.unwrap();
    assert!(matches!(address, BindError::Address(..)), "{address}");
    assert!(bind("[::1]:0".into()).await.is_none() || std::net::TcpListener::bind("[::1]:0").is_err());
}

#[tokio::test]
async fn the_central_sampler_works_through_it() {
    let xray = XRay::start(|request| match request.path.as_str() {
        "/GetSamplingRules" => ok(json!({"SamplingRuleRecords": [{"SamplingRule": {
            "RuleName": "checkout", "RuleARN": "arn", "ResourceARN": "*", "Priority": 1, "FixedRate": 1.0,
            "ReservoirSize": 0, "ServiceName": "shop", "ServiceType": "*", "Host": "*", "HTTPMethod": "*",
            "URLPath": "/checkout", "Version": 1, "Attributes": {}
        }, "CreatedAt": 0.0, "ModifiedAt": 0.0}], "NextToken": null})
        .to_string()),
        "/SamplingTargets" => ok(
            json!({"SamplingTargetDocuments": [], "LastRuleModification": 0.0, "UnprocessedStatistics": []})
                .to_string(),
        ),
        _ => error(404, "UnknownOperationException"),
    });
    let relay = Running::start(aws(&settings(&xray.url())).await).await;
    let address = format!("tcp:{0} udp:{0}", relay.address).parse().unwrap();
    let sampler = tokio::task::spawn_blocking(move || {
        let sampler = CentralSampler::new();
        sampler.start(&address, "shop");
        for _ in 0..600 {
            if sampler.stats().rules_fetched > 0 {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        assert_eq!(sampler.problem(), None);
        sampler
    })
    .await
    .unwrap();
    let verdict = sampler.sample(&SamplingRequest::new("shop").with_path("/checkout"));
    assert!(verdict.is_sampled());
    assert_eq!(verdict.rule().map(|rule| &**rule), Some("checkout"));
    let request = xray.requests().remove(0);
    assert_eq!(request.path, "/GetSamplingRules");
    assert!(request.is_signed_with("http", "eu-central-1", "xray", &credentials()));
    let _ = tokio::task::spawn_blocking(move || sampler.stop()).await;
}

#[tokio::test]
async fn a_denied_call_comes_back_as_it_is() {
    let xray =
        XRay::start(|_| status(403, r#"{"Message":"not authorized to perform: xray:GetSamplingRules"}"#));
    let relay = Running::start(aws(&settings(&xray.url())).await).await;
    let (status, answer) = relay.post("/GetSamplingRules", "", "{}").await;
    assert_eq!(status, 403);
    assert!(answer.contains("not authorized to perform: xray:GetSamplingRules"), "{answer}");
}
