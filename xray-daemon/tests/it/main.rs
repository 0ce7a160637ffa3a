//! The daemon from outside: its arguments, its sockets, and an endpoint on loopback.

mod aws;
mod edge;
mod relay;
mod report;
mod tls;
