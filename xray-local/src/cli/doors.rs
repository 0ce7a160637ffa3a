//! What each TCP door serves: the operations, and the console.

use axum::Router;

use crate::serve::{Addresses, Doors, Settings};
use crate::store::Store;

/// Sets the doors up, once it is known where they are.
///
/// # Errors
/// A sentence: the access mode is not allowed at these addresses, or the store fails.
pub(super) async fn open(
    _settings: &Settings,
    _store: &Store,
    _addresses: &Addresses,
) -> Result<Doors, String> {
    Ok(Doors { daemon: Router::new(), api: Router::new() })
}
