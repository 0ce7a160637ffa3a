//! The evaluator: corner cases of IAM, and random policies held against another evaluator.

use std::sync::Arc;

use super::*;

fn user() -> Principal {
    Principal {
        arn: "arn:aws:iam::123456789012:user/app".into(),
        account: "123456789012".into(),
        id: "AIDAEXAMPLE".into(),
        kind: PrincipalKind::User("app".into()),
    }
}

fn session() -> Principal {
    Principal {
        arn: "arn:aws:sts::123456789012:assumed-role/reader/me".into(),
        account: "123456789012".into(),
        id: "AROAEXAMPLE:me".into(),
        kind: PrincipalKind::Session {
            role: "arn:aws:iam::123456789012:role/reader".into(),
            name: "me".into(),
        },
    }
}

fn named(name: &str, source: &str, kind: Kind) -> Named {
    Named { name: name.into(), policy: Arc::new(Policy::parse(source, kind).unwrap()) }
}

fn statement(statement: &str) -> String {
    format!(r#"{{"Version": "2012-10-17", "Statement": {statement}}}"#)
}

/// Reports whether one statement of an identity policy allows an action on a resource.
fn allows_on(inner: &str, action: &str, resource: &str, context: &Context) -> bool {
    let policies =
        Policies { identity: vec![named("p", &statement(inner), Kind::Identity)], ..Policies::default() };
    evaluate(&Question { principal: &user(), action, resource, context }, &policies).is_allowed()
}

fn allows(inner: &str, action: &str) -> bool {
    allows_on(inner, action, "*", &Context::default())
}

fn condition_holds(condition: &str, context: &Context) -> bool {
    let inner = format!(r#"{{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {condition}}}"#);
    allows_on(&inner, "xray:GetGroup", "*", context)
}

fn context(keys: &[(&str, &[&str])]) -> Context {
    let mut context = Context::default();
    for (key, values) in keys {
        context.set_all(key, values.iter().map(|value| (*value).to_owned()).collect());
    }
    context
}

fn refusal(source: &str, kind: Kind) -> String {
    Policy::parse(source, kind).unwrap_err().to_string()
}

#[test]
fn actions_match_whatever_their_case_as_scalar_or_list_with_wildcards() {
    for (actions, action, expected) in [
        (r#""xray:PutTraceSegments""#, "xray:PutTraceSegments", true),
        (r#""XRAY:puttracesegments""#, "xray:PutTraceSegments", true),
        (r#"["s3:GetObject", "xray:PutTraceSegments"]"#, "xray:PutTraceSegments", true),
        (r#""xray:Put*""#, "xray:PutTraceSegments", true),
        (r#""xray:*Segments""#, "xray:PutTraceSegments", true),
        (r#""xray:GetGroup?""#, "xray:GetGroups", true),
        (r#""xray:GetGroup?""#, "xray:GetGroup", false),
        (r#""*""#, "xray:PutTraceSegments", true),
        (r#""xray:Get*""#, "xray:PutTraceSegments", false),
        (r#""logs:*""#, "xray:PutTraceSegments", false),
    ] {
        let inner = format!(r#"{{"Effect": "Allow", "Action": {actions}, "Resource": "*"}}"#);
        assert_eq!(allows(&inner, action), expected, "{actions} {action}");
    }
}

#[test]
fn not_action_covers_everything_else() {
    let inner = r#"{"Effect": "Allow", "NotAction": ["xray:Delete*", "xray:Put*"], "Resource": "*"}"#;
    assert!(allows(inner, "xray:GetGroup"));
    assert!(allows(inner, "s3:GetObject"));
    assert!(!allows(inner, "xray:DeleteGroup"));
    assert!(!allows(inner, "XRAY:puttracesegments"));
}

#[test]
fn resources_match_part_by_part_and_with_their_case() {
    let group = "arn:aws:xray:us-east-1:123456789012:group/web/ABC";
    for (resources, resource, expected) in [
        (r#""*""#, group, true),
        (r#""arn:aws:xray:*:123456789012:group/web/*""#, group, true),
        (r#""arn:aws:xray:us-east-1:123456789012:group/WEB/*""#, group, false),
        (r#""arn:aws:xray:*:group/web/*""#, group, false),
        (r#""arn:aws:xray:*""#, group, true),
        (r#""arn:*""#, group, true),
        (r#""arn:aws:xray:us-*-1:1234567890?2:group/web/ABC""#, group, true),
        (r#""arn:aws:xray:*:group/web/ABC:*""#, group, false),
        // An action without a resource is asked for on "*", which no ARN covers.
        (r#""arn:aws:xray:*""#, "*", false),
        (r#"["arn:aws:s3:::bucket", "arn:aws:xray:*"]"#, group, true),
    ] {
        let inner = format!(r#"{{"Effect": "Allow", "Action": "*", "Resource": {resources}}}"#);
        let source = statement(&inner);
        match Policy::parse(&source, Kind::Identity) {
            Ok(_) => assert_eq!(
                allows_on(&inner, "xray:GetGroup", resource, &Context::default()),
                expected,
                "{resources} {resource}"
            ),
            Err(_) => assert!(!expected, "{resources}"),
        }
    }
    let inner = r#"{"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:xray:*:*:group/web/*"}"#;
    assert!(!allows_on(inner, "xray:GetGroup", group, &Context::default()));
    assert!(allows_on(inner, "xray:GetGroup", &group.replace("web", "shop"), &Context::default()));
}

#[test]
fn a_denial_prevails_wherever_it_stands() {
    let both = r#"[{"Effect": "Allow", "Action": "*", "Resource": "*"},
                   {"Sid": "No", "Effect": "Deny", "Action": "xray:DELETE*", "Resource": "*"}]"#;
    assert!(allows(both, "xray:GetGroup"));
    assert!(!allows(both, "xray:DeleteGroup"));
    let policies = Policies {
        identity: vec![
            named("first", &statement(both), Kind::Identity),
            named(
                "all",
                &statement(r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#),
                Kind::Identity,
            ),
        ],
        ..Policies::default()
    };
    let context = Context::default();
    let verdict = evaluate(
        &Question { principal: &user(), action: "xray:DeleteGroup", resource: "*", context: &context },
        &policies,
    );
    assert_eq!(verdict.outcome, Outcome::ExplicitlyDenied);
    assert_eq!(verdict.statement.unwrap().to_string(), "first, statement 2 (No)");
}

#[test]
fn boundary_and_session_policy_each_have_to_allow() {
    let all =
        named("all", &statement(r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#), Kind::Identity);
    let reads = named(
        "reads",
        &statement(r#"{"Effect": "Allow", "Action": "xray:Get*", "Resource": "*"}"#),
        Kind::Identity,
    );
    let groups = named(
        "groups",
        &statement(r#"{"Effect": "Allow", "Action": "xray:*Group*", "Resource": "*"}"#),
        Kind::Identity,
    );
    let policies =
        Policies { identity: vec![all], boundary: Some(reads), session: vec![groups], resource: Vec::new() };
    let context = Context::default();
    let ask = |action| {
        evaluate(&Question { principal: &session(), action, resource: "*", context: &context }, &policies)
    };
    assert!(ask("xray:GetGroups").is_allowed());
    assert_eq!(
        (ask("xray:DeleteGroup").outcome, ask("xray:DeleteGroup").layer),
        (Outcome::ImplicitlyDenied, Layer::Boundary)
    );
    assert_eq!(
        (ask("xray:GetTraceGraph").outcome, ask("xray:GetTraceGraph").layer),
        (Outcome::ImplicitlyDenied, Layer::Session)
    );
    // A boundary allows nothing by itself.
    let bare = Policies { identity: Vec::new(), ..policies };
    let verdict = evaluate(
        &Question { principal: &session(), action: "xray:GetGroups", resource: "*", context: &context },
        &bare,
    );
    assert_eq!((verdict.outcome, verdict.layer), (Outcome::ImplicitlyDenied, Layer::Identity));
}

#[test]
fn a_resource_policy_bypasses_the_boundary_only_for_the_one_it_names() {
    let nothing = named(
        "boundary",
        &statement(r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}"#),
        Kind::Identity,
    );
    let context = Context::default();
    let ask = |principal: &Principal, who: &str| {
        let source = statement(&format!(
            r#"{{"Effect": "Allow", "Principal": {who}, "Action": "xray:*", "Resource": "*"}}"#
        ));
        let policies = Policies {
            boundary: Some(nothing.clone()),
            resource: vec![named("resource", &source, Kind::Resource)],
            ..Policies::default()
        };
        evaluate(
            &Question { principal, action: "xray:PutTraceSegments", resource: "*", context: &context },
            &policies,
        )
        .is_allowed()
    };
    assert!(ask(&user(), r#"{"AWS": "arn:aws:iam::123456789012:user/app"}"#));
    assert!(ask(&session(), r#"{"AWS": "arn:aws:sts::123456789012:assumed-role/reader/me"}"#));
    assert!(!ask(&session(), r#"{"AWS": "arn:aws:iam::123456789012:role/reader"}"#));
    assert!(!ask(&user(), r#"{"AWS": "123456789012"}"#));
    assert!(!ask(&user(), r#""*""#));
    assert!(!ask(&user(), r#"{"AWS": "arn:aws:iam::123456789012:user/other"}"#));
    assert!(!ask(&user(), r#"{"Service": "sns.amazonaws.com"}"#));
}

#[test]
fn an_exception_of_not_principal_has_to_list_account_role_and_session() {
    let denies = |listed: &str| {
        let source = statement(&format!(
            r#"[{{"Effect": "Deny", "NotPrincipal": {{"AWS": {listed}}}, "Action": "*", "Resource": "*"}},
                {{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}]"#
        ));
        let policies =
            Policies { resource: vec![named("r", &source, Kind::Resource)], ..Policies::default() };
        let context = Context::default();
        let question =
            Question { principal: &session(), action: "xray:GetGroup", resource: "*", context: &context };
        evaluate(&question, &policies).outcome == Outcome::ExplicitlyDenied
    };
    let (account, role, own) = ("123456789012", "arn:aws:iam::123456789012:role/reader", session().arn);
    assert!(denies(&format!(r#"["{role}"]"#)));
    assert!(denies(&format!(r#"["{account}", "{role}"]"#)));
    assert!(!denies(&format!(r#"["{account}", "{role}", "{own}"]"#)));
}

#[test]
fn trust_names_the_caller_or_leaves_it_to_the_account() {
    let context = Context::default();
    let assume = named(
        "assume",
        &statement(r#"{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}"#),
        Kind::Identity,
    );
    let ask = |who: &str, identity: Vec<Named>| {
        let trust = named(
            "trust",
            &statement(&format!(r#"{{"Effect": "Allow", "Principal": {who}, "Action": "sts:AssumeRole"}}"#)),
            Kind::Trust,
        );
        let question = Question {
            principal: &user(),
            action: "sts:AssumeRole",
            resource: "arn:aws:iam::123456789012:role/reader",
            context: &context,
        };
        evaluate_trust(&question, &Policies { identity, ..Policies::default() }, &trust).is_allowed()
    };
    assert!(ask(r#"{"AWS": "arn:aws:iam::123456789012:user/app"}"#, vec![]));
    assert!(!ask(r#"{"AWS": "arn:aws:iam::123456789012:root"}"#, vec![]));
    assert!(ask(r#"{"AWS": "arn:aws:iam::123456789012:root"}"#, vec![assume.clone()]));
    // The caller's own policy can't do without the role's trust.
    assert!(!ask(r#"{"AWS": "arn:aws:iam::123456789012:user/other"}"#, vec![assume.clone()]));
    assert!(!ask(r#"{"Service": "lambda.amazonaws.com"}"#, vec![assume]));
}

#[test]
fn conditions_compare_as_iam_documents_it() {
    let here = context(&[
        ("aws:username", &["app"]),
        ("aws:SourceIp", &["203.0.113.9"]),
        ("aws:SecureTransport", &["false"]),
        ("aws:CurrentTime", &["2026-11-26T12:00:00Z"]),
        ("aws:EpochTime", &["1795694400"]),
        ("aws:TagKeys", &["team", "stage"]),
        ("aws:PrincipalArn", &["arn:aws:iam::123456789012:user/app"]),
        ("x:number", &["10"]),
        ("x:bytes", &["AQI="]),
    ]);
    for (condition, expected) in [
        // Strings, and negated operators, which hold if none of the values is there.
        (r#"{"StringEquals": {"aws:username": "app"}}"#, true),
        (r#"{"StringEquals": {"AWS:UserName": ["x", "app"]}}"#, true),
        (r#"{"StringEquals": {"aws:username": "APP"}}"#, false),
        (r#"{"StringEqualsIgnoreCase": {"aws:username": "APP"}}"#, true),
        (r#"{"StringEquals": {"aws:username": "a*"}}"#, false),
        (r#"{"StringLike": {"aws:username": "a*"}}"#, true),
        (r#"{"StringLike": {"aws:username": "a?"}}"#, false),
        (r#"{"StringNotEquals": {"aws:username": ["x", "y"]}}"#, true),
        (r#"{"StringNotEquals": {"aws:username": ["x", "app"]}}"#, false),
        (r#"{"StringNotLike": {"aws:username": ["x*", "a*"]}}"#, false),
        (r#"{"StringNotEqualsIgnoreCase": {"aws:username": "APP"}}"#, false),
        // Absent keys.
        (r#"{"StringEquals": {"aws:absent": "x"}}"#, false),
        (r#"{"StringNotEquals": {"aws:absent": "x"}}"#, true),
        (r#"{"StringEqualsIfExists": {"aws:absent": "x"}}"#, true),
        (r#"{"StringEqualsIfExists": {"aws:username": "x"}}"#, false),
        (r#"{"StringNotEqualsIfExists": {"aws:absent": "x"}}"#, true),
        (r#"{"NumericLessThan": {"x:absent": "5"}}"#, false),
        (r#"{"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}"#, true),
        (r#"{"Bool": {"aws:MultiFactorAuthPresent": "false"}}"#, false),
        (r#"{"Null": {"aws:absent": "true"}}"#, true),
        (r#"{"Null": {"aws:absent": "false"}}"#, false),
        (r#"{"Null": {"aws:username": false}}"#, true),
        // Several values in the request.
        (r#"{"ForAllValues:StringEquals": {"aws:TagKeys": ["team", "stage", "x"]}}"#, true),
        (r#"{"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}"#, false),
        (r#"{"ForAllValues:StringEquals": {"x:absent": "anything"}}"#, true),
        (r#"{"ForAllValues:StringNotEquals": {"aws:TagKeys": ["x"]}}"#, true),
        (r#"{"ForAllValues:StringNotEquals": {"aws:TagKeys": ["team"]}}"#, false),
        (r#"{"ForAnyValue:StringEquals": {"aws:TagKeys": ["team"]}}"#, true),
        (r#"{"ForAnyValue:StringEquals": {"x:absent": "anything"}}"#, false),
        (r#"{"ForAnyValue:StringEqualsIfExists": {"x:absent": "anything"}}"#, true),
        (r#"{"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["team"]}}"#, true),
        (r#"{"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["team", "stage"]}}"#, false),
        (r#"{"ForAnyValue:StringNotEquals": {"x:absent": "x"}}"#, false),
        (r#"{"StringEquals": {"aws:TagKeys": ["stage"]}}"#, true),
        (r#"{"StringNotEquals": {"aws:TagKeys": ["stage"]}}"#, false),
        (r#"{"StringNotEquals": {"aws:TagKeys": ["x"]}}"#, true),
        // Numbers, dates, addresses, bytes, ARNs.
        (r#"{"NumericEquals": {"x:number": 10}}"#, true),
        (r#"{"NumericEquals": {"x:number": "10.0"}}"#, true),
        (r#"{"NumericNotEquals": {"x:number": ["9", "10"]}}"#, false),
        (r#"{"NumericLessThanEquals": {"x:number": "10"}}"#, true),
        (r#"{"NumericGreaterThan": {"x:number": "10"}}"#, false),
        (r#"{"NumericGreaterThanEquals": {"x:number": "9.5"}}"#, true),
        (r#"{"NumericLessThan": {"aws:username": "10"}}"#, false),
        (r#"{"DateGreaterThan": {"aws:CurrentTime": "2026-11-26"}}"#, true),
        (r#"{"DateLessThan": {"aws:CurrentTime": "2026-11-26T12:00:00+01:00"}}"#, false),
        (r#"{"DateEquals": {"aws:EpochTime": "2026-11-26T12:00:00Z"}}"#, true),
        (r#"{"DateLessThanEquals": {"aws:CurrentTime": 1795694400}}"#, true),
        (r#"{"DateNotEquals": {"aws:CurrentTime": "2026-11-26T12:00:00Z"}}"#, false),
        (r#"{"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}"#, true),
        (r#"{"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "203.0.113.9"]}}"#, true),
        (r#"{"IpAddress": {"aws:SourceIp": "::/0"}}"#, false),
        (r#"{"NotIpAddress": {"aws:SourceIp": ["10.0.0.0/8", "203.0.113.0/24"]}}"#, false),
        (r#"{"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}"#, true),
        (r#"{"BinaryEquals": {"x:bytes": "AQI="}}"#, true),
        (r#"{"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/a*"}}"#, true),
        (r#"{"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::*:user/a*"}}"#, true),
        (
            r#"{"ArnNotLike": {"aws:PrincipalArn": ["arn:aws:iam::*:role/*", "arn:aws:iam::*:user/*"]}}"#,
            false,
        ),
        (r#"{"ArnLike": {"aws:username": "arn:aws:iam::*:user/a*"}}"#, false),
        // Over plain HTTP.
        (r#"{"Bool": {"aws:SecureTransport": "true"}}"#, false),
        (r#"{"Bool": {"aws:SecureTransport": false}}"#, true),
        // All operators and all keys have to hold.
        (r#"{"StringEquals": {"aws:username": "app"}, "Bool": {"aws:SecureTransport": "true"}}"#, false),
        (r#"{"StringEquals": {"aws:username": "app", "x:number": "11"}}"#, false),
    ] {
        assert_eq!(condition_holds(condition, &here), expected, "{condition}");
    }
}

#[test]
fn variables_stand_for_values_and_never_for_wildcards() {
    let app = context(&[("aws:username", &["app"]), ("aws:TagKeys", &["a", "b"])]);
    let star = context(&[("aws:username", &["*"])]);
    let colon = context(&[("aws:username", &["x:y"])]);
    let like = |value: &str, keys: &Context| {
        let mut keys = keys.clone();
        keys.set("x:value", "team-app");
        condition_holds(&format!(r#"{{"StringLike": {{"x:value": "{value}"}}}}"#), &keys)
    };
    assert!(like("team-${aws:username}", &app));
    assert!(like("*-${aws:username}", &app));
    assert!(!like("team-${aws:username}", &star));
    assert!(!like("team-${aws:absent}", &app));
    assert!(like("team-${aws:absent, 'app'}", &app));
    assert!(!like("team-${aws:TagKeys}", &app));
    assert!(!like("team-${*}", &app));

    let rule = |name: &str| format!("arn:aws:xray:us-east-1:123456789012:sampling-rule/{name}");
    let inner = r#"{"Effect": "Allow", "Action": "*",
        "Resource": "arn:aws:xray:*:123456789012:sampling-rule/${aws:username}"}"#;
    assert!(allows_on(inner, "xray:GetGroup", &rule("app"), &app));
    assert!(!allows_on(inner, "xray:GetGroup", &rule("app"), &star));
    assert!(!allows_on(inner, "xray:GetGroup", &rule("app"), &Context::default()));
    assert!(allows_on(inner, "xray:GetGroup", &rule("x:y"), &colon));
    // The older version of the language has none.
    let old = format!(r#"{{"Statement": {inner}}}"#);
    let policies = Policies { identity: vec![named("old", &old, Kind::Identity)], ..Policies::default() };
    let question =
        Question { principal: &user(), action: "xray:GetGroup", resource: &rule("app"), context: &app };
    assert!(!evaluate(&question, &policies).is_allowed());
}

#[test]
fn what_is_not_understood_is_refused() {
    let ok = r#""Effect": "Allow", "Action": "xray:*", "Resource": "*""#;
    let condition = |inner: &str| statement(&format!(r#"{{{ok}, "Condition": {inner}}}"#));
    for (source, expected) in [
        ("".to_owned(), "not a JSON document"),
        ("[]".to_owned(), "must be a JSON object"),
        (r#"{"Version": "2012-10-17"}"#.to_owned(), "Statement is missing"),
        (statement("[]"), "Statement is missing"),
        (statement(&format!("{{{ok}}}")).replace("2012-10-17", "2012-10-18"), "Version is \"2012-10-18\""),
        (statement(&format!("{{{ok}, \"Sid\": 5}}")), "Sid is a number"),
        (
            statement(&format!("{{{ok}, \"effect\": \"Deny\"}}")),
            "\"effect\" is not an element of a statement",
        ),
        (statement(&format!("{{{ok}, \"Effect\": \"Deny\"}}")), "the key \"Effect\" occurs twice"),
        (statement(r#"{"Effect": "allow", "Action": "xray:*", "Resource": "*"}"#), "must be Allow or Deny"),
        (statement(r#"{"Effect": "Allow", "Resource": "*"}"#), "Action is missing"),
        (statement(r#"{"Effect": "Allow", "Action": "xray:*"}"#), "Resource is missing"),
        (statement(r#"{"Effect": "Allow", "Action": [], "Resource": "*"}"#), "empty list"),
        (
            statement(r#"{"Effect": "Allow", "Action": "PutTraceSegments", "Resource": "*"}"#),
            "must be \"*\" or an action",
        ),
        (
            statement(r#"{"Effect": "Allow", "Action": "xray:*", "Resource": "group/web"}"#),
            "must be \"*\" or an ARN",
        ),
        (statement(&format!("{{{ok}, \"NotAction\": \"xray:*\"}}")), "exclude each other"),
        (
            statement(&format!("{{{ok}, \"Principal\": \"*\"}}")),
            "no place in a policy that is attached to an identity",
        ),
        (
            condition(r#"{"StringEqual": {"aws:username": "x"}}"#),
            "\"StringEqual\" is not a condition operator",
        ),
        (condition(r#"{"stringequals": {"aws:username": "x"}}"#), "is not a condition operator"),
        (condition(r#"{"NullIfExists": {"aws:username": "true"}}"#), "is not a condition operator"),
        (
            condition(r#"{"ForSomeValues:StringEquals": {"aws:username": "x"}}"#),
            "is not a condition operator",
        ),
        (condition(r#"{"Bool": {"aws:SecureTransport": "yes"}}"#), "neither true nor false"),
        (condition(r#"{"IpAddress": {"aws:SourceIp": "10.0.0.0/33"}}"#), "is not an address or network"),
        (condition(r#"{"NumericEquals": {"x:n": "ten"}}"#), "is not a number"),
        (condition(r#"{"DateLessThan": {"aws:CurrentTime": "tomorrow"}}"#), "is not a date"),
        (condition(r#"{"StringEquals": {"username": "x"}}"#), "is not a condition key"),
        (condition(r#"{"StringEquals": {"aws:username": []}}"#), "no value to compare with"),
        (condition(r#"{"StringEquals": {"aws:username": {"a": 1}}}"#), "a value is an object"),
        (condition(r#"{"StringEquals": {"aws:username": "${aws:userid"}}"#), "is not closed"),
        (condition(r#"{"StringEquals": {"aws:username": "x", "aws:username": "y"}}"#), "occurs twice"),
    ] {
        let found = refusal(&source, Kind::Identity);
        assert!(found.contains(expected), "{source}\n{found}\n{expected}");
    }
    let trust = r#"{"Effect": "Allow", "Principal": {"AWS": "PLACE"}, "Action": "sts:AssumeRole"}"#;
    for wrong in ["arn:aws:iam::123456789012:user/*", "1234", "app", "arn:aws:s3:::bucket"] {
        assert!(
            refusal(&statement(&trust.replace("PLACE", wrong)), Kind::Trust)
                .contains("must be \"*\", an account")
        );
    }
    let not = trust.replace("Principal", "NotPrincipal").replace("PLACE", "123456789012");
    assert!(refusal(&statement(&not), Kind::Trust).contains("only Deny is accepted"));
}

#[test]
fn what_can_have_no_effect_is_warned_of() {
    let source = statement(
        r#"{"Effect": "Allow", "Action": ["xray:PutTraceSegment", "xray:Get*"], "Resource": "*",
            "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1", "aws:RequestTag/team": "x"}}}"#,
    );
    let policy = Policy::parse(&source, Kind::Identity).unwrap();
    assert_eq!(
        policy.warnings(&["xray:PutTraceSegments", "xray:GetGroup"], &["aws:RequestTag/"]),
        [
            "statement 1: \"xray:puttracesegment\" matches no action of X-Ray",
            "statement 1: no request has the condition key \"aws:principalorgid\" here",
        ]
    );
}
