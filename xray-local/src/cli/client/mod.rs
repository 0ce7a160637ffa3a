//! A client of the X-Ray API, for the commands that read.
//!
//! `address` is where an X-Ray is asked, `plain` and `aws` are the two ways there, `api` the calls that commands make.

mod address;
mod answer;
mod api;
#[cfg(feature = "aws")]
mod aws;
mod plain;
mod sign;

pub(super) use address::Address;
pub(super) use api::Client;
