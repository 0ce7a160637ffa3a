//! Policies that are refused, or can have no effect.

use super::*;

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
