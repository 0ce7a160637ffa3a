//! Tags.
//!
//! Groups and sampling rules can be tagged. Policies see tags as `aws:ResourceTag/KEY`.

use serde_json::{Value, json};

use crate::api::call::{Call, with_token};
use crate::api::error::ApiError;
use crate::control::tags;
use crate::model::limits::LIST_PAGE;

pub(in crate::api) fn list(call: &Call) -> Result<Value, ApiError> {
    let arn = call.needed("ResourceARN");
    let all = call.read(|connection| {
        tags::check_exists(connection, arn)?;
        tags::of(connection, arn)
    })?;
    let (page, next) = call.page(LIST_PAGE, |skip, limit| Ok(all.iter().skip(skip).take(limit).collect()))?;
    let page: Vec<Value> = page.into_iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    Ok(with_token(json!({"Tags": page}), next))
}

pub(in crate::api) fn add(call: &Call) -> Result<Value, ApiError> {
    let (arn, given, limits) = (call.needed("ResourceARN").to_owned(), call.tags(), call.limits());
    call.write(move |connection| tags::set(connection, &arn, &given, limits))?;
    Ok(json!({}))
}

pub(in crate::api) fn remove(call: &Call) -> Result<Value, ApiError> {
    let (arn, keys) = (call.needed("ResourceARN").to_owned(), call.texts("TagKeys"));
    call.write(move |connection| tags::remove(connection, &arn, &keys))?;
    Ok(json!({}))
}
