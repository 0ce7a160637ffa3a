//! EKS: a pod has its service account's token. Pod and container come from the machine itself.
//!
//! The cluster's name stands in no file. The name comes from the environment, where the pod's specification or an
//! OpenTelemetry set-up puts it, else from the tag that EKS gives its nodes (feature `plugin-ec2`; the node has to
//! allow tags in its instance metadata). Kubernetes' API knows it as well, but speaks TLS, which this crate does not.

use serde_json::Value;

use super::DetectedOrigin;
use super::container::container_id;
use super::probe::Probe;

const TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// Looked at in this order.
const CLUSTER_VARIABLES: [&str; 3] = ["EKS_CLUSTER_NAME", "K8S_CLUSTER_NAME", "CLUSTER_NAME"];

pub(super) fn detect(at: &Probe, tag_of_node: impl FnOnce() -> Option<String>, found: &mut DetectedOrigin) {
    if !at.exists(TOKEN) {
        return;
    }
    let named = CLUSTER_VARIABLES.iter().find_map(|name| at.variable(name));
    let cluster = named.or_else(|| from_resource(at)).or_else(|| tag_of_node().filter(|tag| is_name(tag)));
    if let Some(cluster) = &cluster {
        // Where Container Insights puts an application's log.
        found.add_log_group(format!("/aws/containerinsights/{cluster}/application"), None);
    }
    found.add(
        "AWS::EKS::Container",
        "eks",
        [
            ("pod", at.host_name().map(Value::from)),
            ("cluster_name", cluster.map(Value::from)),
            ("container_id", container_id(at).map(Value::from)),
        ],
    );
}

/// OpenTelemetry's variable: `key=value` pairs, separated by commas.
fn from_resource(at: &Probe) -> Option<String> {
    let attributes = at.variable("OTEL_RESOURCE_ATTRIBUTES")?;
    let mut pairs = attributes.split(',').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| key.trim() == "k8s.cluster.name").map(|(_, value)| value.trim().to_owned())
}

/// Checks a cluster's name as EKS does (Amazon EKS API reference, `CreateCluster`). Not everything that answers at an
/// address is what it should be.
fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=100).contains(&text.len()) && text.bytes().all(allowed)
}
