//! Where credentials and region are found, each case in a process of its own, against servers on loopback.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use xray_daemon::aws::{Aws, Call, CallError, Settings, SetupError};

use crate::edge::child;
use crate::edge::xray::{Answer, XRay, error, ok};

fn body() -> Bytes {
    Bytes::from_static(br#"{"TraceSegmentDocuments":["{}"]}"#)
}

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
    child::run("credentials::child_shows_credentials", &variables)
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
        role_credentials(action, if action == "AssumeRole" { "AKROLE" } else { "AKWEB" })
    })
}

/// What STS says to one of the actions that hand out credentials.
fn role_credentials(action: &str, key: &str) -> Answer {
    let xml = format!(
        "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result><Credentials>\
         <AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
         <Expiration>2999-01-01T00:00:00Z</Expiration></Credentials><AssumedRoleUser><AssumedRoleId>A:x</AssumedRoleId>\
         <Arn>arn:aws:sts::123456789012:assumed-role/r/x</Arn></AssumedRoleUser></{action}Result></{action}Response>"
    );
    Answer::Reply { status: 200, headers: vec![("content-type", "text/xml".into())], body: xml }
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
fn a_region_without_sts_is_replaced_by_the_partitions_primary_one() {
    let sts = XRay::start(|request| {
        let authorization = request.header("authorization").unwrap().to_owned();
        if authorization.contains("/us-west-1/sts/") {
            let xml = "<ErrorResponse><Error><Type>Sender</Type><Code>RegionDisabledException</Code>\
                       <Message>STS is not activated in this region</Message></Error></ErrorResponse>";
            return Answer::Reply {
                status: 403,
                headers: vec![("content-type", "text/xml".into())],
                body: xml.into(),
            };
        }
        role_credentials("AssumeRole", "AKPRIMARY")
    });
    let shown = shown(&[
        ("AWS_ACCESS_KEY_ID", "AKENV"),
        ("AWS_SECRET_ACCESS_KEY", "s"),
        ("TEST_ROLE", "arn:aws:iam::123456789012:role/other"),
        ("AWS_ENDPOINT_URL_STS", &sts.url()),
    ]);
    assert!(
        shown.contains("credentials: AKPRIMARY (from role assumed with environment variables)"),
        "{shown}"
    );
    let last = sts.requests().pop().unwrap();
    assert!(last.header("authorization").unwrap().contains("/us-east-1/sts/"));
}

#[test]
fn credentials_come_from_single_sign_on() {
    let sso = XRay::start(|_| {
        ok(
            r#"{"roleCredentials":{"accessKeyId":"AKSSO","secretAccessKey":"s","sessionToken":"t","expiration":32503680000000}}"#,
        )
    });
    let config = scratch(
        "sso-config",
        "[default]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = reader\n\
         [sso-session s]\nsso_region = us-east-1\nsso_start_url = https://d-1.awsapps.com/start\n",
    );
    let home = std::env::temp_dir().join(format!("xray-daemon-it-{}-home", std::process::id()));
    let cache = home.join(".aws/sso/cache");
    std::fs::create_dir_all(&cache).unwrap();
    // The file is named by the SHA-1 of the session's name.
    let token = r#"{"accessToken":"sso-token","expiresAt":"2999-01-01T00:00:00Z","region":"us-east-1","startUrl":"https://d-1.awsapps.com/start"}"#;
    std::fs::write(cache.join("a0f1490a20d0211c997b44bc357e1972deab8ae3.json"), token).unwrap();
    let shown = shown(&[
        ("HOME", home.to_str().unwrap()),
        ("AWS_CONFIG_FILE", &config),
        ("AWS_ENDPOINT_URL_SSO", &sso.url()),
    ]);
    assert!(shown.contains("credentials: AKSSO (from profile)"), "{shown}");
    let request = sso.requests().remove(0);
    assert_eq!(request.header("x-amz-sso_bearer_token"), Some("sso-token"));
    assert!(request.path.contains("role_name=reader"), "{}", request.path);
    std::fs::remove_dir_all(home).unwrap();
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
    let cases: [(&[(&str, &str)], &str); 7] = [
        (&[none], "no region: Cannot fetch region variable"),
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

/// A client as a process that `TEST_ENDPOINT` and its other variables configure has it.
async fn client_of_the_environment() -> xray_daemon::aws::SignedClient {
    let settings = Settings {
        region: Some("us-west-1".into()),
        endpoint: std::env::var("TEST_ENDPOINT").ok(),
        environment: xray_daemon::config::Environment::from_process(),
        ..Settings::default()
    };
    Aws::set_up(&settings).await.unwrap().client
}

/// Posts three times: the second answer says that the credentials are expired.
#[test]
#[ignore = "runs in a process of its own"]
fn child_refreshes_credentials() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = client_of_the_environment().await;
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
        "credentials::child_refreshes_credentials",
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
        let client = client_of_the_environment().await;
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
        "credentials::child_waits_for_credentials",
        &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url), ("TEST_ENDPOINT", &xray.url())],
    );
    assert_eq!(xray.requests().len(), 1, "nothing was sent unsigned");
    assert!(asked.load(Ordering::SeqCst) >= 3);
}
