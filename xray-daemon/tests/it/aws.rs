//! Signed calls: signature, proxy, errors, clock, region and credentials, against servers on loopback.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use xray_daemon::aws::{Aws, Call, CallError, Settings, SetupError};

use crate::edge::tls::Authority;
use crate::edge::xray::{Answer, XRay, error, ok};
use crate::edge::{aws, child, credentials, environment, settings};

fn body() -> Bytes {
    Bytes::from_static(br#"{"TraceSegmentDocuments":["{}"]}"#)
}

#[tokio::test]
async fn a_call_has_the_originals_form_and_a_valid_signature() {
    let xray = XRay::start(|_| ok("{}"));
    let settings = Settings {
        environment: environment(&[("AWS_EXECUTION_ENV", "AWS_ECS_FARGATE")]),
        ..settings(&xray.url())
    };
    let reply = aws(&settings).await.client.post("/TraceSegments", body()).await.unwrap();
    assert_eq!((reply.status.as_u16(), &reply.body[..]), (200, &b"{}"[..]));
    let request = xray.requests().remove(0);
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/TraceSegments"));
    assert_eq!(request.body, body());
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert!(request.is_signed_with("http", "eu-central-1", "xray", &credentials()));
    let agent = request.header("user-agent").unwrap();
    assert!(
        agent.starts_with("xray-agent/xray-daemon/") && agent.contains(" exec-env/AWS_ECS_FARGATE OS/"),
        "{agent}"
    );
    let (seconds, fraction) = request.header("x-amzn-xray-timestamp").unwrap().split_once('.').unwrap();
    assert_eq!((seconds.len(), fraction.len()), (10, 9));
    let authorization = request.header("authorization").unwrap();
    assert!(
        authorization.contains("x-amzn-xray-timestamp")
            && authorization.contains("/eu-central-1/xray/aws4_request")
    );
}

#[tokio::test]
async fn a_changed_body_breaks_the_signature() {
    let xray = XRay::start(|_| ok("{}"));
    aws(&settings(&xray.url())).await.client.post("/TraceSegments", body()).await.unwrap();
    let mut request = xray.requests().remove(0);
    request.body = Bytes::from_static(b"{}");
    assert!(!request.is_signed_with("http", "eu-central-1", "xray", &credentials()));
}

#[tokio::test]
async fn an_answer_with_an_error_status_is_an_answer() {
    let xray = XRay::start(|_| error(429, "ThrottledException"));
    let reply = aws(&settings(&xray.url())).await.client.post("/TraceSegments", body()).await.unwrap();
    assert_eq!(reply.status.as_u16(), 429);
    assert_eq!(reply.headers["x-amzn-errortype"], "ThrottledException");
}

#[tokio::test]
async fn failures_are_told_apart() {
    let call = async |settings: &Settings| {
        aws(settings).await.client.post("/TraceSegments", body()).await.unwrap_err()
    };
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = call(&settings(&format!("http://{free}"))).await;
    assert!(matches!(refused, CallError::ConnectionRefused(_)), "{refused}");
    let unknown = call(&settings("http://xray.invalid:2001")).await;
    assert!(matches!(&unknown, CallError::UnknownHost(why) if why.contains("xray.invalid")), "{unknown}");
    let cut = XRay::start(|_| Answer::Cut);
    let cut = call(&settings(&cut.url())).await;
    assert!(matches!(cut, CallError::Other(_)), "{cut}");
    for answer in [Answer::Hang, Answer::HangInBody] {
        let hanging = XRay::start(move |_| answer.clone());
        let mut short = settings(&hanging.url());
        short.limits.attempt = Duration::from_millis(500);
        let late = call(&short).await;
        assert!(matches!(late, CallError::Timeout(_)), "{late}");
        assert_eq!(hanging.requests().len(), 1);
    }
}

#[tokio::test]
async fn connections_are_used_again() {
    let xray = XRay::start(|_| ok("{}"));
    let aws = aws(&settings(&xray.url())).await;
    for _ in 0..5 {
        aws.client.post("/TraceSegments", body()).await.unwrap();
    }
    assert_eq!((xray.requests().len(), xray.connections()), (5, 1));
}

#[tokio::test]
async fn requests_are_signed_with_the_endpoints_time() {
    for hours in [1_i64, -1] {
        let shifted = move || {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
            now.strict_add_signed(hours * 3600)
        };
        let xray = XRay::start(move |_| {
            let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(shifted()));
            Answer::Reply { status: 403, headers: vec![("date", date)], body: "{}".into() }
        });
        let aws = aws(&settings(&xray.url())).await;
        for _ in 0..2 {
            aws.client.post("/TraceSegments", body()).await.unwrap();
        }
        let requests = xray.requests();
        assert!(requests[0].signed_at().abs_diff(shifted()) > 3500);
        assert!(requests[1].signed_at().abs_diff(shifted()) < 60, "{hours}");
        assert!(requests[1].is_signed_with("http", "eu-central-1", "xray", &credentials()));
        assert!((aws.client.clock().correction() - hours * 3600).abs() < 60);
        aws.client.correct_clock(0);
        assert_eq!(aws.client.clock().correction(), 0);
    }
}

