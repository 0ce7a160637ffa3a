//! Insights, of which there are none here: nothing on one's own machine is watched for long enough.
//!
//! The operations are here so that clients which ask for insights go on.

use serde_json::{Value, json};

use crate::api::call::Call;
use crate::api::error::ApiError;

/// No insights.
pub(in crate::api) fn summaries(call: &Call) -> Result<Value, ApiError> {
    let _: Option<u64> = call.position()?;
    Ok(json!({"InsightSummaries": []}))
}

/// `GetInsight`, `GetInsightEvents`, `GetInsightImpactGraph`: none of this id exists.
pub(in crate::api) fn one(call: &Call) -> Result<Value, ApiError> {
    Err(ApiError::invalid(format!("Insight not found: {}", call.needed("InsightId"))))
}
