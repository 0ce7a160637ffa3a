//! `xray-local policy test`: what policies allow, without a server.
//!
//! Decisions come from the same evaluator as the server's. Nothing is read but the policies that are named.

use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::json;

use super::failure::Failure;
use super::identity::policy_argument;
use super::output;
use crate::access::directory;
use crate::access::policy::{
    self, Context, Kind, Named, Policies, Principal, PrincipalKind, Question, Verdict, evaluate,
};
use crate::access::{action, denial};
use crate::model::Home;

/// Policies, tried without a server.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xray-local policy test --policy AWSXRayDaemonWriteAccess")]
pub(super) struct Policy {
    #[command(subcommand)]
    command: PolicyCommand,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
}

impl Policy {
    pub(super) fn run(&self) -> Result<ExitCode, Failure> {
        let PolicyCommand::Test(args) = &self.command;
        let (printed, allowed) = run(args, &Home::default(), self.json).map_err(Failure::usage)?;
        output::line(printed.trim_end())?;
        Ok(if allowed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    /// Say what policies allow, and which statement decides.
    #[command(after_help = TEST_EXAMPLES)]
    Test(TestArgs),
}

const TEST_EXAMPLES: &str = "\
Examples:
  xray-local policy test --policy AWSXRayDaemonWriteAccess
  xray-local policy test --policy mine.json --action xray:PutTraceSegments --action xray:GetGroup
  xray-local policy test --policy mine.json --action xray:GetGroup \\
      --resource arn:aws:xray:us-east-1:123456789012:group/web/ABC \\
      --context aws:SourceIp=203.0.113.9
  xray-local policy test --resource-policy sns.json --service sns.amazonaws.com \\
      --action xray:PutTraceSegments

The exit status is 0 if every action that is named is allowed, and 1 if one is denied.";

#[derive(Debug, Args)]
struct TestArgs {
    /// Policy of the identity: the name of a managed one, or a JSON file. May be repeated.
    #[arg(long = "policy", value_name = "POLICY|FILE")]
    policies: Vec<String>,
    /// Permissions boundary.
    #[arg(long, value_name = "POLICY|FILE")]
    boundary: Option<String>,
    /// Session policy. May be repeated.
    #[arg(long = "session-policy", value_name = "POLICY|FILE")]
    sessions: Vec<String>,
    /// Policy of the resource. May be repeated.
    #[arg(long = "resource-policy", value_name = "FILE")]
    resources: Vec<String>,
    /// Action to ask for. May be repeated. Defaults to every action of X-Ray.
    #[arg(long = "action", value_name = "ACTION")]
    actions: Vec<String>,
    /// ARN of the resource that the action is asked for.
    #[arg(long, value_name = "ARN", default_value = "*")]
    resource: String,
    /// Name of the user that asks.
    #[arg(long, value_name = "NAME", default_value = "you", conflicts_with = "service")]
    user: String,
    /// AWS service that asks, instead of a user.
    #[arg(long, value_name = "SERVICE")]
    service: Option<String>,
    /// Condition key of the request. Repeated for one key, the request has several values.
    #[arg(long = "context", value_name = "KEY=VALUE")]
    context: Vec<String>,
}

/// Runs the command. Returns what is to be printed, and whether everything that was asked for is allowed.
///
/// # Errors
/// A sentence for the user.
fn run(args: &TestArgs, home: &Home, as_json: bool) -> Result<(String, bool), String> {
    let policies = read_policies(args)?;
    let principal = principal(args, home);
    let context = context(args, &principal)?;
    let is_named = !args.actions.is_empty();
    let actions = if is_named { args.actions.clone() } else { action::xray_actions() };
    if let Some(wrong) = actions.iter().find(|action| !action.contains(':')) {
        return Err(format!("\"{wrong}\" is no action; actions are like \"xray:PutTraceSegments\""));
    }
    let known = action::xray_actions();
    let is_unknown = |action: &&String| {
        let action = action.to_ascii_lowercase();
        action.starts_with("xray:") && !known.iter().any(|known| known.eq_ignore_ascii_case(&action))
    };
    if let Some(wrong) = actions.iter().find(is_unknown) {
        return Err(format!("\"{wrong}\" is no action of X-Ray; without --action, all of them are listed"));
    }
    if args.resource != "*" && !args.resource.starts_with("arn:") {
        return Err(format!(
            "\"{}\" is no resource; write an ARN, or * for actions without one",
            args.resource
        ));
    }
    let verdicts: Vec<(String, Verdict)> = actions
        .into_iter()
        .map(|action| {
            let question = Question {
                principal: &principal,
                action: &action,
                resource: &args.resource,
                context: &context,
            };
            let verdict = evaluate(&question, &policies);
            (action, verdict)
        })
        .collect();
    let all_allowed = !is_named || verdicts.iter().all(|(_, verdict)| verdict.is_allowed());
    let output = if as_json {
        json_of(&verdicts, args, &principal)
    } else {
        let mut output = warnings(&policies);
        output.push_str(&text_of(&verdicts, args, &principal));
        output
    };
    Ok((output, all_allowed))
}

fn read_policies(args: &TestArgs) -> Result<Policies, String> {
    let identity = |argument: &String| {
        let (name, document) = policy_argument(argument)?;
        directory::parse(name, document).map_err(|err| err.to_string())
    };
    let resource = |argument: &String| {
        let document =
            std::fs::read_to_string(argument).map_err(|err| format!("can't read {argument}: {err}"))?;
        let policy = policy::Policy::parse(&document, Kind::Resource)
            .map_err(|err| format!("the resource policy {argument} is refused: {err}"))?;
        Ok::<_, String>(Named { name: argument.clone(), policy: Arc::new(policy) })
    };
    Ok(Policies {
        identity: args.policies.iter().map(identity).collect::<Result<_, _>>()?,
        boundary: args.boundary.as_ref().map(identity).transpose()?,
        session: args.sessions.iter().map(identity).collect::<Result<_, _>>()?,
        resource: args.resources.iter().map(resource).collect::<Result<_, _>>()?,
    })
}

fn principal(args: &TestArgs, home: &Home) -> Principal {
    match &args.service {
        Some(service) => Principal {
            arn: service.clone(),
            account: home.account.clone(),
            id: service.clone(),
            kind: PrincipalKind::Service(service.clone()),
        },
        None => Principal {
            arn: home.iam_arn(&format!("user/{}", args.user)),
            account: home.account.clone(),
            id: "AIDAEXAMPLE".to_owned(),
            kind: PrincipalKind::User(args.user.clone()),
        },
    }
}

/// The keys that are given, and those that follow from the principal.
fn context(args: &TestArgs, principal: &Principal) -> Result<Context, String> {
    let mut context = Context::default();
    context.set("aws:PrincipalType", principal.kind.type_name());
    if let PrincipalKind::User(name) = &principal.kind {
        context.set("aws:username", name.as_str());
        context.set("aws:PrincipalArn", principal.arn.as_str());
        context.set("aws:PrincipalAccount", principal.account.as_str());
    }
    let mut given: Vec<(String, Vec<String>)> = Vec::new();
    for pair in &args.context {
        let (key, value) = pair
            .split_once('=')
            .filter(|(key, _)| key.contains(':'))
            .ok_or_else(|| format!("\"{pair}\" must be KEY=VALUE, such as aws:SourceIp=203.0.113.9"))?;
        match given.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(key)) {
            Some((_, values)) => values.push(value.to_owned()),
            None => given.push((key.to_owned(), vec![value.to_owned()])),
        }
    }
    for (key, values) in given {
        context.set_all(&key, values);
    }
    Ok(context)
}

fn warnings(policies: &Policies) -> String {
    let actions = action::xray_actions();
    let actions: Vec<&str> = actions.iter().map(String::as_str).collect();
    let all =
        policies.identity.iter().chain(&policies.boundary).chain(&policies.session).chain(&policies.resource);
    all.flat_map(|named| {
        let found = named.policy.warnings(&actions, &action::CONDITION_KEYS);
        found.into_iter().map(move |warning| format!("warning: {}: {warning}\n", named.name))
    })
    .collect()
}

fn reason(action: &str, verdict: &Verdict, args: &TestArgs, principal: &Principal) -> String {
    match &verdict.statement {
        Some(statement) => format!("{statement}, {}", verdict.layer.name()),
        None => denial(principal, action, &args.resource, verdict),
    }
}

fn text_of(verdicts: &[(String, Verdict)], args: &TestArgs, principal: &Principal) -> String {
    let width = verdicts.iter().map(|(action, _)| action.len()).max().unwrap_or_default();
    let mut lines = String::new();
    for (action, verdict) in verdicts {
        let word = if verdict.is_allowed() { "allow" } else { "deny" };
        let reason = match (&verdict.statement, args.actions.is_empty()) {
            // In the table of all actions, the sentence would be the same on each line.
            (None, true) => format!("no {} allows it", verdict.layer.name()),
            _ => reason(action, verdict, args, principal),
        };
        lines.push_str(&format!("{word:5}  {action:width$}  {reason}\n"));
    }
    lines
}

fn json_of(verdicts: &[(String, Verdict)], args: &TestArgs, principal: &Principal) -> String {
    let verdicts: Vec<_> = verdicts
        .iter()
        .map(|(action, verdict)| {
            json!({
                "action": action,
                "resource": args.resource,
                "allowed": verdict.is_allowed(),
                "layer": verdict.layer.name(),
                "policy": verdict.statement.as_ref().map(|statement| &statement.policy),
                "statement": verdict.statement.as_ref().map(|statement| statement.index + 1),
                "sid": verdict.statement.as_ref().and_then(|statement| statement.sid.as_ref()),
                "reason": reason(action, verdict, args, principal),
            })
        })
        .collect();
    format!("{}\n", serde_json::Value::Array(verdicts))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        policy: Policy,
    }