/// A proxy that tunnels (CONNECT) and forwards (whole URL), and notes the heads of its requests.
fn start_proxy(target: std::net::SocketAddr) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let heads = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&heads);
    thread::Builder::new()
        .spawn(move || {
            for client in listener.incoming() {
                let mut client = client.unwrap();
                let mut reader = BufReader::new(client.try_clone().unwrap());
                let mut head = String::new();
                while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap_or(0) > 0 {}
                noted.lock().unwrap().push(head.clone());
                let mut server = TcpStream::connect(target).unwrap();
                if head.starts_with("CONNECT ") {
                    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
                } else {
                    server.write_all(head.as_bytes()).unwrap();
                }
                let (mut to_client, mut from_server) = (client, server.try_clone().unwrap());
                thread::Builder::new()
                    .spawn(move || {
                        let mut buffer = [0; 4096];
                        while let Ok(count @ 1..) = reader.read(&mut buffer) {
                            if server.write_all(&buffer[..count]).is_err() {
                                break;
                            }
                        }
                    })
                    .unwrap();
                thread::Builder::new()
                    .spawn(move || std::io::copy(&mut from_server, &mut to_client))
                    .unwrap();
            }
        })
        .unwrap();
    (format!("user:pass@{address}"), heads)
}

#[tokio::test]
async fn tls_goes_through_the_proxys_tunnel_with_its_password() {
    let authority = Authority::new();
    let xray = XRay::start_tls(authority.server("xray.test", false), |_| ok("{}"));
    let (proxy, heads) = start_proxy(xray.address());
    let proxy = format!("http://{proxy}");
    let bundle = authority.file.to_str().unwrap();
    // The name is known to the proxy alone.
    for settings in [
        Settings {
            proxy: Some(proxy.clone()),
            environment: environment(&[("AWS_CA_BUNDLE", bundle), ("HTTPS_PROXY", "http://127.0.0.1:1")]),
            ..settings("https://xray.test")
        },
        Settings {
            environment: environment(&[("AWS_CA_BUNDLE", bundle), ("HTTPS_PROXY", &proxy)]),
            ..settings("https://xray.test")
        },
    ] {
        aws(&settings).await.client.post("/TraceSegments", body()).await.unwrap();
        let head = heads.lock().unwrap().pop().unwrap();
        assert!(head.starts_with("CONNECT xray.test:443 HTTP/1.1\r\n"), "{head}");
        assert!(head.to_ascii_lowercase().contains("proxy-authorization: basic dxnlcjpwyxnz\r\n"), "{head}");
    }
    let requests = xray.requests();
    assert!(requests.iter().all(|request| request.header("proxy-authorization").is_none()));
    // Over HTTP/2 the name is a pseudo-header, and the signature is over it.
    assert!(requests.iter().all(|request| request.version == http::Version::HTTP_2));
}

#[tokio::test]
async fn plain_http_goes_to_the_proxy_as_a_whole_url_unless_it_is_an_exception() {
    let xray = XRay::start(|_| ok("{}"));
    let (proxy, heads) = start_proxy(xray.address());
    let through = Settings { proxy: Some(format!("http://{proxy}")), ..settings("http://xray.test:2001") };
    aws(&through).await.client.post("/TraceSegments", body()).await.unwrap();
    let head = heads.lock().unwrap().pop().unwrap();
    assert!(head.starts_with("POST http://xray.test:2001/TraceSegments HTTP/1.1\r\n"), "{head}");
    let direct = Settings {
        proxy: Some(format!("http://{proxy}")),
        environment: environment(&[("NO_PROXY", "127.0.0.1")]),
        ..settings(&xray.url())
    };
    aws(&direct).await.client.post("/TraceSegments", body()).await.unwrap();
    assert!(heads.lock().unwrap().is_empty());
    assert_eq!(xray.requests().len(), 2);
}

