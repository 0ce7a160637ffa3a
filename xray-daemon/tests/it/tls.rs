//! TLS for real: certificates of a test authority, good ones accepted, bad ones refused before anything is sent.

use std::time::Duration;

use bytes::Bytes;
use xray_daemon::aws::{Call, CallError, Reply, Settings, SetupError};

use crate::edge::tls::Authority;
use crate::edge::xray::{XRay, ok};
use crate::edge::{aws, environment, settings};

async fn post(settings: &Settings) -> Result<Reply, CallError> {
    aws(settings).await.client.post("/TraceSegments", Bytes::from_static(b"{}")).await
}

fn trusting(authority: &Authority, xray: &XRay) -> Settings {
    let bundle = authority.file.to_str().unwrap();
    Settings { environment: environment(&[("AWS_CA_BUNDLE", bundle)]), ..settings(&xray.url_by_name()) }
}

#[tokio::test]
async fn a_certificate_of_a_known_authority_is_accepted_and_http_2_spoken() {
    let authority = Authority::new();
    let xray = XRay::start_tls(authority.server("localhost", false), |_| ok("{}"));
    post(&trusting(&authority, &xray)).await.unwrap();
    let request = xray.requests().remove(0);
    assert_eq!(request.version, http::Version::HTTP_2);
}

/// The server's end, and what the error says of it.
fn bad_ones(authority: &Authority) -> Vec<(XRay, Settings, &'static str)> {
    let server = |tls| XRay::start_tls(tls, |_| ok("{}"));
    let other_host = server(authority.server("xray.example.com", false));
    let expired = server(authority.server("localhost", true));
    let stranger = Authority::new();
    let unknown = server(stranger.server("localhost", false));
    [(other_host, "not valid for name"), (expired, "expired"), (unknown, "UnknownIssuer")]
        .into_iter()
        .map(|(xray, word)| {
            let settings = trusting(authority, &xray);
            (xray, settings, word)
        })
        .collect()
}

#[tokio::test]
async fn wrong_host_expired_and_unknown_authority_are_refused() {
    let authority = Authority::new();
    for (xray, settings, word) in bad_ones(&authority) {
        let error = post(&settings).await.unwrap_err();
        assert!(matches!(error, CallError::Tls(_)), "{error}");
        assert!(error.to_string().contains(word), "{error}");
        assert!(xray.requests().is_empty(), "nothing is sent to a stranger");
    }
}

#[tokio::test]
async fn no_verify_ssl_accepts_them_all() {
    let authority = Authority::new();
    for (xray, settings, word) in bad_ones(&authority) {
        let settings = Settings { no_verify_ssl: true, ..settings };
        assert!(post(&settings).await.is_ok(), "{word}");
        assert_eq!(xray.requests().len(), 1);
    }
}

#[tokio::test]
async fn the_machines_roots_do_not_know_the_test_authority() {
    let authority = Authority::new();
    let xray = XRay::start_tls(authority.server("localhost", false), |_| ok("{}"));
    let error = post(&settings(&xray.url_by_name())).await.unwrap_err();
    assert!(matches!(error, CallError::Tls(_)), "{error}");
}

#[tokio::test]
async fn a_certificate_that_is_replaced_is_accepted_by_the_next_call() {
    let authority = Authority::new();
    let bad = XRay::start_tls(authority.server("localhost", true), |_| ok("{}"));
    let address = bad.address().to_string();
    let aws = aws(&trusting(&authority, &bad)).await;
    let call = || aws.client.post("/TraceSegments", Bytes::from_static(b"{}"));
    assert!(matches!(call().await, Err(CallError::Tls(_))));
    drop(bad);
    let good = XRay::start_at(&address, Some(authority.server("localhost", false)), |_| ok("{}"));
    call().await.unwrap();
    assert_eq!(good.requests().len(), 1);
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_refused() {
    let authority = Authority::new();
    let xray = XRay::start(|_| ok("{}"));
    let url = format!("https://localhost:{}", xray.address().port());
    let mut settings = Settings { endpoint: Some(url), ..trusting(&authority, &xray) };
    settings.limits.attempt = Duration::from_secs(10);
    let error = post(&settings).await.unwrap_err();
    assert!(matches!(error, CallError::Tls(_) | CallError::Other(_)), "{error}");
    assert!(xray.requests().is_empty());
}

#[tokio::test]
async fn a_bundle_that_is_missing_ends_the_start() {
    let settings = Settings {
        environment: environment(&[("AWS_CA_BUNDLE", "/nonexistent/ca.pem")]),
        ..settings("https://localhost:1")
    };
    let error = xray_daemon::aws::Aws::set_up(&settings).await.err().unwrap();
    assert!(matches!(error, SetupError::Trust(_)), "{error}");
    assert!(error.to_string().contains("/nonexistent/ca.pem"), "{error}");
}
