//! Guard, directory and STS together, over a store in memory and requests that the AWS signer signed.

mod keys;

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

use super::decisions::{Recorder, latest};
use super::signature::Received;
use super::*;
use crate::model::{Door, Home, Time, now};
use crate::store::{Options, Place, Store, StoreError};

struct World {
    store: Store,
    guard: Guard,
    now: Time,
}

struct Request {
    uri: Uri,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Request {
    fn received(&self) -> Received<'_> {
        Received { method: &Method::POST, uri: &self.uri, headers: &self.headers, body: &self.body }
    }
}

impl World {
    fn new(mode: Mode) -> Self {
        let store = Store::open(Options::at(Place::Memory)).unwrap();
        let guard = Guard { mode, home: Home::default(), recorder: Recorder::new(store.clone()) };
        Self { store, guard, now: now() }
    }

    fn origin(&self) -> Origin {
        Origin { address: IpAddr::V4(Ipv4Addr::LOCALHOST), now: self.now }
    }

    fn add(&self, new: NewIdentity) -> Option<AccessKey> {
        let (home, now) = (self.guard.home.clone(), self.now);
        self.store.write_blocking(move |connection| directory::add(connection, &home, &new, now)).unwrap().1
    }

    fn user(&self, name: &str, policies: &[&str]) -> AccessKey {
        let policies = policies.iter().map(|name| ((*name).to_owned(), None)).collect();
        self.add(NewIdentity { name: name.to_owned(), policies, ..NewIdentity::default() }).unwrap()
    }

    fn request(&self, key: &AccessKey, service: &str, body: &str) -> Request {
        let identity =
            Credentials::new(key.id.clone(), key.secret.clone(), key.token.clone(), None, "test").into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region("us-east-1")
            .name(service)
            .time(UNIX_EPOCH + Duration::from_micros(self.now.0.unsigned_abs()))
            .settings(SigningSettings::default())
            .build()
            .unwrap()
            .into();
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("127.0.0.1:2001"));
        let pairs = [("host", "127.0.0.1:2001")];
        let signable = SignableRequest::new(
            "POST",
            "http://127.0.0.1:2001/",
            pairs.into_iter(),
            SignableBody::Bytes(body.as_bytes()),
        )
        .unwrap();
        let (instructions, _) = sign(signable, &params).unwrap().into_parts();
        for (name, value) in instructions.headers() {
            headers.insert(HeaderName::try_from(name).unwrap(), value.parse().unwrap());
        }
        headers.insert("content-type", HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.insert("user-agent", HeaderValue::from_static("test/1.0"));
        Request { uri: Uri::from_static("/"), headers, body: body.as_bytes().to_vec() }
    }

    fn ask(&self, request: &Request, action: &str) -> Result<(), Refusal> {
        self.ask_on(request, action, "")
    }

    fn ask_on(&self, request: &Request, action: &str, resource: &str) -> Result<(), Refusal> {
        self.store.read(|connection| {
            let caller = self.guard.identify(connection, &request.received(), "xray", self.origin())?;
            let asked =
                Asked { action: action.to_owned(), resource: resource.to_owned(), ..Asked::default() };
            self.guard.authorize(connection, &caller, &asked, Door::Api, self.now)
        })
    }

    fn sts(&self, key: &AccessKey, form: &str) -> (u16, String) {
        let request = self.request(key, "sts", &format!("Version=2011-06-15&{form}"));
        assert!(sts::is_call(&request.received()));
        let (status, xml) = sts::respond(&self.store, &self.guard, &request.received(), self.origin(), "id");
        (status.as_u16(), xml)
    }

    fn flush(&self) {
        self.guard.recorder.flush_blocking().unwrap();
    }
}

fn element<'a>(xml: &'a str, name: &str) -> &'a str {
    let rest = xml.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name} in {xml}")).1;
    rest.split_once("</").unwrap().0
}

fn key_of(xml: &str) -> AccessKey {
    AccessKey {
        id: element(xml, "AccessKeyId").to_owned(),
        secret: element(xml, "SecretAccessKey").to_owned(),
        owner: String::new(),
        token: Some(element(xml, "SessionToken").to_owned()),
        session: None,
        policy: None,
        created: Time(0),
        expires: None,
    }
}

