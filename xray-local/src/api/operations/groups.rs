//! Groups.
//!
//! A group is named by its name or its ARN, never by both. Tags that come with a new group are committed with it.

use serde_json::{Value, json};

use crate::api::call::{Call, with_token};
use crate::api::error::ApiError;
use crate::control::groups::{self, GroupKey};
use crate::control::tags;
use crate::model::limits::LIST_PAGE;

pub(in crate::api) fn list(call: &Call) -> Result<Value, ApiError> {
    let after = call.position()?.unwrap_or(0);
    let mut found = call.read(|connection| groups::list(connection, after, LIST_PAGE + 1))?;
    let has_more = found.len() > LIST_PAGE;
    found.truncate(LIST_PAGE);
    let next = found.last().filter(|_| has_more).map(|group| call.token(group.number));
    Ok(with_token(json!({"Groups": found.iter().map(groups::Group::to_json).collect::<Vec<_>>()}), next))
}

pub(in crate::api) fn get(call: &Call) -> Result<Value, ApiError> {
    let key = key(call)?;
    let group = call.read(|connection| groups::find(connection, &key))?;
    Ok(json!({"Group": group.to_json()}))
}

pub(in crate::api) fn create(call: &Call) -> Result<Value, ApiError> {
    let name = call.needed("GroupName").to_owned();
    let expression = call.text("FilterExpression").unwrap_or_default().to_owned();
    let insights = call.body.get("InsightsConfiguration").cloned();
    let (home, limits, now, given) = (call.home().clone(), call.limits(), call.now, call.tags());
    let group = call.write(move |connection| {
        let group = groups::create(connection, &home, &name, &expression, insights.as_ref(), limits, now)?;
        tags::set(connection, &group.arn, &given, limits)?;
        Ok::<_, crate::control::ControlError>(group)
    })?;
    Ok(json!({"Group": group.to_json()}))
}

pub(in crate::api) fn update(call: &Call) -> Result<Value, ApiError> {
    let key = key(call)?;
    let expression = call.text("FilterExpression").map(str::to_owned);
    let insights = call.body.get("InsightsConfiguration").cloned();
    let now = call.now;
    let group = call.write(move |connection| {
        groups::update(connection, &key, expression.as_deref(), insights.as_ref(), now)
    })?;
    Ok(json!({"Group": group.to_json()}))
}

pub(in crate::api) fn delete(call: &Call) -> Result<Value, ApiError> {
    let key = key(call)?;
    call.write(move |connection| groups::delete(connection, &key))?;
    Ok(json!({}))
}

fn key(call: &Call) -> Result<GroupKey, ApiError> {
    Ok(GroupKey::of(call.text("GroupName"), call.text("GroupARN"))?)
}
