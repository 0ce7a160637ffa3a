//! Questions to policies about a request: action, resource, and the condition keys that come from the body.
//!
//! The body is not checked yet when this happens, so everything in it is optional here.

use rusqlite::Connection;
use serde_json::Value;

use crate::access::Asked;
use crate::access::action::{ResourceKind, resource_kind};
use crate::control::{ControlError, groups, sampling, tags};
use crate::model::Home;

/// Action, resource and keys of a request.
///
/// # Errors
/// The store's, when the resource's tags are read.
pub(super) fn asked(
    connection: &Connection,
    home: &Home,
    operation: &str,
    body: &Value,
) -> Result<Asked, ControlError> {
    let kind = resource_kind(operation);
    let resource = resource(home, kind, body);
    let mut keys = request_keys(body);
    let is_new = matches!(operation, "CreateGroup" | "CreateSamplingRule");
    if !resource.is_empty() && !is_new {
        for (key, value) in tags::of(connection, &resource)? {
            keys.push((format!("aws:ResourceTag/{key}"), vec![value]));
        }
    }
    Ok(Asked { action: format!("xray:{operation}"), resource, keys })
}

fn resource(home: &Home, kind: ResourceKind, body: &Value) -> String {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let found = match kind {
        ResourceKind::None => None,
        ResourceKind::Tagged => text(body, "ResourceARN"),
        ResourceKind::Group => {
            text(body, "GroupARN").or_else(|| text(body, "GroupName").map(|name| groups::arn(home, &name)))
        }
        ResourceKind::SamplingRule => {
            let rule = ["SamplingRule", "SamplingRuleUpdate"].into_iter().find_map(|name| body.get(name));
            let rule = rule.unwrap_or(body);
            text(rule, "RuleARN").or_else(|| text(rule, "RuleName").map(|name| sampling::arn(home, &name)))
        }
    };
    found.unwrap_or_default()
}

fn request_keys(body: &Value) -> Vec<(String, Vec<String>)> {
    let mut keys = Vec::new();
    let list = |name: &str| body.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut tag_keys: Vec<String> =
        list("TagKeys").iter().filter_map(Value::as_str).map(str::to_owned).collect();
    for tag in list("Tags") {
        let member = |name: &str| tag.get(name).and_then(Value::as_str);
        if let (Some(key), Some(value)) = (member("Key"), member("Value")) {
            keys.push((format!("aws:RequestTag/{key}"), vec![value.to_owned()]));
            tag_keys.push(key.to_owned());
        }
    }
    keys.push(("aws:TagKeys".to_owned(), tag_keys));
    for (member, key) in
        [("PolicyName", "xray:ResourcePolicyName"), ("Destination", "xray:TraceSegmentDestination")]
    {
        if let Some(value) = body.get(member).and_then(Value::as_str) {
            keys.push((key.to_owned(), vec![value.to_owned()]));
        }
    }
    keys
}