#[test]
fn a_user_may_do_what_its_policies_say_and_reads_awss_words_otherwise() {
    let world = World::new(Mode::Enforce);
    let key = world.user("app", &["AWSXRayDaemonWriteAccess"]);
    let request = world.request(&key, "xray", "{}");
    assert_eq!(world.ask(&request, "xray:PutTraceSegments"), Ok(()));
    let refusal = world.ask(&request, "xray:GetTraceSummaries").unwrap_err();
    assert_eq!((refusal.code(), refusal.status()), ("AccessDeniedException", 403));
    assert_eq!(
        refusal.to_string(),
        "User: arn:aws:iam::123456789012:user/app is not authorized to perform: xray:GetTraceSummaries because no \
         identity-based policy allows the xray:GetTraceSummaries action"
    );
    world.flush();
    let recorded = world.store.read(|connection| latest(connection, false, 10)).unwrap();
    let lines: Vec<String> = recorded
        .iter()
        .map(|row| format!("{} {} {}", row.decision.action, row.decision.allowed, row.decision.reason))
        .collect();
    assert!(
        lines.contains(
            &"xray:PutTraceSegments true allowed by AWSXRayDaemonWriteAccess, statement 1".to_owned()
        )
    );
    assert!(lines.iter().any(|line| line.starts_with("xray:GetTraceSummaries false User: ")), "{lines:?}");
}

#[test]
fn keys_that_are_wrong_or_unknown_are_refused_as_aws_does_it() {
    let world = World::new(Mode::Enforce);
    let key = world.user("app", &["AWSXrayFullAccess"]);
    let code =
        |key: &AccessKey| world.ask(&world.request(key, "xray", "{}"), "xray:GetGroups").unwrap_err().code();
    let unknown = AccessKey { id: "AKIAUNKNOWN".to_owned(), ..key.clone() };
    assert_eq!(code(&unknown), "UnrecognizedClientException");
    let wrong = AccessKey { secret: "wrong".to_owned(), ..key.clone() };
    assert_eq!(code(&wrong), "InvalidSignatureException");
    let with_token = AccessKey { token: Some("token".to_owned()), ..key.clone() };
    assert_eq!(code(&with_token), "UnrecognizedClientException");
    let mut unsigned = world.request(&key, "xray", "{}");
    unsigned.headers.remove("authorization");
    let refusal = world.ask(&unsigned, "xray:GetGroups").unwrap_err();
    assert_eq!((refusal.code(), refusal.status()), ("MissingAuthenticationTokenException", 403));
    let other_service = world.request(&key, "s3", "{}");
    assert_eq!(world.ask(&other_service, "xray:GetGroups").unwrap_err().code(), "InvalidSignatureException");
}

#[test]
fn warn_lets_through_what_it_records() {
    let world = World::new(Mode::Warn);
    let key = world.user("app", &[]);
    let request = world.request(&key, "xray", "{}");
    assert_eq!(world.ask(&request, "xray:GetGroups"), Ok(()));
    let unknown = AccessKey { id: "test".to_owned(), ..key };
    for _ in 0..3 {
        assert_eq!(world.ask(&world.request(&unknown, "xray", "{}"), "xray:GetGroups"), Ok(()));
        world.flush();
    }
    let denied = world.store.read(|connection| latest(connection, true, 10)).unwrap();
    assert_eq!(denied.len(), 2);
    let unproven = denied.iter().find(|row| row.decision.principal == "test").unwrap();
    assert_eq!((unproven.count, unproven.decision.mode), (3, "warn"));
    assert!(unproven.decision.reason.starts_with("UnrecognizedClientException: "));

    let world = World::new(Mode::Off);
    assert_eq!(world.ask(&world.request(&unknown, "xray", "{}"), "xray:GetGroups"), Ok(()));
    world.flush();
    assert!(world.store.read(|connection| latest(connection, false, 10)).unwrap().is_empty());
}

#[test]
fn a_decision_is_found_again_without_a_look_at_the_others_of_its_minute() {
    let world = World::new(Mode::Warn);
    let plan: Vec<String> = world
        .store
        .read(|connection| {
            let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", decisions::EQUAL))?;
            explain
                .raw_query()
                .mapped(|row| row.get("detail"))
                .collect::<Result<_, _>>()
                .map_err(StoreError::from)
        })
        .unwrap();
    assert_eq!(
        plan,
        [
            "SEARCH decisions USING INDEX decisions_equal (principal=? AND action=? AND resource=? AND at_us>?)"
        ]
    );
}

