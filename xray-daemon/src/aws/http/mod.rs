//! The HTTP client below the signatures: connections, proxy, TLS, time limits, errors.
//!
//! `transport` is the entrance: a signed request in, an answer or a [`CallError`](super::CallError) out. Nothing here
//! knows credentials or X-Ray's operations.

mod failure;

mod proxy;

mod trust;

mod connector;

mod transport;

mod sign;

pub(super) use proxy::is_host;
pub use proxy::{Proxy, ProxyError};
pub(super) use sign::Signer;
pub(super) use transport::Transport;
pub use transport::{AnswerBody, Limits};
pub use trust::{Trust, TrustError};
