//! EC2: the instance's identity document from its metadata service, and the CloudWatch agent's file for the log groups.

use serde_json::Value;

use super::DetectedOrigin;
use super::imds::Imds;
use super::probe::Probe;

const DOCUMENT_PATH: &str = "/latest/dynamic/instance-identity/document";

pub(super) fn detect(at: &Probe, imds: &Imds<'_>, found: &mut DetectedOrigin) {
    let document = imds.read(DOCUMENT_PATH).and_then(|text| serde_json::from_slice::<Value>(&text).ok());
    let Some(document) = document else { return };
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

fn agent_log_groups(at: &Probe) -> Vec<String> {
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
