//! A small Security Token Service: enough to see who one is and to assume roles, as clients and daemons do.
//!
//! STS speaks the query protocol: a form comes in, XML goes out. Operations: `AssumeRole`, `GetCallerIdentity`,
//! `GetSessionToken`.

mod assume;
mod form;
mod respond;
mod xml;

pub use form::{Form, Operation, is_call};
pub use respond::respond;
