//! Signed calls: signature, proxy, errors and clock, against servers on loopback.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use xray_daemon::aws::{Call, CallError, Settings};

use crate::edge::tls::Authority;
use crate::edge::xray::{Answer, XRay, error, ok};
use crate::edge::{aws, credentials, environment, settings};

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
async fn failures_are_sorted_as_telemetry_counts_them() {
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
