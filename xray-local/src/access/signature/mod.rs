//! AWS's signature, version 4: read from a request, and checked by signing that request again.
//!
//! `aws-sigv4` is the signer that AWS keeps for its own SDK, so it is the judge here: whatever it signs differently is
//! refused. This room reads what the client says that it signed, hands exactly that to the signer, and compares in
//! constant time. Who the key belongs to is the caller's to know.

mod authorization;
mod error;
mod instant;
mod verify;

pub use authorization::{Credential, Form, Received, Signed};
pub use error::SignatureError;
pub use verify::{Expected, MAX_SKEW};

#[cfg(test)]
mod tests;
