//! Credentials: the search through the places where AWS puts them, and those in use.

mod provider;

mod chain;

mod store;

pub(super) use chain::Search;
pub(super) use provider::{configuration, http_client};
pub use store::{CredentialStatus, CredentialStore};
