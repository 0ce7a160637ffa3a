//! The tower layer for servers: the service, and the span of a request.

mod ignored;
mod server_span;
mod service;

pub use ignored::RequestHead;
pub use service::{XrayHttpLayer, XrayHttpService};
