//! Trace summaries.
//!
//! Lengths have three decimals, as in the service's answers; times keep their microseconds.

use serde_json::{Map, Value, json};

use super::graph::put_kind_and_account;
use crate::model::NodeName;
use crate::query::{AnnotationValue, CauseEntity, CauseService, HttpSummary, RootCause, Summary};

/// `TraceSummary`. Members that clients dereference are always there: `Http`, lists, flags.
pub(in crate::api) fn summary(summary: &Summary) -> Value {
    let named = |member: &str, values: &[String]| -> Value {
        values.iter().map(|value| json!({member: value})).collect()
    };
    let mut annotations = Map::new();
    for annotation in &summary.annotations {
        let values = annotation.values.iter().map(|(value, services)| {
            json!({"AnnotationValue": annotation_value(value), "ServiceIds": service_ids(services)})
        });
        annotations.insert(annotation.key.clone(), values.collect());
    }
    let users: Value = summary
        .users
        .iter()
        .map(|user| json!({"UserName": user.name, "ServiceIds": service_ids(&user.services)}))
        .collect();
    let mut json = json!({
        "Id": summary.id.to_string(),
        "StartTime": summary.start.seconds(),
        "Duration": summary.duration.rounded_seconds(),
        "HasFault": summary.has_fault,
        "HasError": summary.has_error,
        "HasThrottle": summary.has_throttle,
        "IsPartial": summary.is_partial,
        "Http": http(&summary.http),
        "Annotations": annotations,
        "Users": users,
        "ServiceIds": service_ids(&summary.services),
        "ResourceARNs": named("ARN", &summary.resource_arns),
        "InstanceIds": named("Id", &summary.instance_ids),
        "AvailabilityZones": named("Name", &summary.availability_zones),
        "FaultRootCauses": causes(&summary.fault_causes),
        "ErrorRootCauses": causes(&summary.error_causes),
        "ResponseTimeRootCauses": causes(&summary.response_time_causes),
        "Revision": summary.revision,
    });
    if let Some(response) = summary.response {
        json["ResponseTime"] = Value::from(response.rounded_seconds());
    }
    if let Some(entry_point) = &summary.entry_point {
        json["EntryPoint"] = service_id(entry_point);
    }
    if let Some(time) = summary.matched_event_time {
        json["MatchedEventTime"] = Value::from(time.seconds());
    }
    json
}

fn http(http: &HttpSummary) -> Value {
    let mut json = json!({});
    let texts = [
        ("HttpURL", &http.url),
        ("HttpMethod", &http.method),
        ("UserAgent", &http.user_agent),
        ("ClientIp", &http.client_ip),
    ];
    for (member, text) in texts {
        if let Some(text) = text {
            json[member] = Value::from(text.as_str());
        }
    }
    if let Some(status) = http.status {
        json["HttpStatus"] = Value::from(status);
    }
    json
}

fn annotation_value(value: &AnnotationValue) -> Value {
    match value {
        AnnotationValue::Bool(value) => json!({"BooleanValue": value}),
        AnnotationValue::Number(value) => json!({"NumberValue": value}),
        AnnotationValue::String(value) => json!({"StringValue": value}),
    }
}

fn service_ids(names: &[NodeName]) -> Value {
    names.iter().map(service_id).collect()
}

fn service_id(name: &NodeName) -> Value {
    let mut json = json!({"Name": name.name, "Names": [name.name]});
    put_kind_and_account(&mut json, name);
    json
}

fn causes(causes: &[RootCause]) -> Value {
    causes
        .iter()
        .map(|cause| {
            json!({
                "Services": cause.services.iter().map(cause_service).collect::<Value>(),
                "ClientImpacting": cause.client_impacting,
            })
        })
        .collect()
}

fn cause_service(service: &CauseService) -> Value {
    let mut json = service_id(&service.node);
    json["Inferred"] = Value::from(service.inferred);
    json["EntityPath"] = service.entities.iter().map(entity).collect();
    json
}

fn entity(entity: &CauseEntity) -> Value {
    let mut json = json!({"Name": entity.name, "Remote": entity.remote});
    match entity.coverage {
        Some(coverage) => json["Coverage"] = Value::from((coverage * 1_000.0).round() / 1_000.0),
        None => {
            json["Exceptions"] = entity
                .exceptions
                .iter()
                .map(|(name, message)| json!({"Name": name, "Message": message}))
                .collect();
        }
    }
    json
}
