//! Errors as the SDKs read them: the name in the header `x-amzn-errortype`, the message in the body.
//!
//! botocore reads the header first and never `__type`; other SDKs read `__type`. Statuses are those of the public model.

use http::StatusCode;
use serde_json::{Value, json};

use super::shape::ShapeError;
use crate::access::Refusal;
use crate::control::ControlError;
use crate::store::StoreError;

/// An error of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// The status.
    pub status: StatusCode,
    /// The error's name.
    pub code: &'static str,
    /// The message.
    pub message: String,
    /// `ResourceName`, of the errors that have it.
    pub resource: Option<String>,
}

impl ApiError {
    /// An error of this name and status.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), resource: None }
    }

    /// An `InvalidRequestException`.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidRequestException", message)
    }

    /// The error of a path that no operation has.
    pub fn unknown_operation() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "UnknownOperationException",
            "No operation of X-Ray has this path and method.",
        )
    }

    /// The body. `__type` is for SDKs that look there; botocore reads the header.
    pub fn body(&self) -> Value {
        let mut body = json!({"__type": self.code, "Message": self.message, "message": self.message});
        if let Some(resource) = &self.resource {
            body["ResourceName"] = Value::from(resource.as_str());
        }
        body
    }
}

impl From<StoreError> for ApiError {
    fn from(err: StoreError) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure", err.to_string())
    }
}

impl From<ControlError> for ApiError {
    fn from(err: ControlError) -> Self {
        match err {
            ControlError::Refused(code, message) => Self::new(StatusCode::BAD_REQUEST, code, message),
            ControlError::Resource(code, message, resource) => {
                let status = match code {
                    "ResourceNotFoundException" => StatusCode::NOT_FOUND,
                    _ => StatusCode::BAD_REQUEST,
                };
                Self { resource: Some(resource), ..Self::new(status, code, message) }
            }
            ControlError::Store(err) => err.into(),
        }
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self::new(status, refusal.code(), refusal.to_string())
    }
}

impl From<ShapeError> for ApiError {
    fn from(err: ShapeError) -> Self {
        match err {
            ShapeError::Type(message) => {
                Self::new(StatusCode::BAD_REQUEST, "SerializationException", message)
            }
            ShapeError::Bound(message) => Self::invalid(message),
        }
    }
}
