//! Reasons for which a change of identities is refused.
//!
//! Each message is for the person who types the command. What the store reports passes through as it is.

use std::fmt;

use super::secret::NoEntropy;
use crate::store::StoreError;

/// A change of identities that is refused, or that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DirectoryError {
    /// Name, policy or trust are not acceptable: a sentence.
    Invalid(String),
    /// The name is taken.
    Exists(String),
    /// No identity has this name.
    Unknown(String),
    /// The system gives no randomness for keys.
    NoEntropy,
    /// The store failed.
    Store(StoreError),
}

impl fmt::Display for DirectoryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(what) => formatter.write_str(what),
            Self::Exists(name) => write!(formatter, "an identity \"{name}\" exists already; remove it first"),
            Self::Unknown(name) => write!(formatter, "no identity is called \"{name}\""),
            Self::NoEntropy => formatter.write_str("the system gives no randomness to make keys from"),
            Self::Store(err) => write!(formatter, "{err}"),
        }
    }
}

impl std::error::Error for DirectoryError {}

impl From<StoreError> for DirectoryError {
    fn from(err: StoreError) -> Self {
        Self::Store(err)
    }
}

impl From<rusqlite::Error> for DirectoryError {
    fn from(err: rusqlite::Error) -> Self {
        Self::Store(err.into())
    }
}

impl From<NoEntropy> for DirectoryError {
    fn from(_: NoEntropy) -> Self {
        Self::NoEntropy
    }
}
