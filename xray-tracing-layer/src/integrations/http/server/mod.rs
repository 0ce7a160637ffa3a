//! The tower layer for servers: the service, and the span of a request.

mod server_span;
mod service;

pub use service::{XrayHttpLayer, XrayHttpService};
