//! Credentials: the search through the places where AWS puts them, and those in use.
//!
//! The store searches when a call needs credentials and keeps the result until it expires or X-Ray refuses it. No
//! other room knows a provider of `aws-config`.

mod provider;

mod chain;

mod store;

pub(super) use chain::Search;
pub(super) use provider::{configuration, http_client};
pub use store::{CredentialStatus, CredentialStore};