// Credentials and region, each in a process of its own.

/// Prints where the credentials and the region come from; run by the tests below.
#[test]
#[ignore = "runs in a process of its own"]
fn child_shows_credentials() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let get = |name| std::env::var(name).ok();
        let settings = Settings {
            region: get("TEST_REGION"),
            endpoint: get("TEST_ENDPOINT"),
            role: get("TEST_ROLE"),
            local_mode: get("TEST_LOCAL_MODE").is_some(),
            environment: xray_daemon::config::Environment::from_process(),
            ..Settings::default()
        };
        match Aws::set_up(&settings).await {
            Ok(aws) => {
                let findings = aws.check().await;
                println!("\n{}\ngood: {}", findings.lines.join("\n"), findings.is_good);
            }
            Err(SetupError::Region(error)) => println!("\nno region: {error}"),
            Err(error) => println!("\nerror: {error}"),
        }
    });
}

fn shown(variables: &[(&str, &str)]) -> String {
    let usual = [("TEST_REGION", "us-west-1"), ("TEST_ENDPOINT", "http://127.0.0.1:1")];
    let variables: Vec<_> = usual.into_iter().chain(variables.iter().copied()).collect();
    child::run("aws::child_shows_credentials", &variables)
}

fn scratch(name: &str, content: &str) -> String {
    let path = std::env::temp_dir().join(format!("xray-daemon-it-{}-{name}", std::process::id()));
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn credentials_come_from_the_environment() {
    let shown = shown(&[("AWS_ACCESS_KEY_ID", "AKENV"), ("AWS_SECRET_ACCESS_KEY", "s")]);
    assert!(shown.contains("credentials: AKENV (from environment variables)"), "{shown}");
    assert!(shown.contains("region: us-west-1 (from commandline/config file)"), "{shown}");
    assert!(shown.contains("endpoint: http://127.0.0.1:1 (from Endpoint)\n"), "{shown}");
}

#[test]
fn credentials_come_from_a_profile_and_from_its_process() {
    let keys = scratch("keys", "[team]\naws_access_key_id = AKPROFILE\naws_secret_access_key = s\n");
    let profile = shown(&[("AWS_SHARED_CREDENTIALS_FILE", &keys), ("AWS_PROFILE", "team")]);
    assert!(profile.contains("credentials: AKPROFILE (from profile)"), "{profile}");
    let output = r#"{"Version":1,"AccessKeyId":"AKPROCESS","SecretAccessKey":"s"}"#;
    let config = scratch("config", &format!("[default]\ncredential_process = echo '{output}'\n"));
    let process = shown(&[("AWS_CONFIG_FILE", &config)]);
    assert!(process.contains("credentials: AKPROCESS (from profile)"), "{process}");
}

fn container_credentials(key: &str) -> Answer {
    let expiration = "4000-01-01T00:00:00Z";
    ok(format!(r#"{{"AccessKeyId":"{key}","SecretAccessKey":"s","Token":"t","Expiration":"{expiration}"}}"#))
}

#[test]
fn credentials_come_from_the_container_with_its_token() {
    // ECS, and EKS Pod Identity with its token in a file.
    let container = XRay::start(|_| container_credentials("AKCONTAINER"));
    let token = scratch("token", "pod-identity-token");
    let url = format!("{}/v1/credentials", container.url());
    let shown = shown(&[
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &token),
    ]);
    assert!(shown.contains("credentials: AKCONTAINER (from container credentials endpoint)"), "{shown}");
    assert_eq!(container.requests()[0].header("authorization"), Some("pod-identity-token"));
}

/// The metadata service of an instance, with a token for a token.
fn instance() -> XRay {
    XRay::start(|request| match request.path.as_str() {
        "/latest/api/token" => {
            let headers = vec![("x-aws-ec2-metadata-token-ttl-seconds", "21600".to_owned())];
            Answer::Reply { status: 200, headers, body: "imds-token".into() }
        }
        _ if request.header("x-aws-ec2-metadata-token") != Some("imds-token") => error(401, "Unauthorized"),
        "/latest/meta-data/placement/region" => ok("eu-north-1"),
        "/latest/meta-data/iam/security-credentials/" | "/latest/meta-data/iam/security-credentials" => {
            ok("node-role")
        }
        "/latest/meta-data/iam/security-credentials/node-role" => ok(
            r#"{"Code":"Success","LastUpdated":"2026-01-01T00:00:00Z","Type":"AWS-HMAC","AccessKeyId":"AKINSTANCE",
                "SecretAccessKey":"s","Token":"t","Expiration":"4000-01-01T00:00:00Z"}"#,
        ),
        "/latest/meta-data/hostname" => ok("ip-10-0-0-1"),
        _ => error(404, "NotFound"),
    })
}

#[test]
fn credentials_and_region_come_from_the_instance() {
    let instance = instance();
    let url = instance.url();
    let metadata = [("AWS_EC2_METADATA_DISABLED", "false"), ("AWS_EC2_METADATA_SERVICE_ENDPOINT", &*url)];
    let shown = shown(&[metadata[0], metadata[1], ("TEST_REGION", "")]);
    assert!(shown.contains("region: eu-north-1 (from ec2 metadata)"), "{shown}");
    assert!(shown.contains("credentials: AKINSTANCE (from instance role)"), "{shown}");
}

/// STS, which hands out a key named by the action.
fn sts() -> XRay {
    XRay::start(|request| {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let action = if body.contains("Action=AssumeRoleWithWebIdentity&") {
            "AssumeRoleWithWebIdentity"
        } else {
            "AssumeRole"
        };
        let key = if action == "AssumeRole" { "AKROLE" } else { "AKWEB" };
        let xml = format!(
            "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result><Credentials>\
             <AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
             <Expiration>2999-01-01T00:00:00Z</Expiration></Credentials><AssumedRoleUser><AssumedRoleId>A:x</AssumedRoleId>\
             <Arn>arn:aws:sts::123456789012:assumed-role/r/x</Arn></AssumedRoleUser></{action}Result></{action}Response>"
        );
        Answer::Reply { status: 200, headers: vec![("content-type", "text/xml".into())], body: xml }
    })
}

#[test]
fn a_web_identity_token_comes_before_the_profile() {
    let sts = sts();
    let token = scratch("web-token", "jwt");
    let keys =
        scratch("default-keys", "[default]\naws_access_key_id = AKPROFILE\naws_secret_access_key = s\n");
    let shown = shown(&[
        ("AWS_WEB_IDENTITY_TOKEN_FILE", &token),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/pod"),
        ("AWS_SHARED_CREDENTIALS_FILE", &keys),
        ("AWS_ENDPOINT_URL_STS", &sts.url()),
    ]);
    assert!(shown.contains("credentials: AKWEB (from web identity token)"), "{shown}");
}

#[test]
fn the_role_is_assumed_with_what_was_found() {
    let sts = sts();
    let shown = shown(&[
        ("AWS_ACCESS_KEY_ID", "AKENV"),
        ("AWS_SECRET_ACCESS_KEY", "s"),
        ("TEST_ROLE", "arn:aws:iam::123456789012:role/other"),
        ("AWS_ENDPOINT_URL_STS", &sts.url()),
    ]);
    assert!(shown.contains("credentials: AKROLE (from role assumed with environment variables)"), "{shown}");
    let request = sts.requests().remove(0);
    let body = String::from_utf8_lossy(&request.body).into_owned();
    assert!(body.contains("RoleSessionName=xray-daemon"), "{body}");
    assert!(request.header("authorization").unwrap().contains("Credential=AKENV/"));
}

#[test]
fn no_credentials_are_found_out_by_the_check() {
    let shown = shown(&[]);
    assert!(shown.contains("good: false") && shown.contains("credentials: no credentials: "), "{shown}");
}

#[test]
fn regions_are_looked_for_in_the_originals_order() {
    let none = ("TEST_REGION", "");
    let local = ("TEST_LOCAL_MODE", "1");
    let arn = r#"{"TaskARN":"arn:aws:ecs:ap-south-1:012345678910:task/default/2b88376d"}"#;
    let ecs = scratch("ecs", arn);
    let ecs = [("ECS_ENABLE_CONTAINER_METADATA", "true"), ("ECS_CONTAINER_METADATA_FILE", &*ecs)];
    let config = scratch("region", "[default]\nregion = sa-east-1\n");
    let profile = ("AWS_CONFIG_FILE", &*config);
    let cases: [(&[(&str, &str)], &str); 6] = [
        (
            &[("AWS_REGION", "us-west-2"), ("TEST_REGION", "ap-northeast-1")],
            "region: ap-northeast-1 (from commandline/config file)",
        ),
        (
            &[none, ("AWS_REGION", "us-west-2"), ecs[0], ecs[1]],
            "region: us-west-2 (from environment variables)",
        ),
        (&[none, ecs[0], ecs[1], ("AWS_DEFAULT_REGION", "x")], "region: ap-south-1 (from ECS metadata file)"),
        (
            &[none, local, ecs[0], ecs[1], profile, ("AWS_DEFAULT_REGION", "ca-west-1")],
            "region: ca-west-1 (from config)",
        ),
        (&[none, local, profile], "region: sa-east-1 (from config)"),
        (&[none, local], "no region: Cannot fetch region variable from config file, environment variables"),
    ];
    for (variables, expected) in cases {
        let shown = shown(variables);
        assert!(shown.contains(expected), "{variables:?}\n{shown}");
    }
}

/// Posts three times: the second answer says that the credentials are expired.
#[test]
#[ignore = "runs in a process of its own"]
fn child_refreshes_credentials() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let settings = Settings {
            region: Some("us-west-1".into()),
            endpoint: std::env::var("TEST_ENDPOINT").ok(),
            environment: xray_daemon::config::Environment::from_process(),
            ..Settings::default()
        };
        let client = Aws::set_up(&settings).await.unwrap().client;
        assert!(client.post("/1", body()).await.unwrap().status.is_success());
        let refused = client.post("/2", body()).await.unwrap();
        assert_eq!(refused.headers["x-amzn-errortype"], "ExpiredTokenException");
        // A search is not repeated within a second.
        tokio::time::sleep(Duration::from_millis(1100)).await;
        client.refresh_credentials();
        assert!(client.post("/3", body()).await.unwrap().status.is_success());
    });
}

