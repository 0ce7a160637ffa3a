//! Errors of the control plane, in the service's names.
//!
//! The API puts them into answers as they are; statuses follow from the names there.

use std::fmt;

use crate::store::StoreError;

/// A request that can't be fulfilled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlError {
    /// Modelled errors: their name, and what is wrong.
    Refused(&'static str, String),
    /// `ResourceNotFoundException` or `TooManyTagsException`, which name the resource.
    Resource(&'static str, String, String),
    /// The store failed.
    Store(StoreError),
}

/// Validity of the service's limits (`--limits`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limits {
    /// The names and limits of production.
    Real,
    /// None.
    Off,
}

impl Limits {
    /// Reports whether a count is beyond a limit that holds.
    #[must_use]
    pub fn exceeded(self, count: usize, limit: usize) -> bool {
        self == Self::Real && count > limit
    }
}

impl ControlError {
    /// An `InvalidRequestException`.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::Refused("InvalidRequestException", message.into())
    }

    /// A `ResourceNotFoundException`.
    pub fn not_found(resource: &str) -> Self {
        Self::Resource(
            "ResourceNotFoundException",
            format!("The resource {resource} was not found."),
            resource.to_owned(),
        )
    }
}

impl fmt::Display for ControlError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(code, message) | Self::Resource(code, message, _) => {
                write!(formatter, "{code}: {message}")
            }
            Self::Store(err) => write!(formatter, "{err}"),
        }
    }
}

impl std::error::Error for ControlError {}

impl From<StoreError> for ControlError {
    fn from(err: StoreError) -> Self {
        Self::Store(err)
    }
}

impl From<rusqlite::Error> for ControlError {
    fn from(err: rusqlite::Error) -> Self {
        Self::Store(err.into())
    }
}
