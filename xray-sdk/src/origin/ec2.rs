//! EC2: the instance's metadata service, version 2 with a token, else version 1 (Amazon EC2 User Guide, "Use the
//! Instance Metadata Service"), and the CloudWatch agent's file for the log groups.

use std::time::Duration;

use serde_json::Value;

use super::Finding;
use super::surroundings::Surroundings;
use crate::http::{Http, HttpError, Limits};

const ENDPOINT: &str = "169.254.169.254";
const TOKEN_PATH: &str = "/latest/api/token";
const DOCUMENT_PATH: &str = "/latest/dynamic/instance-identity/document";

pub(super) fn detect(at: &Surroundings, found: &mut Finding) {
    let disabled = at.variable("AWS_EC2_METADATA_DISABLED");
    if disabled.is_some_and(|disabled| disabled.eq_ignore_ascii_case("true")) {
        return;
    }
    let Some(document) = identity(&base(at)) else { return };
    let text = |key: &str| document.get(key).filter(|value| value.is_string()).cloned();
    let Some(instance) = text("instanceId") else { return };
    found.add(
        "AWS::EC2::Instance",
        "ec2",
        [
            ("instance_id", Some(instance)),
            ("availability_zone", text("availabilityZone")),
            ("instance_size", text("instanceType")),
            ("ami_id", text("imageId")),
        ],
    );
    for group in agent_log_groups(at) {
        found.add_log_group(group, None);
    }
}

/// The endpoint that a variable names: `host`, `host:port`, or a whole URL as the AWS SDKs spell it.
fn base(at: &Surroundings) -> String {
    let named =
        ["IMDS_ENDPOINT", "AWS_EC2_METADATA_SERVICE_ENDPOINT"].into_iter().find_map(|name| at.variable(name));
    let endpoint = named.unwrap_or_else(|| ENDPOINT.to_owned());
    let endpoint = endpoint.trim().trim_end_matches('/');
    if endpoint.contains("://") { endpoint.to_owned() } else { format!("http://{endpoint}") }
}

fn identity(base: &str) -> Option<Value> {
    let http = Http::new(LIMITS);
    let token = match http.put(&format!("{base}{TOKEN_PATH}"), ("X-aws-ec2-metadata-token-ttl-seconds", "60"))
    {
        Ok(token) => String::from_utf8(token).ok(),
        // Nobody is there: asking again would cost the same time for the same answer.
        Err(HttpError::Absent(_)) => return None,
        // Somebody is there and knows no tokens, or sends them no further than to the instance itself, which a
        // container behind one more hop sees as silence.
        Err(HttpError::Status(_) | HttpError::Failed(_)) => None,
    };
    let header = token.as_deref().map(|token| ("X-aws-ec2-metadata-token", token));
    let document = http.get(&format!("{base}{DOCUMENT_PATH}"), header).ok()?;
    serde_json::from_slice(&document).ok()
}

fn agent_log_groups(at: &Surroundings) -> Vec<String> {
    const FILE: &str = "amazon-cloudwatch-agent/etc/log-config.json";
    let file = match at.variable("ProgramData") {
        Some(data) if cfg!(windows) => {
            format!("{data}\\Amazon\\AmazonCloudWatchAgent\\Configs\\log-config.json")
        }
        _ => format!("/opt/aws/{FILE}"),
    };
    let config =
        at.read(&file).and_then(|text| serde_json::from_str::<Value>(&text).ok()).unwrap_or_default();
    let configs = config.get("log_configs").and_then(Value::as_array).cloned().unwrap_or_default();
    configs.iter().filter_map(|config| config.get("log_group_name")?.as_str().map(str::to_owned)).collect()
}

/// Where there is no such service, a packet to its address goes nowhere, and the limit on connecting is how long
/// that takes to notice. A service that is there answers within a few milliseconds.
const LIMITS: Limits =
    Limits { connect: Duration::from_millis(80), total: Duration::from_millis(300), body: 64 << 10 };
