//! Encryption config, resource policies, destination, indexing rules.
//!
//! A setting without effect on one's own machine is kept and returned, or refused with a sentence that says so.

use serde_json::{Value, json};

use crate::access::policy::PrincipalKind;
use crate::api::call::{Call, with_token};
use crate::api::error::ApiError;
use crate::control::resource_policies::{self, ResourcePolicy};
use crate::control::settings;
use crate::model::limits::LIST_PAGE;

pub(in crate::api) fn encryption(call: &Call) -> Result<Value, ApiError> {
    Ok(json!({"EncryptionConfig": call.read(settings::encryption)?}))
}

pub(in crate::api) fn put_encryption(call: &Call) -> Result<Value, ApiError> {
    let (kind, key) = (call.needed("Type").to_owned(), call.text("KeyId").map(str::to_owned));
    let config = call.write(move |connection| settings::put_encryption(connection, &kind, key.as_deref()))?;
    Ok(json!({"EncryptionConfig": config}))
}

pub(in crate::api) fn list_policies(call: &Call) -> Result<Value, ApiError> {
    let (policies, next) = call.page(LIST_PAGE, |skip, limit| {
        call.read(|connection| resource_policies::list(connection, skip, limit))
    })?;
    let policies: Vec<Value> = policies.iter().map(ResourcePolicy::to_json).collect();
    Ok(with_token(json!({"ResourcePolicies": policies}), next))
}

pub(in crate::api) fn put_policy(call: &Call) -> Result<Value, ApiError> {
    let policy = ResourcePolicy {
        name: call.needed("PolicyName").to_owned(),
        document: call.needed("PolicyDocument").to_owned(),
        revision: String::new(),
        updated: call.now,
    };
    let revision = call.text("PolicyRevisionId").map(str::to_owned);
    let is_bypassed =
        call.boolean("BypassPolicyLockoutCheck") || call.caller.principal.kind == PrincipalKind::Anonymous;
    let caller = (!is_bypassed).then(|| call.caller.principal.clone());
    let limits = call.limits();
    let policy = call.write(move |connection| {
        resource_policies::put(connection, &policy, revision.as_deref(), caller.as_ref(), limits)
    })?;
    Ok(json!({"ResourcePolicy": policy.to_json()}))
}

pub(in crate::api) fn delete_policy(call: &Call) -> Result<Value, ApiError> {
    let name = call.needed("PolicyName").to_owned();
    let revision = call.text("PolicyRevisionId").map(str::to_owned);
    call.write(move |connection| resource_policies::delete(connection, &name, revision.as_deref()))?;
    Ok(json!({}))
}

pub(in crate::api) fn destination(_call: &Call) -> Result<Value, ApiError> {
    Ok(json!({"Destination": "XRay", "Status": "ACTIVE"}))
}

pub(in crate::api) fn update_destination(call: &Call) -> Result<Value, ApiError> {
    match call.text("Destination") {
        Some("CloudWatchLogs") => {
            Err(ApiError::invalid("xray-local has no CloudWatch Logs; the destination is always XRay"))
        }
        _ => destination(call),
    }
}

pub(in crate::api) fn indexing_rules(call: &Call) -> Result<Value, ApiError> {
    let _: Option<u64> = call.position()?;
    Ok(json!({"IndexingRules": [call.read(settings::indexing)?]}))
}

pub(in crate::api) fn update_indexing_rule(call: &Call) -> Result<Value, ApiError> {
    let desired = call.body["Rule"]["Probabilistic"]["DesiredSamplingPercentage"]
        .as_f64()
        .ok_or_else(|| ApiError::invalid("Rule must have the member Probabilistic"))?;
    let (name, now) = (call.needed("Name").to_owned(), call.now.seconds());
    let rule = call.write(move |connection| settings::put_indexing(connection, &name, desired, now))?;
    Ok(json!({"IndexingRule": rule}))
}
