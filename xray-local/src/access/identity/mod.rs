//! Identities: users, roles, their keys, and the caller that a key stands for.
//!
//! ```text
//!  caller ─► directory ─► record, error, secret
//!                     └─► managed      AWS's policies by name
//! ```

mod caller;
pub mod directory;
mod error;
pub mod managed;
mod record;
mod secret;

pub(super) use caller::StoredPolicy;
pub use caller::{Caller, Origin};
pub use error::DirectoryError;
pub use record::{AccessKey, Identity, IdentityKind, Listed, NewIdentity};
pub use secret::NoEntropy;
