//! Condition keys that each request has, with the values of the one who calls, and resource policies at the guard.

use serde_json::{Value, json};

use super::*;

/// Operator, key, a value that holds, and one that does not.
type Row = (&'static str, &'static str, &'static str, &'static str);

/// What every request has.
const EVERY: [Row; 8] = [
    ("DateGreaterThan", "aws:CurrentTime", "2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"),
    ("NumericGreaterThan", "aws:EpochTime", "1577836800", "32472144000"),
    ("StringEquals", "aws:RequestedRegion", "us-east-1", "eu-west-1"),
    ("Bool", "aws:ViaAWSService", "false", "true"),
    ("Bool", "aws:PrincipalIsAWSService", "false", "true"),
    ("Bool", "aws:SecureTransport", "false", "true"),
    ("IpAddress", "aws:SourceIp", "127.0.0.0/8", "10.0.0.0/8"),
    ("StringEquals", "aws:PrincipalAccount", "123456789012", "111122223333"),
];

const USER: [Row; 8] = [
    ("StringEquals", "aws:PrincipalType", "User", "AssumedRole"),
    ("StringLike", "aws:userid", "AIDA*", "AROA*"),
    ("StringEquals", "aws:username", "app", "other"),
    ("StringLike", "aws:UserAgent", "test/*", "curl/*"),
    (
        "ArnEquals",
        "aws:PrincipalArn",
        "arn:aws:iam::123456789012:user/app",
        "arn:aws:iam::123456789012:user/b",
    ),
    ("StringEquals", "aws:PrincipalTag/team", "web", "shop"),
    ("Null", "aws:TokenIssueTime", "true", "false"),
    ("Null", "aws:MultiFactorAuthPresent", "true", "false"),
];

const SESSION: [Row; 7] = [
    ("StringEquals", "aws:PrincipalType", "AssumedRole", "User"),
    ("StringLike", "aws:userid", "AROA*:me", "AIDA*"),
    ("Null", "aws:username", "true", "false"),
    // The role's ARN, not the session's.
    (
        "ArnEquals",
        "aws:PrincipalArn",
        "arn:aws:iam::123456789012:role/reader",
        "arn:aws:sts::123456789012:assumed-role/reader/me",
    ),
    ("StringEquals", "aws:PrincipalTag/team", "web", "shop"),
    ("NumericGreaterThan", "aws:TokenIssueTime", "1577836800", "32472144000"),
    ("Bool", "aws:MultiFactorAuthPresent", "false", "true"),
];

fn statement(effect: &str, action: &str, more: Value) -> String {
    let mut statement = json!({"Effect": effect, "Action": action, "Resource": "*"});
    for (name, value) in more.as_object().unwrap() {
        statement[name] = value.clone();
    }
    json!({"Version": "2012-10-17", "Statement": statement}).to_string()
}

/// A policy that allows what satisfies one condition.
fn policy((operator, key, ..): Row, value: &str) -> Option<String> {
    Some(statement("Allow", "xray:*", json!({"Condition": {operator: {key: value}}})))
}

#[test]
fn every_condition_key_of_a_user_has_the_users_value() {
    for row in EVERY.into_iter().chain(USER) {
        for (value, expected) in [(row.2, true), (row.3, false)] {
            let world = World::new(Mode::Enforce);
            let key = world.add(NewIdentity {
                name: "app".to_owned(),
                policies: vec![("p".to_owned(), policy(row, value))],
                tags: [("team".to_owned(), "web".to_owned())].into(),
                ..NewIdentity::default()
            });
            let request = world.request(&key.unwrap(), "xray", "{}");
            assert_eq!(world.ask(&request, "xray:GetGroups").is_ok(), expected, "{row:?} {value}");
        }
    }
}