#[test]
fn refused_credentials_are_fetched_again() {
    let fetched = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&fetched);
    let container = XRay::start(move |_| {
        let number = counted.fetch_add(1, Ordering::SeqCst);
        container_credentials(&format!("AK{number}"))
    });
    let xray = XRay::start(
        |request| if request.path == "/2" { error(403, "ExpiredTokenException") } else { ok("{}") },
    );
    let url = format!("{}/credentials", container.url());
    child::run(
        "aws::child_refreshes_credentials",
        &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url), ("TEST_ENDPOINT", &xray.url())],
    );
    let keys: Vec<String> = xray
        .requests()
        .iter()
        .map(|request| {
            let (_, rest) = request.header("authorization").unwrap().split_once("Credential=").unwrap();
            rest.split('/').next().unwrap().to_owned()
        })
        .collect();
    assert_eq!(keys, ["AK0", "AK0", "AK1"]);
    assert_eq!(fetched.load(Ordering::SeqCst), 2);
}

/// Asks until there are credentials.
#[test]
#[ignore = "runs in a process of its own"]
fn child_waits_for_credentials() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let settings = Settings {
            region: Some("us-west-1".into()),
            endpoint: std::env::var("TEST_ENDPOINT").ok(),
            environment: xray_daemon::config::Environment::from_process(),
            ..Settings::default()
        };
        let client = Aws::set_up(&settings).await.unwrap().client;
        let missing = client.post("/TraceSegments", body()).await.unwrap_err();
        assert!(matches!(missing, CallError::NoCredentials(_)), "{missing}");
        println!("\nwaiting");
        while let Err(error) = client.post("/TraceSegments", body()).await {
            assert!(matches!(error, CallError::NoCredentials(_)), "{error}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
}

#[test]
fn credentials_that_come_late_are_found() {
    let is_there = Arc::new(AtomicBool::new(false));
    let asked = Arc::new(AtomicUsize::new(0));
    let (there, counted) = (Arc::clone(&is_there), Arc::clone(&asked));
    let container = XRay::start(move |_| {
        // The first search asks and gets an error; a later one finds them.
        if counted.fetch_add(1, Ordering::SeqCst) >= 3 {
            there.store(true, Ordering::SeqCst);
        }
        if there.load(Ordering::SeqCst) { container_credentials("AKLATE") } else { error(404, "NotThere") }
    });
    let xray = XRay::start(|_| ok("{}"));
    let url = format!("{}/credentials", container.url());
    child::run(
        "aws::child_waits_for_credentials",
        &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url), ("TEST_ENDPOINT", &xray.url())],
    );
    assert_eq!(xray.requests().len(), 1, "nothing was sent unsigned");
    assert!(asked.load(Ordering::SeqCst) >= 3);
}
