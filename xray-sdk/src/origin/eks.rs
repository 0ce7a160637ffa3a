//! EKS: a pod has its service account's token. Pod and container are told by the machine itself.
//!
//! The cluster's name is told by no file. Kubernetes' API knows it, but speaks TLS, which this crate does not; so
//! it is taken from the environment, where the pod's specification or an OpenTelemetry set-up puts it.

use serde_json::Value;

use super::Finding;
use super::container::container_id;
use super::surroundings::Surroundings;

const TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// Looked at in this order.
const CLUSTER_VARIABLES: [&str; 3] = ["EKS_CLUSTER_NAME", "K8S_CLUSTER_NAME", "CLUSTER_NAME"];

pub(super) fn detect(at: &Surroundings, found: &mut Finding) {
    if !at.exists(TOKEN) {
        return;
    }
    let cluster = CLUSTER_VARIABLES.iter().find_map(|name| at.variable(name)).or_else(|| from_resource(at));
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
fn from_resource(at: &Surroundings) -> Option<String> {
    let attributes = at.variable("OTEL_RESOURCE_ATTRIBUTES")?;
    let mut pairs = attributes.split(',').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| key.trim() == "k8s.cluster.name").map(|(_, value)| value.trim().to_owned())
}
