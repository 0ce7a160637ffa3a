//! The evaluator against another one, `iam-rs`, over generated policies and requests.
//!
//! Left out, since the other evaluator takes only ARNs: requests on `*`. And `Null` with both `true` and `false`, of which
//! IAM takes either, as with other operators, and the other evaluator none.

use std::sync::Arc;

use iam_rs::{Arn, ContextValue, Decision, IAMPolicy, IAMRequest, PrincipalId};
use serde_json::{Value, json};
use xray_local::access::policy::{
    Context, Kind, Named, Outcome, Policies, Policy, Principal, PrincipalKind, Question, evaluate,
};

const POLICIES: usize = 4_000;

const ACTIONS: [&str; 9] = [
    "*",
    "xray:*",
    "xray:Get*",
    "xray:GetGroup",
    "xray:GetGroup?",
    "xray:getgroups",
    "xray:*Group*",
    "XRAY:PutTraceSegments",
    "s3:*",
];

const ASKED: [&str; 5] =
    ["xray:GetGroup", "xray:GetGroups", "xray:PutTraceSegments", "xray:DeleteGroup", "s3:GetObject"];

const RESOURCES: [&str; 7] = [
    "*",
    "arn:aws:xray:us-east-1:123456789012:group/web/ABC",
    "arn:aws:xray:*:123456789012:group/*",
    "arn:aws:xray:us-east-1:123456789012:group/w?b/*",
    "arn:aws:xray:us-east-1:*:sampling-rule/*",
    "arn:aws:xray:us-east-1:123456789012:group/WEB/*",
    "arn:aws:xray:us-east-1:123456789012:group/${aws:username}/*",
];

const ON: [&str; 3] = [
    "arn:aws:xray:us-east-1:123456789012:group/web/ABC",
    "arn:aws:xray:eu-west-1:123456789012:group/web/ABC",
    "arn:aws:xray:us-east-1:123456789012:sampling-rule/web",
];

/// Operator, key, and values to choose from.
const CONDITIONS: [(&str, &str, &[&str]); 26] = [
    ("StringEquals", "aws:username", &["web", "shop", "WEB"]),
    ("StringNotEquals", "aws:username", &["web", "shop", "WEB"]),
    ("StringEqualsIgnoreCase", "aws:username", &["web", "shop", "WEB"]),
    ("StringNotEqualsIgnoreCase", "aws:username", &["web", "SHOP", "x"]),
    ("StringLike", "aws:username", &["w*", "s?op", "*o*", "W*"]),
    ("StringNotLike", "aws:username", &["w*", "s?op", "*o*", "W*"]),
    ("StringEqualsIfExists", "aws:username", &["web", "x"]),
    ("StringNotEqualsIfExists", "aws:username", &["web", "x"]),
    ("StringLikeIfExists", "aws:username", &["w*", "x*"]),
    ("NumericEquals", "x:number", &["5", "10"]),
    ("NumericNotEquals", "x:number", &["5", "10"]),
    ("NumericLessThan", "x:number", &["5", "10"]),
    ("NumericLessThanEquals", "x:number", &["5", "10"]),
    ("NumericGreaterThan", "x:number", &["5", "10"]),
    ("NumericGreaterThanEquals", "x:number", &["5", "10"]),
    ("DateLessThan", "aws:CurrentTime", &["2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"]),
    ("DateGreaterThan", "aws:CurrentTime", &["2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"]),
    ("Bool", "aws:SecureTransport", &["true", "false"]),
    ("BoolIfExists", "aws:SecureTransport", &["true", "false"]),
    ("IpAddress", "aws:SourceIp", &["10.0.0.0/8", "203.0.113.9", "203.0.113.0/24"]),
    ("NotIpAddress", "aws:SourceIp", &["10.0.0.0/8", "203.0.113.9/32"]),
    ("ArnLike", "aws:PrincipalArn", &["arn:aws:iam::*:user/*", "arn:aws:iam::123456789012:role/*"]),
    ("ArnNotLike", "aws:PrincipalArn", &["arn:aws:iam::*:user/*", "arn:aws:iam::123456789012:role/*"]),
    ("Null", "aws:username", &["true", "false"]),
    ("ForAnyValue:StringEquals", "aws:TagKeys", &["team", "stage", "x"]),
    ("ForAllValues:StringEquals", "aws:TagKeys", &["team", "stage", "x"]),
];

/// A small generator, so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % count as u64) as usize
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    /// One or two values: a scalar, or a list.
    fn some(&mut self, of: &[&str]) -> Value {
        match self.below(3) {
            0 => json!(self.one(of)),
            1 => json!([self.one(of)]),
            _ => json!([self.one(of), self.one(of)]),
        }
    }

    fn statement(&mut self) -> Value {
        let mut statement = json!({"Effect": if self.below(3) == 0 { "Deny" } else { "Allow" }});
        let action = if self.below(4) == 0 { "NotAction" } else { "Action" };
        statement[action] = self.some(&ACTIONS);
        let resource = if self.below(5) == 0 { "NotResource" } else { "Resource" };
        statement[resource] = self.some(&RESOURCES);
        for _ in 0..self.below(3) {
            let (operator, key, values) = CONDITIONS[self.below(CONDITIONS.len())];
            let chosen = if operator == "Null" { json!(self.one(values)) } else { self.some(values) };
            statement["Condition"][operator][key] = chosen;
        }
        statement
    }

    fn policy(&mut self) -> Value {
        let statements: Vec<Value> = (0..1 + self.below(3)).map(|_| self.statement()).collect();
        json!({"Version": "2012-10-17", "Statement": statements})
    }
}