#[test]
fn every_condition_key_of_a_session_has_the_sessions_value() {
    let trust = json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "arn:aws:iam::123456789012:user/app"},
        "Condition": {"StringEquals": {"sts:RoleSessionName": "me"}},
    }});
    for row in EVERY.into_iter().chain(SESSION) {
        for (value, expected) in [(row.2, true), (row.3, false)] {
            let world = World::new(Mode::Enforce);
            let app = world.user("app", &[]);
            world.add(NewIdentity {
                name: "reader".to_owned(),
                trust: Some(trust.to_string()),
                policies: vec![("p".to_owned(), policy(row, value))],
                tags: [("team".to_owned(), "web".to_owned())].into(),
                ..NewIdentity::default()
            });
            let form = "Action=AssumeRole&RoleArn=arn:aws:iam::123456789012:role/reader&RoleSessionName=";
            assert_eq!(world.sts(&app, &format!("{form}you")).0, 403, "the trust policy names the session");
            let session = key_of(&world.sts(&app, &format!("{form}me")).1);
            let request = world.request(&session, "xray", "{}");
            assert_eq!(world.ask(&request, "xray:GetGroups").is_ok(), expected, "{row:?} {value}");
        }
    }
}

#[test]
fn a_request_on_a_resource_has_the_resources_account() {
    let group = "arn:aws:xray:us-east-1:123456789012:group/web/ABC";
    for (account, expected) in [("123456789012", true), ("111122223333", false)] {
        let world = World::new(Mode::Enforce);
        let row = ("StringEquals", "aws:ResourceAccount", "", "");
        let policies = vec![("p".to_owned(), policy(row, account))];
        let key = world.add(NewIdentity { name: "app".to_owned(), policies, ..NewIdentity::default() });
        let request = world.request(&key.unwrap(), "xray", "{}");
        assert_eq!(world.ask_on(&request, "xray:GetGroup", group).is_ok(), expected, "{account}");
        assert!(world.ask(&request, "xray:GetGroups").is_err(), "no resource, no account");
    }
}

#[test]
fn resource_policies_allow_and_deny_at_the_guard() {
    let world = World::new(Mode::Enforce);
    let (app, admin) = (world.user("app", &[]), world.user("admin", &["AWSXrayFullAccess"]));
    let ask = |key: &AccessKey, action| world.ask(&world.request(key, "xray", "{}"), action);
    let put = |name: &'static str, document: String| {
        let sql =
            "INSERT INTO resource_policies (name, document, revision, updated_us) VALUES (?, ?, '1', 0)";
        let put: Result<usize, StoreError> = world
            .store
            .write_blocking(move |connection| Ok(connection.execute(sql, [name, document.as_str()])?));
        assert_eq!(put, Ok(1));
    };
    assert!(ask(&app, "xray:PutTraceSegments").is_err());
    assert_eq!(ask(&admin, "xray:DeleteGroup"), Ok(()));
    let named = json!({"Principal": {"AWS": "arn:aws:iam::123456789012:user/app"}});
    put("lets-in", statement("Allow", "xray:PutTraceSegments", named));
    put("keeps-out", statement("Deny", "xray:DeleteGroup", json!({"Principal": "*"})));
    assert_eq!(ask(&app, "xray:PutTraceSegments"), Ok(()));
    assert!(ask(&app, "xray:GetGroups").is_err());
    let refusal = ask(&admin, "xray:DeleteGroup").unwrap_err().to_string();
    assert!(refusal.ends_with("with an explicit deny in a resource-based policy"), "{refusal}");
}

#[test]
fn a_boundary_limits_every_session_of_its_identity() {
    let world = World::new(Mode::Enforce);
    let boundary = Some(statement("Allow", "xray:Get*", json!({})));
    let policies = vec![("AWSXrayFullAccess".to_owned(), None)];
    let trust = json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "arn:aws:iam::123456789012:user/app"},
    }});
    let app = NewIdentity {
        name: "app".to_owned(),
        policies: policies.clone(),
        boundary: boundary.clone(),
        ..NewIdentity::default()
    };
    let app = world.add(app).unwrap();
    world.add(NewIdentity {
        name: "reader".to_owned(),
        policies,
        boundary,
        trust: Some(trust.to_string()),
        ..NewIdentity::default()
    });
    let of_the_role = world
        .sts(&app, "Action=AssumeRole&RoleArn=arn:aws:iam::123456789012:role/reader&RoleSessionName=me")
        .1;
    let of_the_user = world.sts(&app, "Action=GetSessionToken").1;
    for key in [app, key_of(&of_the_role), key_of(&of_the_user)] {
        let request = world.request(&key, "xray", "{}");
        assert_eq!(world.ask(&request, "xray:GetGroups"), Ok(()), "{key:?}");
        let refusal = world.ask(&request, "xray:DeleteGroup").unwrap_err().to_string();
        assert!(refusal.contains("because no permissions boundary allows"), "{refusal}");
    }
}
