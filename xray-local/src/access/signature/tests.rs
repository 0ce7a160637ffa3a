//! Signatures: forms that are accepted, ages, scopes, and every changed byte.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

use super::*;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

struct Request {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Request {
    fn received(&self) -> Received<'_> {
        Received { method: &self.method, uri: &self.uri, headers: &self.headers, body: &self.body }
    }

    fn check(&self, expected: &Expected<'_>) -> Result<(), SignatureError> {
        let signed = Signed::read(&self.received())?;
        if signed.credential.key != "AKIDEXAMPLE" {
            return Err(SignatureError::UnknownClient);
        }
        signed.check_scope(expected)?;
        signed.verify(&self.received(), SECRET)
    }
}

/// 2026-11-26T22:15:00Z
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_731_300)
}

fn expected() -> Expected<'static> {
    Expected { region: Some("us-east-1"), service: "xray", now: now() }
}

fn request(at: SystemTime, token: Option<&str>, presigned: bool) -> Request {
    signed(at, token, presigned, None)
}

/// A request of which the signature covers `payload` in place of the body's hash. Its headers say so, as S3's do.
fn signed(at: SystemTime, token: Option<&str>, presigned: bool, payload: Option<&str>) -> Request {
    let identity = Credentials::new("AKIDEXAMPLE", SECRET, token.map(str::to_owned), None, "test").into();
    let mut settings = SigningSettings::default();
    if presigned {
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(Duration::from_secs(300));
    }
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name("xray")
        .time(at)
        .settings(settings)
        .build()
        .unwrap()
        .into();
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static("127.0.0.1:2001"));
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    if let Some(payload) = payload {
        headers.insert("x-amz-content-sha256", payload.parse().unwrap());
    }
    let body = br#"{"StartTime": 1, "EndTime": 2}"#.to_vec();
    let uri = "http://127.0.0.1:2001/TraceSummaries?b=2&a=%2Fx";
    let pairs: Vec<(&str, &str)> = headers.iter().map(|(k, v)| (k.as_str(), v.to_str().unwrap())).collect();
    let covered =
        payload.map_or(SignableBody::Bytes(&body), |hash| SignableBody::Precomputed(hash.to_owned()));
    let signable = SignableRequest::new("POST", uri, pairs.into_iter(), covered).unwrap();
    let (instructions, _) = sign(signable, &params).unwrap().into_parts();
    let mut query = form_urlencoded::Serializer::new("b=2&a=%2Fx".to_owned());
    for (name, value) in instructions.params() {
        query.append_pair(name, value);
    }
    let uri = format!("/TraceSummaries?{}", query.finish()).parse().unwrap();
    for (name, value) in instructions.headers() {
        headers.insert(HeaderName::try_from(name).unwrap(), value.parse().unwrap());
    }
    Request { method: Method::POST, uri, headers, body }
}

#[test]
fn what_the_signer_signed_is_accepted_in_all_forms() {
    for token in [None, Some("token==")] {
        for presigned in [false, true] {
            let request = request(now(), token, presigned);
            assert_eq!(request.check(&expected()), Ok(()), "{token:?} {presigned}");
            assert_eq!(Signed::read(&request.received()).unwrap().token.as_deref(), token);
        }
    }
}

#[test]
fn clocks_may_be_fifteen_minutes_apart() {
    let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
    for (at, expected_message) in [
        (now() - minutes(14), None),
        (now() + minutes(14), None),
        (
            now() - minutes(16),
            Some(
                "Signature expired: 20261126T215900Z is now earlier than 20261126T220000Z (20261126T221500Z - 15 min.)",
            ),
        ),
        (
            now() + minutes(16),
            Some(
                "Signature not yet current: 20261126T223100Z is still later than 20261126T223000Z (20261126T221500Z + 15 min.)",
            ),
        ),
    ] {
        let found = request(at, None, false).check(&expected()).err();
        assert_eq!(found, expected_message.map(|message| SignatureError::Invalid(message.to_owned())));
    }
    // A presigned request says itself how long it is good for.
    assert!(request(now() - minutes(4), None, true).check(&expected()).is_ok());
    let found = request(now() - minutes(6), None, true).check(&expected()).unwrap_err();
    assert!(found.to_string().starts_with("Signature expired: 20261126T220900Z"), "{found}");
}

#[test]
fn scope_has_to_fit_region_service_and_date() {
    let request = request(now(), None, false);
    let check = |expected: Expected<'_>| request.check(&expected).err().map(|err| err.to_string());
    assert_eq!(
        check(Expected { region: Some("eu-west-1"), ..expected() }).as_deref(),
        Some("Credential should be scoped to a valid region. ")
    );
    assert_eq!(
        check(Expected { service: "sts", ..expected() }).as_deref(),
        Some("Credential should be scoped to correct service: 'sts'. ")
    );
    assert_eq!(check(Expected { region: None, ..expected() }), None);
    let mut other_day = request;
    other_day.headers.insert("x-amz-date", HeaderValue::from_static("20261127T001500Z"));
    let found = other_day.check(&expected()).unwrap_err().to_string();
    assert!(found.starts_with("Date in Credential scope does not match"), "{found}");
}

