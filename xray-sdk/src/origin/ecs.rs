//! ECS: the agent gives each container the address of its metadata in a variable (Amazon ECS Developer Guide,
//! "Task metadata endpoint version 4", and version 3 before it).

use std::time::Duration;

use serde_json::Value;

use super::DetectedOrigin;
use super::container::container_id;
use super::probe::Probe;
use crate::http_client::{HttpClient, Limits};

pub(super) fn detect(at: &Probe, found: &mut DetectedOrigin) {
    let variables = ["ECS_CONTAINER_METADATA_URI_V4", "ECS_CONTAINER_METADATA_URI"];
    let Some(url) = variables.into_iter().find_map(|name| at.variable(name)) else { return };
    let http = HttpClient::new(LIMITS);
    let fetch = |url: &str| serde_json::from_slice::<Value>(&http.get(url, None).ok()?).ok();
    let container = fetch(&url).unwrap_or_default();
    // The task is a second question, asked only if the first had an answer.
    let task = if container.is_null() { None } else { fetch(&format!("{url}/task")) }.unwrap_or_default();
    let text = |from: &Value, key: &str| from.get(key).and_then(Value::as_str).map(str::to_owned);

    let arn = text(&container, "ContainerARN");
    let options = container.get("LogOptions").unwrap_or(&Value::Null);
    if let Some(group) = text(options, "awslogs-group") {
        let log_arn = log_group_arn(&group, text(options, "awslogs-region").as_deref(), arn.as_deref());
        found.add_log_group(group, log_arn);
    }
    found.resource_arn = found.resource_arn.take().or_else(|| arn.clone());
    let value = |text: Option<String>| text.map(Value::from);
    found.add(
        "AWS::ECS::Container",
        "ecs",
        [
            ("container", value(at.host_name())),
            ("container_id", value(text(&container, "DockerId").or_else(|| container_id(at)))),
            ("container_arn", value(arn)),
            ("cluster_arn", value(text(&task, "Cluster").filter(|cluster| cluster.starts_with("arn:")))),
            ("task_arn", value(text(&task, "TaskARN"))),
            ("task_family", value(text(&task, "Family"))),
            ("launch_type", value(text(&task, "LaunchType").map(|launch| launch.to_ascii_lowercase()))),
            ("availability_zone", value(text(&task, "AvailabilityZone"))),
        ],
    );
}

/// `arn:aws:ecs:<region>:<account>:container/…` names partition and account, the log driver's options the region.
fn log_group_arn(group: &str, region: Option<&str>, container_arn: Option<&str>) -> Option<String> {
    let mut parts = container_arn?.split(':').skip(1);
    let (partition, _ecs, own_region, account) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let region = region.unwrap_or(own_region);
    Some(format!("arn:{partition}:logs:{region}:{account}:log-group:{group}"))
}

/// The agent is on the same machine. Where it isn't, connecting fails at once or not at all.
const LIMITS: Limits =
    Limits { connect: Duration::from_millis(100), total: Duration::from_secs(1), body: 256 << 10 };
