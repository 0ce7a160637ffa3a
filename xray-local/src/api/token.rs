//! `NextToken`: where the next page begins, for the very request that the page before answered.
//!
//! A member that a request leaves out equals the member with its default, so a client may write it on some pages only.
//!
//! ```text
//!  base64url( version, 1 byte │ fingerprint of operation and request, 8 bytes │ position )
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::error::ApiError;
use crate::model::limits;

const VERSION: u8 = 1;
const FINGERPRINT: usize = 8;

/// Writes a token.
pub(super) fn write(operation: &str, body: &Value, position: &str) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(&fingerprint(operation, body));
    bytes.extend_from_slice(position.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads the position out of a request's token, if it has one.
///
/// # Errors
/// The token is none, or is another request's.
pub(super) fn read(operation: &str, body: &Value) -> Result<Option<String>, ApiError> {
    let Some(token) = body.get("NextToken").and_then(Value::as_str) else { return Ok(None) };
    let error = || ApiError::invalid("Invalid NextToken: it is not one that this request was answered with");
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| error())?;
    let (head, position) = bytes.split_at_checked(1 + FINGERPRINT).ok_or_else(error)?;
    if head[0] != VERSION || head[1..] != fingerprint(operation, body) {
        return Err(error());
    }
    String::from_utf8(position.to_vec()).map(Some).map_err(|_| error())
}

fn fingerprint(operation: &str, body: &Value) -> [u8; FINGERPRINT] {
    let mut hasher = Sha256::new();
    hasher.update(operation.as_bytes());
    let mut members: Vec<(&String, &Value)> = body.as_object().into_iter().flatten().collect();
    members.sort_by_key(|(name, _)| *name);
    for (name, value) in
        members.into_iter().filter(|(name, value)| *name != "NextToken" && !is_default(name, value))
    {
        hasher.update(format!("\0{name}\0{value}").as_bytes());
    }
    let mut fingerprint = [0; FINGERPRINT];
    fingerprint.copy_from_slice(&hasher.finalize()[..FINGERPRINT]);
    fingerprint
}

/// Reports whether a member says no more than a request without it.
fn is_default(name: &str, value: &Value) -> bool {
    let has_default = match name {
        "Sampling" | "ForecastStatistics" => value == false,
        "FilterExpression" => value == "",
        "TimeRangeType" => value == "TraceId",
        "TraceFormat" => value == "XRAY",
        "Period" => value == limits::SERIES_PERIOD_SECONDS,
        _ => false,
    };
    has_default || value.is_null()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_token_goes_on_with_its_own_request_only() {
        let body = json!({"StartTime": 1, "EndTime": 2, "FilterExpression": "fault"});
        let token = write("GetTraceSummaries", &body, "42");
        let with = |change: Value| {
            let mut body = body.clone();
            body["NextToken"] = Value::from(token.as_str());
            for (name, value) in change.as_object().unwrap() {
                body[name] = value.clone();
            }
            body
        };
        assert_eq!(read("GetTraceSummaries", &body), Ok(None));
        assert_eq!(read("GetTraceSummaries", &with(json!({}))), Ok(Some("42".to_owned())));
        assert!(read("GetServiceGraph", &with(json!({}))).is_err());
        assert!(read("GetTraceSummaries", &with(json!({"EndTime": 3}))).is_err());
        for wrong in ["", "x", "!!!", "AAAA", &token[..8]] {
            let found = read("GetTraceSummaries", &with(json!({"NextToken": wrong})));
            assert!(found.is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_member_with_its_default_equals_one_that_is_left_out() {
        for (operation, member, default, other) in [
            ("GetTraceSummaries", "Sampling", json!(false), json!(true)),
            ("GetTraceSummaries", "TimeRangeType", json!("TraceId"), json!("Event")),
            ("GetTraceSummaries", "FilterExpression", json!(""), json!("fault")),
            ("GetTraceSummaries", "SamplingStrategy", json!(null), json!({"Name": "PartialScan"})),
            ("GetTimeSeriesServiceStatistics", "Period", json!(60), json!(300)),
            ("GetTimeSeriesServiceStatistics", "ForecastStatistics", json!(false), json!(true)),
            ("ListRetrievedTraces", "TraceFormat", json!("XRAY"), json!("OTEL")),
        ] {
            let bare = json!({"StartTime": 1, "EndTime": 2});
            let with = |value: &Value| {
                let mut body = bare.clone();
                body[member] = value.clone();
                body
            };
            let goes_on = |first: &Value, next: &Value| {
                let mut next = next.clone();
                next["NextToken"] = Value::from(write(operation, first, "7"));
                read(operation, &next).is_ok()
            };
            assert!(goes_on(&with(&default), &bare) && goes_on(&bare, &with(&default)), "{member}");
            assert!(!goes_on(&with(&other), &bare) && !goes_on(&bare, &with(&other)), "{member}");
        }
    }
}
