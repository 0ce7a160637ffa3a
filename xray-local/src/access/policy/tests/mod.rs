//! The evaluator: corner cases of IAM, and random policies held against another evaluator.

mod conditions;
mod refused;

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
    // Of several session policies, one has to allow.
    let other = named(
        "other",
        &statement(r#"{"Effect": "Allow", "Action": "xray:GetTraceGraph", "Resource": "*"}"#),
        Kind::Identity,
    );
    let both = Policies { session: vec![policies.session[0].clone(), other], ..policies.clone() };
    for (action, expected) in
        [("xray:GetGroups", true), ("xray:GetTraceGraph", true), ("xray:GetTraceSummaries", false)]
    {
        let question = Question { principal: &session(), action, resource: "*", context: &context };
        assert_eq!(evaluate(&question, &both).is_allowed(), expected, "{action}");
    }
    // A boundary allows nothing by itself.
    let bare = Policies { identity: Vec::new(), ..policies };
    let verdict = evaluate(
        &Question { principal: &session(), action: "xray:GetGroups", resource: "*", context: &context },
        &bare,
    );
    assert_eq!((verdict.outcome, verdict.layer), (Outcome::ImplicitlyDenied, Layer::Identity));
}

#[test]
fn a_denial_in_boundary_or_session_policy_prevails_over_a_grant_to_the_session_itself() {
    let grant = statement(
        r#"{"Effect": "Allow", "Principal": {"AWS": "arn:aws:sts::123456789012:assumed-role/reader/me"},
            "Action": "xray:*", "Resource": "*"}"#,
    );
    let denial = named(
        "denial",
        &statement(r#"{"Effect": "Deny", "Action": "xray:Delete*", "Resource": "*"}"#),
        Kind::Identity,
    );
    let granted = Policies { resource: vec![named("grant", &grant, Kind::Resource)], ..Policies::default() };
    let context = Context::default();
    let question =
        Question { principal: &session(), action: "xray:DeleteGroup", resource: "*", context: &context };
    assert!(evaluate(&question, &granted).is_allowed());
    for (policies, layer) in [
        (Policies { boundary: Some(denial.clone()), ..granted.clone() }, Layer::Boundary),
        (Policies { session: vec![denial.clone()], ..granted.clone() }, Layer::Session),
        (Policies { identity: vec![denial], ..granted }, Layer::Identity),
    ] {
        let verdict = evaluate(&question, &policies);
        assert_eq!((verdict.outcome, verdict.layer), (Outcome::ExplicitlyDenied, layer));
    }
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