#[test]
fn missing_and_malformed_signatures_are_named() {
    let unsigned = || {
        let mut request = request(now(), None, false);
        request.headers.remove("authorization");
        request
    };
    assert_eq!(unsigned().check(&expected()), Err(SignatureError::Missing));
    for (header, expected_message) in [
        ("", "requires a signing algorithm"),
        ("Bearer abc", "Unsupported AWS 'algorithm': 'Bearer'"),
        ("AWS4-ECDSA-P256-SHA256 Credential=a", "Unsupported AWS 'algorithm'"),
        (
            "AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request",
            "Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. Authorization=",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=x",
            "exactly 5 slash-delimited elements",
        ),
        ("AWS4-HMAC-SHA256 Credential=a/b/c/d/aws3, SignedHeaders=host, Signature=x", "valid terminator"),
        ("AWS4-HMAC-SHA256 Credential", "not a valid key=value pair"),
        ("AWS4-HMAC-SHA256 Signature=a, Signature=b", "not a valid key=value pair"),
    ] {
        let mut request = unsigned();
        request.headers.insert("authorization", HeaderValue::from_str(header).unwrap());
        let found = request.check(&expected()).unwrap_err().to_string();
        assert!(found.contains(expected_message), "{header}: {found}");
    }
    let mut twice = request(now(), None, false);
    twice.headers.append("x-amz-date", HeaderValue::from_static("20261126T221500Z"));
    assert!(twice.check(&expected()).unwrap_err().to_string().contains("must occur once"));
}

/// Only S3 takes signatures that leave the body out, or that sign it chunk by chunk.
#[test]
fn a_signature_over_anything_but_the_bodys_hash_is_refused() {
    let hash = {
        use sha2::Digest as _;
        let body = request(now(), None, false).body;
        sha2::Sha256::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    assert_eq!(signed(now(), None, false, Some(&hash)).check(&expected()), Ok(()));
    let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    for payload in [
        "UNSIGNED-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        nothing,
    ] {
        for presigned in [false, true] {
            let mut request = signed(now(), None, presigned, Some(payload));
            assert_eq!(request.check(&expected()), Err(SignatureError::mismatch()), "{payload} {presigned}");
            request.headers.insert("content-encoding", HeaderValue::from_static("aws-chunked"));
            request.body =
                [b"1e;chunk-signature=00\r\n", &request.body[..], b"\r\n0;chunk-signature=00\r\n\r\n"]
                    .concat();
            assert_eq!(request.check(&expected()), Err(SignatureError::mismatch()), "{payload} {presigned}");
        }
    }
}

#[test]
fn a_header_that_is_listed_twice_is_refused() {
    let mut request = request(now(), None, false);
    let header = request.headers["authorization"].to_str().unwrap().replace("host;", "host;host;");
    request.headers.insert("authorization", header.parse().unwrap());
    assert_eq!(request.check(&expected()), Err(SignatureError::mismatch()));
}

#[test]
fn a_signature_that_leaves_the_host_out_is_refused() {
    let mut request = request(now(), None, false);
    let header = request.headers["authorization"].to_str().unwrap().replace("host;", "");
    request.headers.insert("authorization", header.parse().unwrap());
    assert!(request.check(&expected()).unwrap_err().to_string().contains("'Host' or ':authority'"));
}

#[test]
fn no_request_with_a_changed_byte_is_accepted() {
    let mut refused = 0;
    for presigned in [false, true] {
        let original = request(now(), Some("token"), presigned);
        for index in 0..original.body.len() {
            for bit in 0..8 {
                let mut changed = request(now(), Some("token"), presigned);
                changed.body[index] ^= 1 << bit;
                assert!(changed.check(&expected()).is_err());
                refused += 1;
            }
        }
        let uri = original.uri.to_string().into_bytes();
        for index in 0..uri.len() {
            for bit in 0..8 {
                let mut bytes = uri.clone();
                bytes[index] ^= 1 << bit;
                let Some(uri) = String::from_utf8(bytes).ok().and_then(|uri| uri.parse::<Uri>().ok()) else {
                    continue;
                };
                let mut changed = request(now(), Some("token"), presigned);
                changed.uri = uri;
                let as_written = changed.uri.to_string();
                assert!(
                    changed.check(&expected()).is_err() || as_written == original.uri.to_string(),
                    "{as_written}"
                );
                refused += 1;
            }
        }
        for name in original.headers.keys().filter(|name| *name != "x-amz-security-token") {
            let value = original.headers[name].as_bytes().to_vec();
            for index in 0..value.len() {
                for bit in 0..8 {
                    let mut bytes = value.clone();
                    bytes[index] ^= 1 << bit;
                    let Ok(value) = HeaderValue::from_bytes(&bytes) else { continue };
                    let mut changed = request(now(), Some("token"), presigned);
                    changed.headers.insert(name, value);

                    assert!(changed.check(&expected()).is_err(), "{name}: {:?}", changed.headers[name]);
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > 4_000, "{refused}");
}