/// The keys of a request for both evaluators.
fn keys(dice: &mut Dice) -> (Context, iam_rs::Context) {
    let (mut own, mut other) = (Context::default(), iam_rs::Context::new());
    let mut put = |key: &str, value: &str, typed: ContextValue| {
        own.set(key, value);
        other.insert(key.to_owned(), typed);
    };
    if dice.below(3) > 0 {
        let name = dice.one(&["web", "shop", "WEB"]);
        put("aws:username", name, ContextValue::String(name.to_owned()));
    }
    if dice.below(3) > 0 {
        let number = dice.one(&["5", "7", "10"]);
        put("x:number", number, ContextValue::Number(number.parse().unwrap()));
    }
    if dice.below(3) > 0 {
        let secure = dice.one(&["true", "false"]);
        put("aws:SecureTransport", secure, ContextValue::Boolean(secure == "true"));
    }
    let address = dice.one(&["10.1.2.3", "203.0.113.9"]);
    put("aws:SourceIp", address, ContextValue::String(address.to_owned()));
    let now = "2026-11-26T12:00:00Z";
    put("aws:CurrentTime", now, ContextValue::DateTime(now.parse().unwrap()));
    let arn = dice.one(&["arn:aws:iam::123456789012:user/web", "arn:aws:iam::123456789012:role/web"]);
    put("aws:PrincipalArn", arn, ContextValue::String(arn.to_owned()));
    if dice.below(3) > 0 {
        let tags = vec!["team".to_owned(), dice.one(&["stage", "x", "team"]).to_owned()];
        own.set_all("aws:TagKeys", tags.clone());
        other.insert("aws:TagKeys".to_owned(), ContextValue::StringList(tags));
    }
    (own, other)
}

fn user() -> Principal {
    Principal {
        arn: "arn:aws:iam::123456789012:user/web".to_owned(),
        account: "123456789012".to_owned(),
        id: "AIDAEXAMPLE".to_owned(),
        kind: PrincipalKind::User("web".to_owned()),
    }
}

fn own_decision(policy: &Value, action: &str, resource: &str, context: &Context) -> Outcome {
    let parsed = Policy::parse(&policy.to_string(), Kind::Identity).unwrap();
    let identity = vec![Named { name: "generated".to_owned(), policy: Arc::new(parsed) }];
    let principal = user();
    let question = Question { principal: &principal, action, resource, context };
    evaluate(&question, &Policies { identity, ..Policies::default() }).outcome
}

fn other_decision(policy: &Value, action: &str, resource: &str, context: iam_rs::Context) -> Outcome {
    let parsed: IAMPolicy = serde_json::from_value(policy.clone()).unwrap();
    let principal =
        iam_rs::Principal::Aws(PrincipalId::String("arn:aws:iam::123456789012:user/web".to_owned()));
    let request = IAMRequest::new_with_context(principal, action, Arn::parse(resource).unwrap(), context);
    match iam_rs::evaluate_policy(&parsed, &request).unwrap() {
        Decision::Allow => Outcome::Allowed,
        Decision::Deny => Outcome::ExplicitlyDenied,
        Decision::NotApplicable => Outcome::ImplicitlyDenied,
    }
}

#[test]
fn no_document_makes_parser_or_evaluator_panic() {
    let mut dice = Dice(16);
    let bytes = br#"{}[]":,*?${'}aA0 -/.\\x"#;
    let mut accepted = 0;
    for _ in 0..POLICIES {
        let mut source = dice.policy().to_string().into_bytes();
        for _ in 0..1 + dice.below(3) {
            let at = dice.below(source.len());
            match dice.below(3) {
                0 => source[at] = bytes[dice.below(bytes.len())],
                1 => source.insert(at, bytes[dice.below(bytes.len())]),
                _ => drop(source.remove(at)),
            }
        }
        let Ok(source) = String::from_utf8(source) else { continue };
        for kind in [Kind::Identity, Kind::Resource, Kind::Trust] {
            let Ok(policy) = Policy::parse(&source, kind) else { continue };
            accepted += 1;
            let named = vec![Named { name: "changed".to_owned(), policy: Arc::new(policy) }];
            let policies = Policies { identity: named.clone(), resource: named, ..Policies::default() };
            let (context, _) = keys(&mut dice);
            let principal = user();
            let question = Question {
                principal: &principal,
                action: dice.one(&ASKED),
                resource: dice.one(&ON),
                context: &context,
            };
            evaluate(&question, &policies);
        }
    }
    assert!(accepted > 100, "{accepted}");
}

#[test]
fn another_evaluator_decides_alike() {
    let mut dice = Dice(15);
    let mut outcomes = [0; 3];
    for _ in 0..POLICIES {
        let policy = dice.policy();
        for _ in 0..3 {
            let (own, other) = keys(&mut dice);
            let (action, resource) = (dice.one(&ASKED), dice.one(&ON));
            let decided = own_decision(&policy, action, resource, &own);
            let expected = other_decision(&policy, action, resource, other);
            assert_eq!(decided, expected, "{action} on {resource} with {own:?}\n{policy}");
            outcomes[decided as usize] += 1;
        }
    }
    assert!(outcomes.iter().all(|count| *count > POLICIES / 20), "{outcomes:?}");
}