    fn test(arguments: &[&str]) -> Result<(String, bool), String> {
        let command = Command::parse_from(["policy", "test"].iter().chain(arguments));
        let PolicyCommand::Test(args) = &command.policy.command;
        run(args, &Home::default(), command.policy.json)
    }

    /// Each file of `docs/policies` with what it is meant to allow, and nothing beyond.
    #[test]
    fn the_documented_policies_allow_what_their_page_says() {
        let send = ["PutTelemetryRecords", "PutTraceSegments"];
        let ask = ["GetSamplingRules", "GetSamplingTargets"];
        let read = [
            "BatchGetTraces",
            "GetGroups",
            "GetServiceGraph",
            "GetTimeSeriesServiceStatistics",
            "GetTraceGraph",
            "GetTraceSummaries",
        ];
        let expected: [(&str, Vec<&str>); 5] = [
            ("assume-daemon-role", vec![]),
            ("daemon", ask.into_iter().chain(send).collect()),
            ("daemon-local-sampling", send.to_vec()),
            ("lambda", send.to_vec()),
            ("read-traces", read.to_vec()),
        ];
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/policies");
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), expected.len());
        for (name, allowed) in expected {
            let file = format!("{folder}/{name}.json");
            let document = std::fs::read_to_string(&file).unwrap();
            let policies = Policies {
                identity: vec![directory::parse(name.to_owned(), Some(document)).unwrap()],
                ..Policies::default()
            };
            let args = Command::parse_from(["policy", "test"]);
            let PolicyCommand::Test(args) = args.policy.command;
            let principal = principal(&args, &Home::default());
            let context = Context::default();
            let ask = |action: &str, resource: &str| {
                evaluate(&Question { principal: &principal, action, resource, context: &context }, &policies)
                    .is_allowed()
            };
            let mut found: Vec<String> = action::xray_actions();
            found.retain(|action| ask(action, "*"));
            let mut allowed: Vec<String> = allowed.iter().map(|action| format!("xray:{action}")).collect();
            found.sort();
            allowed.sort();
            assert_eq!(found, allowed, "{name}");
            let role = "arn:aws:iam::111122223333:role/xray-daemon";
            assert_eq!(ask("sts:AssumeRole", role), name == "assume-daemon-role", "{name}");
            assert!(!ask("sts:AssumeRole", "arn:aws:iam::111122223333:role/admin"), "{name}");
            assert!(!ask("s3:GetObject", "arn:aws:s3:::bucket/key"), "{name}");
        }
    }

    #[test]
    fn the_exit_status_is_for_scripts() {
        let (output, allowed) =
            test(&["--policy", "AWSXRayDaemonWriteAccess", "--action", "xray:PutTraceSegments"]).unwrap();
        assert!(allowed);
        assert_eq!(
            output,
            "allow  xray:PutTraceSegments  AWSXRayDaemonWriteAccess, statement 1, identity-based policy\n"
        );
        let (output, allowed) =
            test(&["--policy", "AWSXRayDaemonWriteAccess", "--action", "xray:GetGroup"]).unwrap();
        assert!(!allowed);
        assert!(
            output.contains("because no identity-based policy allows the xray:GetGroup action"),
            "{output}"
        );
        let (output, allowed) = test(&["--policy", "AWSXrayReadOnlyAccess@2016", "--json"]).unwrap();
        assert!(allowed);
        let verdicts: serde_json::Value = serde_json::from_str(&output).unwrap();
        let allowed =
            verdicts.as_array().unwrap().iter().filter(|verdict| verdict["allowed"] == true).count();
        assert_eq!(allowed, 4);
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        assert!(test(&["--policy", "Nothing"]).unwrap_err().contains("neither a file nor a managed policy"));
        assert!(
            test(&["--policy", "missing.json"]).unwrap_err().contains("can't read the policy missing.json")
        );
        assert!(test(&["--action", "PutTraceSegments"]).unwrap_err().contains("is no action"));
        assert!(test(&["--context", "aws:SourceIp"]).unwrap_err().contains("must be KEY=VALUE"));
        assert!(test(&["--context", "SourceIp=1.2.3.4"]).unwrap_err().contains("must be KEY=VALUE"));
        assert!(test(&["--action", "xray:GetGrop"]).unwrap_err().contains("no action of X-Ray"));
        assert!(test(&["--action", "XRAY:getgroup", "--action", "s3:GetObject"]).is_ok());
        assert!(test(&["--resource", "group/web"]).unwrap_err().contains("write an ARN"));
    }

    /// A policy in a file of its own, which is removed at the end.
    struct Written(std::path::PathBuf);

    impl Written {
        fn new(name: &str, statement: serde_json::Value) -> Self {
            let path = std::env::temp_dir().join(format!("xray-local-{}-{name}.json", std::process::id()));
            let document = json!({"Version": "2012-10-17", "Statement": statement});
            std::fs::write(&path, document.to_string()).unwrap();
            Self(path)
        }

        fn path(&self) -> &str {
            self.0.to_str().unwrap()
        }
    }

    impl Drop for Written {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    #[test]
    fn every_flag_takes_part_in_the_decision() {
        const WEB: &str = "arn:aws:xray:us-east-1:123456789012:group/web/ABC";
        const SHOP: &str = "arn:aws:xray:us-east-1:123456789012:group/shop/ABC";
        let full = ["--policy", "AWSXrayFullAccess", "--action"];
        let allowed = |arguments: &[&str]| test(arguments).unwrap().1;
        let with = |more: &[&str], action: &str| allowed(&[&full[..], &[action], more].concat());
        for flag in ["--boundary", "--session-policy"] {
            let limited = [flag, "AWSXrayReadOnlyAccess"];
            assert!(with(&limited, "xray:GetGroups") && !with(&limited, "xray:PutTraceSegments"), "{flag}");
        }
        let both =
            ["--session-policy", "AWSXrayReadOnlyAccess", "--session-policy", "AWSXrayWriteOnlyAccess"];
        assert!(with(&both, "xray:GetGroups") && with(&both, "xray:PutTraceSegments"));
        assert!(!with(&both, "xray:DeleteGroup"));
        assert!(with(&["--policy", "AWSXrayReadOnlyAccess"], "xray:DeleteGroup"));
        let second = ["--policy", "AWSXrayReadOnlyAccess", "--policy", "AWSXrayFullAccess"];
        assert!(allowed(&[&second[..], &["--action", "xray:DeleteGroup"]].concat()));
        // One action that is denied is enough.
        assert!(!allowed(&[
            "--policy",
            "AWSXrayReadOnlyAccess",
            "--action",
            "xray:GetGroups",
            "--action",
            "xray:DeleteGroup"
        ]));

        let own = Written::new(
            "own",
            json!([{"Sid": "Own", "Effect": "Allow", "Action": ["xray:GetGroup", "xray:GetGrop"],
                    "Resource": "arn:aws:xray:*:*:group/${aws:username}/*"},
                   {"Effect": "Allow", "Action": "xray:TagResource", "Resource": "*",
                    "Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}}]),
        );
        let ask = |more: &[&str]| {
            test(&[&["--policy", own.path(), "--action", "xray:GetGroup"], more].concat()).unwrap()
        };
        assert!(ask(&["--resource", WEB, "--user", "web"]).1);
        assert!(!ask(&["--resource", SHOP, "--user", "web"]).1, "the resource");
        assert!(!ask(&["--resource", WEB]).1, "the user");
        assert!(!ask(&["--user", "web"]).1, "no resource");
        assert!(ask(&[]).0.starts_with("warning: "), "{}", ask(&[]).0);
        let (output, _) = ask(&["--resource", WEB, "--user", "web", "--json"]);
        let verdicts: serde_json::Value = serde_json::from_str(&output).unwrap();
        let verdict = &verdicts[0];
        assert_eq!((&verdict["statement"], &verdict["sid"]), (&json!(1), &json!("Own")));
        assert_eq!((&verdict["resource"], &verdict["layer"]), (&json!(WEB), &json!("identity-based policy")));
        let tag = |keys: &[&str]| {
            let keys = keys.iter().flat_map(|key| ["--context", key]);
            allowed(
                &["--policy", own.path(), "--action", "xray:TagResource"]
                    .into_iter()
                    .chain(keys)
                    .collect::<Vec<_>>(),
            )
        };
        assert!(tag(&["aws:TagKeys=team"]) && !tag(&["aws:TagKeys=stage"]));
        assert!(!tag(&["aws:TagKeys=team", "aws:TagKeys=stage"]), "a request with two values");
    }

    #[test]
    fn a_resource_policy_lets_a_service_in() {
        let folder = std::env::temp_dir().join(format!("xray-local-policy-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("sns.json");
        std::fs::write(
            &file,
            r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Resource": "*",
                "Principal": {"Service": "sns.amazonaws.com"}, "Action": "xray:PutTraceSegments",
                "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}}}}"#,
        )
        .unwrap();
        let file = file.to_string_lossy().into_owned();
        let ask = |service: &str, account: &str| {
            let account = format!("aws:SourceAccount={account}");
            test(&[
                "--resource-policy",
                &file,
                "--service",
                service,
                "--action",
                "xray:PutTraceSegments",
                "--context",
                &account,
            ])
            .unwrap()
            .1
        };
        assert!(ask("sns.amazonaws.com", "123456789012"));
        assert!(!ask("sns.amazonaws.com", "111122223333"));
        assert!(!ask("sqs.amazonaws.com", "123456789012"));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