#[test]
fn ten_thousand_decisions_are_kept() {
    let world = World::new(Mode::Warn);
    let decide = |numbers: std::ops::Range<i64>| {
        for number in numbers {
            let mut decision = decisions::Decision::new(Door::Api, Mode::Warn);
            decision.resource = number.to_string();
            // Within the month for which they are kept, and further apart than equal ones are counted together.
            let at = Time(world.now.0 - (20_000 - number) * 100_000_000);
            world.guard.recorder.record(decision, at);
        }
        world.flush();
        world.store.read(|connection| latest(connection, false, 20_000)).unwrap()
    };
    assert_eq!(decide(0..10_000).len(), 10_000);
    let kept = decide(10_000..10_001);
    assert_eq!((kept.len(), kept[0].decision.resource.as_str()), (10_000, "10000"));
}

#[test]
fn the_daemons_door_acts_as_the_identity_daemon() {
    let world = World::new(Mode::Enforce);
    let (home, now) = (world.guard.home.clone(), world.now);
    for _ in 0..2 {
        let home = home.clone();
        world
            .store
            .write_blocking(move |connection| directory::ensure_daemon(connection, &home, now))
            .unwrap();
    }
    let ask = |action: &str| {
        world.store.read(|connection| {
            let caller = world.guard.daemon(connection, world.origin())?;
            let asked = Asked { action: action.to_owned(), ..Asked::default() };
            world.guard.authorize(connection, &caller, &asked, Door::Daemon, now)
        })
    };
    assert_eq!(ask("xray:GetSamplingRules"), Ok(()));
    let message = ask("xray:GetTraceSummaries").unwrap_err().to_string();
    assert!(
        message.starts_with("User: arn:aws:iam::123456789012:user/daemon is not authorized"),
        "{message}"
    );
}

#[test]
fn a_role_is_assumed_by_those_whom_it_trusts() {
    let world = World::new(Mode::Enforce);
    let app = world.user("app", &[]);
    let other = world.user("other", &[]);
    let trust = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"AWS": "arn:aws:iam::123456789012:user/app"},
        "Condition": {"StringEquals": {"sts:ExternalId": "secret"}}}}"#;
    world.add(NewIdentity {
        name: "reader".to_owned(),
        trust: Some(trust.to_owned()),
        policies: vec![("AWSXrayFullAccess".to_owned(), None)],
        ..NewIdentity::default()
    });
    let form = "Action=AssumeRole&RoleArn=arn:aws:iam::123456789012:role/reader&RoleSessionName=me";
    let with_id = format!("{form}&ExternalId=secret");

    let (status, xml) = world.sts(&other, &with_id);
    assert_eq!((status, element(&xml, "Code")), (403, "AccessDenied"));
    assert_eq!(
        element(&xml, "Message"),
        "User: arn:aws:iam::123456789012:user/other is not authorized to perform: sts:AssumeRole on resource: \
         arn:aws:iam::123456789012:role/reader because no identity-based policy allows the sts:AssumeRole action"
    );
    assert_eq!(world.sts(&app, form).0, 403);
    assert_eq!(world.sts(&app, &with_id.replace("reader", "nobody")).0, 403);
    assert_eq!(
        element(&world.sts(&app, &format!("{with_id}&DurationSeconds=60")).1, "Code"),
        "ValidationError"
    );

    let (status, xml) = world.sts(&app, &with_id);
    assert_eq!(status, 200, "{xml}");
    assert_eq!(element(&xml, "Arn"), "arn:aws:sts::123456789012:assumed-role/reader/me");
    let session = key_of(&xml);
    assert_eq!(world.ask(&world.request(&session, "xray", "{}"), "xray:DeleteGroup"), Ok(()));
    let (_, identity) = world.sts(&session, "Action=GetCallerIdentity");
    assert_eq!(element(&identity, "Arn"), "arn:aws:sts::123456789012:assumed-role/reader/me");
    assert_eq!(element(&identity, "Account"), "123456789012");
    let without_token = AccessKey { token: None, ..session.clone() };
    assert_eq!(
        world.ask(&world.request(&without_token, "xray", "{}"), "xray:GetGroup").unwrap_err().code(),
        "UnrecognizedClientException"
    );

    // A session policy restricts, and never grants.
    let policy =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"xray:GetGroups","Resource":"*"}}"#;
    let query = form_urlencoded::Serializer::new(with_id.clone()).append_pair("Policy", policy).finish();
    let restricted = key_of(&world.sts(&app, &query).1);
    assert_eq!(world.ask(&world.request(&restricted, "xray", "{}"), "xray:GetGroups"), Ok(()));
    let message =
        world.ask(&world.request(&restricted, "xray", "{}"), "xray:DeleteGroup").unwrap_err().to_string();
    assert!(message.ends_with("because no session policy allows the xray:DeleteGroup action"), "{message}");
    let arns = format!("{with_id}&PolicyArns.member.1.arn=arn:aws:iam::aws:policy/AWSXrayReadOnlyAccess");
    let reading = key_of(&world.sts(&app, &arns).1);
    assert_eq!(world.ask(&world.request(&reading, "xray", "{}"), "xray:GetGroups"), Ok(()));
    assert!(world.ask(&world.request(&reading, "xray", "{}"), "xray:PutTraceSegments").is_err());

    // An hour later the session is over.
    let later = World { now: Time(world.now.0 + 3_601_000_000), ..world };
    let refusal = later.ask(&later.request(&session, "xray", "{}"), "xray:GetGroup").unwrap_err();
    assert_eq!(refusal.code(), "ExpiredTokenException");
    assert_eq!(element(&later.sts(&session, "Action=GetCallerIdentity").1, "Code"), "ExpiredToken");
}

