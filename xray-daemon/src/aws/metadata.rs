//! The instance's metadata service (IMDSv2): region, host name, instance id.
//!
//! Asked for telemetry's names and for the region, never for documents. In local mode, and with
//! `AWS_EC2_METADATA_DISABLED`, there is nothing to ask.

use std::error::Error;
use std::time::Duration;

use aws_config::imds;
use aws_config::provider_config::ProviderConfig;
use tokio::time::timeout;

use super::endpoint::is_true;
use crate::config::Environment;

/// A client of the instance's metadata, or none in local mode and with `AWS_EC2_METADATA_DISABLED`.
#[derive(Debug, Clone)]
pub struct Metadata {
    client: Option<imds::Client>,
}

impl Metadata {
    /// The metadata of the instance that the daemon runs on, if it may be asked.
    pub(super) fn new(local_mode: bool, environment: &Environment, provider: &ProviderConfig) -> Self {
        let client = || {
            imds::Client::builder()
                .configure(provider)
                .max_attempts(2)
                .connect_timeout(Duration::from_secs(1))
                .read_timeout(Duration::from_secs(1))
                .build()
        };
        let may_ask = !local_mode && !is_true(environment, "AWS_EC2_METADATA_DISABLED");
        Self { client: may_ask.then(client) }
    }

    /// Returns whether there is anything to ask.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.client.is_some()
    }

    /// The value below `/latest/meta-data/`.
    ///
    /// # Errors
    ///
    /// A sentence for the log: no metadata, no answer in time, or an answer that is an error.
    pub async fn get(&self, path: &str, limit: Duration) -> Result<String, String> {
        let Some(client) = &self.client else {
            return Err("it is not asked, in local mode or by AWS_EC2_METADATA_DISABLED".to_owned());
        };
        match timeout(limit, client.get(format!("/latest/meta-data/{path}"))).await {
            Ok(Ok(value)) => Ok(value.as_ref().trim().to_owned()),
            Ok(Err(error)) => Err(format!("{}{}", describe(&error), hint(&error))),
            Err(_) => Err(format!("no answer within {} s{HOP_LIMIT}", limit.as_secs())),
        }
    }
}

/// Describes an error and its causes in one line, also where the AWS SDK describes them in several.
pub(super) fn describe(error: &(dyn Error + 'static)) -> String {
    let in_one_line = |error: &dyn Error| {
        let text = error.to_string();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let mut parts = vec![in_one_line(error)];
    let mut next = error.source();
    while let Some(error) = next {
        let part = in_one_line(error);
        if !parts.iter().any(|known| known.contains(&part)) {
            parts.push(part);
        }
        next = error.source();
    }
    parts.join(": ")
}

/// A token that does not come is, in containers on EC2, nearly always the hop limit.
fn hint(error: &imds::client::error::ImdsError) -> &'static str {
    match error {
        imds::client::error::ImdsError::FailedToLoadToken(_) => HOP_LIMIT,
        _ => "",
    }
}

const HOP_LIMIT: &str = " (in a container on EC2 the metadata's hop limit may be 1: set HttpPutResponseHopLimit to 2, or use the host's network)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_several_lines_is_described_in_one() {
        #[derive(Debug)]
        struct Cause(&'static str, Option<Box<Self>>);
        impl std::fmt::Display for Cause {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.0)
            }
        }
        impl Error for Cause {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                self.1.as_deref().map(|cause| cause as _)
            }
        }
        let last = Cause("not in the environment,\n  nor in a file", None);
        let error = Cause("no credentials\n", Some(Box::new(last)));
        assert_eq!(describe(&error), "no credentials: not in the environment, nor in a file");
    }
}
