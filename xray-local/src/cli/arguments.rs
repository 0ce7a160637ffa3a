//! Arguments that several commands have.

use std::time::Duration;

use clap::Args;

use super::client::{Address, Client};
use super::failure::Failure;
use super::when;
use crate::model::{Length, Time, now};

/// The X-Ray that is asked.
#[derive(Clone, Debug, Args)]
pub(super) struct Endpoint {
    /// The X-Ray that is asked: http://HOST:PORT; with feature `aws` also https://HOST, or `aws` for that of the region.
    #[arg(long, value_name = "URL", env = "AWS_ENDPOINT_URL_XRAY", default_value = "http://127.0.0.1:2001")]
    pub(super) endpoint: String,
    /// The region in signatures. Defaults to us-east-1, at AWS to that of the configuration.
    #[arg(long, value_name = "REGION", env = "AWS_REGION")]
    pub(super) region: Option<String>,
}

impl Endpoint {
    /// A client for a command that reads.
    pub(super) fn client(&self) -> Result<Client, Failure> {
        Client::new(Address::parse(&self.endpoint)?, self.region())
    }

    /// A client for a command that writes, which never reaches AWS.
    pub(super) fn client_to_write(&self) -> Result<Client, Failure> {
        Client::new(Address::to_write(&self.endpoint)?, self.region())
    }

    fn region(&self) -> Option<&str> {
        self.region.as_deref().filter(|region| !region.is_empty())
    }
}

/// The time that is asked for.
#[derive(Clone, Debug, Args)]
pub(super) struct Span {
    /// Length of time until --to, such as 10m or 6h.
    #[arg(long, value_name = "LENGTH", value_parser = when::length, default_value = "1h", conflicts_with = "from")]
    since: Duration,
    /// The first moment: RFC 3339, seconds since 1970, or a length ago.
    #[arg(long, value_name = "TIME", value_parser = when::time)]
    from: Option<Time>,
    /// The last moment. Defaults to now.
    #[arg(long, value_name = "TIME", value_parser = when::time)]
    to: Option<Time>,
}

/// Reads a number of things that is at least one.
///
/// # Errors
/// A sentence with the form that is accepted.
pub(super) fn count(text: &str) -> Result<usize, String> {
    let count = text.parse().ok().filter(|count| *count > 0);
    count.ok_or_else(|| format!("\"{text}\" is no count; write 1 or more"))
}

/// Reads an account's id.
///
/// # Errors
/// A sentence with the form that is accepted.
pub(super) fn account(text: &str) -> Result<String, String> {
    let valid = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if valid { Ok(text.to_owned()) } else { Err(format!("\"{text}\" is no account; it has twelve digits")) }
}

/// Reads a region's name.
///
/// # Errors
/// A sentence with the form that is accepted.
pub(super) fn region(text: &str) -> Result<String, String> {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let valid = !text.is_empty() && text.bytes().all(is_part);
    if valid {
        Ok(text.to_owned())
    } else {
        Err(format!("\"{text}\" is no region; write one such as us-east-1"))
    }
}

/// Traces that began a moment ahead of this machine's clock belong to "until now".
const AHEAD: Length = Length(60_000_000);

impl Span {
    /// First moment and end.
    pub(super) fn range(&self) -> Result<(Time, Time), Failure> {
        let since = Length(-i64::try_from(self.since.as_micros()).unwrap_or(i64::MAX));
        let from = self.from.unwrap_or_else(|| self.to.unwrap_or_else(now).plus(since));
        let to = self.to.unwrap_or_else(|| now().plus(AHEAD));
        if from >= to {
            return Err(Failure::usage(format!(
                "--from {} is not before --to {}",
                when::show(from),
                when::show(to)
            )));
        }
        Ok((from, to))
    }
}