#[test]
fn a_users_session_has_the_users_rights() {
    let world = World::new(Mode::Enforce);
    let app = world.user("app", &["AWSXrayReadOnlyAccess"]);
    let session = key_of(&world.sts(&app, "Action=GetSessionToken").1);
    assert_eq!(world.ask(&world.request(&session, "xray", "{}"), "xray:GetGroups"), Ok(()));
    assert!(world.ask(&world.request(&session, "xray", "{}"), "xray:DeleteGroup").is_err());
    assert_eq!(world.sts(&session, "Action=GetSessionToken").0, 403);
    let wrong = AccessKey { secret: "wrong".to_owned(), ..app.clone() };
    let (status, xml) = world.sts(&wrong, "Action=GetCallerIdentity");
    assert_eq!((status, element(&xml, "Code")), (403, "SignatureDoesNotMatch"));
    assert_eq!(element(&world.sts(&app, "Action=DecodeAuthorizationMessage").1, "Code"), "InvalidAction");
}

#[test]
fn identities_with_unusable_names_or_policies_are_not_added() {
    let world = World::new(Mode::Warn);
    world.user("app", &[]);
    let refusal = |new: NewIdentity| {
        let home = world.guard.home.clone();
        let added =
            world.store.write_blocking(move |connection| directory::add(connection, &home, &new, Time(0)));
        added.unwrap_err().to_string()
    };
    let named = |name: &str| NewIdentity { name: name.to_owned(), ..NewIdentity::default() };
    assert!(refusal(named("app")).contains("exists already"));
    assert!(refusal(named("a/b")).contains("is no name for an identity"));
    let policy = |name: &str, document: Option<&str>| NewIdentity {
        policies: vec![(name.to_owned(), document.map(str::to_owned))],
        ..named("new")
    };
    assert!(refusal(policy("AWSXrayEverything", None)).contains("neither a file nor a managed policy"));
    assert!(
        refusal(policy("p.json", Some("{}"))).contains("the policy p.json is refused: Statement is missing")
    );
    let role = NewIdentity { trust: Some("{}".to_owned()), ..named("role") };
    assert!(refusal(role).contains("the trust policy is refused"));
    let listed = world.store.read(directory::list).unwrap();
    assert_eq!(listed.len(), 1);
    let removed = world.store.write_blocking(|connection| directory::remove(connection, "app")).unwrap();
    assert_eq!(removed.name, "app");
    assert!(world.store.read(directory::list).unwrap().is_empty());
}
