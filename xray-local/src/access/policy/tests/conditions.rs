//! Conditions and variables: operators as IAM documents them, and values that are never wildcards.

use super::*;

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
